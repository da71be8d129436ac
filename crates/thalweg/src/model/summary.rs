//! What a model is made of: layers with shapes, parameters, operations and memory, as values and as a table.

use super::builder::{Mode, Traced};
use super::{Model, ModelError};
use engine::graph::{Graph, Var};
use engine::ops::Op;
use engine::shape::Shape;
use std::fmt;

/// One layer of a [`Summary`]; numbers do not include those of layers inside it, which have rows of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Full name, such as `3` or `block.0`.
    pub name: String,
    /// Its word in a config.
    pub kind: &'static str,
    /// Kind and settings.
    pub describe: String,
    /// Layers around it.
    pub depth: usize,
    /// Shape of its result for a sample.
    pub output: Vec<usize>,
    /// Elements of its parameters.
    pub n_params: usize,
    /// Operations of the forward pass for a sample: 2 for each product of a matrix product or a convolution (borders
    /// count), 1 for each element of the result (of a sum or a pool: of its input) of anything else; copies and views
    /// are free.
    pub flops: u64,
    /// Memory of its result for a sample; 0 for a view of another's.
    pub activation_bytes: usize,
}

/// A model's layers and totals.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The model in one word.
    pub title: String,
    /// Shape of a sample.
    pub input: Vec<usize>,
    /// The layers, each before those inside it.
    pub rows: Vec<Row>,
    /// Elements of all parameters.
    pub n_params: usize,
    /// Elements of all buffers.
    pub n_buffers: usize,
    /// Operations of the forward pass for a sample, in evaluation.
    pub flops: u64,
    /// Memory of all layers' results for a sample.
    pub activation_bytes: usize,
}

impl Summary {
    /// What a sample costs is the difference between batches of 3 and of 2: what is done once a batch drops out.
    pub(super) fn of(model: &Model) -> Result<Self, ModelError> {
        let (small, record, _) = model.traced(2, Mode::Eval)?;
        let (large, larger, _) = model.traced(3, Mode::Eval)?;
        let mut rows = Vec::new();
        for (i, (layer, more)) in record.traced.iter().zip(&larger.traced).enumerate() {
            let inside: Vec<usize> = children(&record.traced, i);
            let own = |of: &dyn Fn(usize) -> u64| {
                inside.iter().fold(of(i), |rest, child| rest.saturating_sub(of(*child)))
            };
            let params = |l: usize| {
                small.params.slots[record.traced[l].params.clone()]
                    .iter()
                    .map(|s| s.shape.numel() as u64)
                    .sum()
            };
            let cost = |l: usize| {
                let small = flops(&small, record.traced[l].nodes.clone());
                flops(&large, larger.traced[l].nodes.clone()).saturating_sub(small)
            };
            let before =
                record.traced[..i].iter().any(|l| l.output == layer.output && l.depth >= layer.depth);
            let seen = before || inside.iter().any(|child| record.traced[*child].output == layer.output);
            let view = seen || !layer.nodes.contains(&viewed(&small, layer.output).index());
            let numel = large.shape(more.output).numel() - small.shape(layer.output).numel();
            rows.push(Row {
                name: layer.name.clone(),
                kind: layer.kind,
                describe: layer.describe.clone(),
                depth: layer.depth,
                output: small.shape(layer.output).get(1..).unwrap_or_default().to_vec(),
                n_params: own(&params) as usize,
                flops: own(&cost),
                activation_bytes: if view { 0 } else { 4 * numel },
            });
        }
        Ok(Summary {
            title: model.title().to_owned(),
            input: model.input_shape().to_vec(),
            n_params: model.params().len(),
            n_buffers: model.buffers().len(),
            flops: flops(&large, 0..large.len()).saturating_sub(flops(&small, 0..small.len())),
            activation_bytes: rows.iter().map(|r| r.activation_bytes).sum(),
            rows,
        })
    }
}

/// Positions of the layers directly inside layer `i`.
fn children(traced: &[Traced], i: usize) -> Vec<usize> {
    let inside = (i + 1..traced.len()).take_while(|j| traced[*j].depth > traced[i].depth);
    inside.filter(|j| traced[*j].depth == traced[i].depth + 1).collect()
}

/// The value whose elements these are.
fn viewed(graph: &Graph, v: Var) -> Var {
    let node = graph.node(v);
    if matches!(node.op, Op::Reshape(_)) { viewed(graph, node.inputs[0]) } else { v }
}

fn flops(graph: &Graph, nodes: std::ops::Range<usize>) -> u64 {
    let one = |v: Var| -> u64 {
        let node = graph.node(v);
        let inputs: Vec<&Shape> = node.inputs.iter().map(|input| graph.shape(*input)).collect();
        node.op.get().flops(&inputs, &node.shape)
    };
    graph.vars().skip(nodes.start).take(nodes.len()).map(one).fold(0, u64::saturating_add)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            vec![["layer", "kind", "output", "parameters", "FLOPs", "activations"].map(String::from)];
        table.push([
            String::new(),
            "input".into(),
            format!("{:?}", self.input),
            String::new(),
            String::new(),
            String::new(),
        ]);
        table.extend(self.rows.iter().map(|r| {
            let kind = format!("{}{}", "  ".repeat(r.depth), r.describe);
            let output = format!("{:?}", r.output);
            [
                r.name.clone(),
                kind,
                output,
                grouped(r.n_params),
                scaled(r.flops as f64),
                bytes(r.activation_bytes),
            ]
        }));
        let flops = scaled(self.flops as f64);
        let total = [
            String::new(),
            "total".into(),
            String::new(),
            grouped(self.n_params),
            flops,
            bytes(self.activation_bytes),
        ];
        table.push(total);
        let width = |c: usize| table.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for row in &table {
            let [a, b, c, d, e, g] = row;
            let [wa, wb, wc, wd, we, wg] = widths;
            let line = format!("{a:<wa$}  {b:<wb$}  {c:<wc$}  {d:>wd$}  {e:>we$}  {g:>wg$}");
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "FLOPs and activations are for the forward pass of one sample")
    }
}

/// `669,706`
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.34 M`
fn scaled(x: f64) -> String {
    let (factor, unit) = match x {
        x if x >= 1e12 => (1e12, " T"),
        x if x >= 1e9 => (1e9, " G"),
        x if x >= 1e6 => (1e6, " M"),
        x if x >= 1e3 => (1e3, " k"),
        _ => return format!("{x}"),
    };
    format!("{:.2}{unit}", x / factor)
}

/// `2.0 KiB`
fn bytes(n: usize) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", n as f64 / 1024.0),
        _ => format!("{:.1} MiB", n as f64 / 1_048_576.0),
    }
}
