//! A plan as text.

use std::fmt::Write;

use super::{Extent, Finish, Kernel, Loc, Loop, Plan, Span, Tail};
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::ops::conv::Geometry;

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// every node as it was built, gradients included
    Graph,
    /// nodes that something wanted depends on
    Live,
    /// the steps after fusion, with work, bytes and places in memory
    Plan,
}

impl Graph {
    /// The nodes as text, one a line; with `live`, only those marked.
    pub fn print(&self, live: Option<&[bool]>) -> String {
        let mut text = String::new();
        for v in self.vars().filter(|v| live.is_none_or(|l| l[v.index()])) {
            let node = self.node(v);
            let inputs: Vec<String> = node.inputs.iter().map(|i| format!("%{}", i.index())).collect();
            let what = match &node.op {
                Op::Input(i) => self.inputs[i.index].name.clone(),
                Op::Param(p) => self.params.slots[p.index].name.clone(),
                Op::Buffer(b) => self.buffers.slots[b.index].name.clone(),
                Op::Constant(c) => c.value.to_string(),
                _ => inputs.join(" "),
            };
            let name = format!("%{} = {}", v.index(), node.op.get().name());
            _ = writeln!(text, "{name:<22} {what:<24} {:<20} {}", node.shape.to_string(), node.layer);
        }
        text
    }

    /// For every node, whether `wanted` depends on it.
    pub fn live(&self, wanted: &[Var]) -> Vec<bool> {
        let mut live = vec![false; self.len()];
        wanted.iter().for_each(|v| live[v.index()] = true);
        for v in self.vars().rev() {
            if live[v.index()] {
                self.node(v).inputs.iter().for_each(|i| live[i.index()] = true);
            }
        }
        live
    }
}

/// Work and traffic of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// floating-point operations
    pub flops: u64,
    /// bytes read and written, counting each value once
    pub bytes: u64,
}

impl Plan {
    fn elements(&self, span: Span) -> u64 {
        let n = span.len.of(self.options.batch) as u64;
        if matches!(span.loc, Loc::Const(_)) { 0 } else { n }
    }

    /// Work and traffic of one step, for the whole batch.
    pub fn cost(&self, kernel: &Kernel) -> Cost {
        let batch = self.options.batch;
        let of = |factors: &[usize], spans: &[Span]| Cost {
            flops: times(factors),
            bytes: 4 * spans.iter().map(|s| self.elements(*s)).sum::<u64>(),
        };
        match kernel {
            Kernel::Gemm { m, n, k, a, b, out, .. } => of(&[2, m.of(batch), *n, *k], &[a.span, b.span, *out]),
            Kernel::GemmPartial { m, n, rows, a, b, .. } => of(&[2, *m, *n, *rows, batch], &[*a, *b]),
            Kernel::Conv { conv, images, x, w, out, .. }
            | Kernel::ConvInput { conv, images, x, w, out, .. } => {
                of(&[conv_flops(conv), images.of(batch)], &[*x, *w, *out])
            }
            Kernel::Prepare { w, out, .. } => of(&[0], &[*w, *out]),
            Kernel::ConvPartial { conv, x, dy, .. } => of(&[conv_flops(conv), batch], &[*x, *dy]),
            Kernel::Map { program, rows, cols, operands, outs, .. } => {
                let spans: Vec<Span> = operands.iter().map(|(s, _)| *s).chain(outs.iter().copied()).collect();
                of(&[program.instrs().len(), rows.of(batch), *cols], &spans)
            }
            Kernel::Fold { x, out, .. } => of(&[self.elements(*x) as usize], &[*x, *out]),
            Kernel::Moments { x, .. } => of(&[4, self.elements(*x) as usize], &[*x]),
            Kernel::MaxPick { x, v, out, .. } if x == v => of(&[self.elements(*x) as usize], &[*x, *out]),
            Kernel::MaxPick { x, v: y, out, .. } | Kernel::MaxSpread { x, dy: y, out, .. } => {
                of(&[self.elements(*x) as usize], &[*x, *y, *out])
            }
            Kernel::Resample { x, out, .. } => {
                of(&[2, self.elements(*x).max(self.elements(*out)) as usize], &[*x, *out])
            }
            Kernel::Copy { x, out, .. } | Kernel::Place { x, out, .. } => of(&[0], &[*x, *out]),
            Kernel::Gather { index, out, .. } => of(&[0], &[*index, *out, *out]),
            Kernel::ScatterPartial { index, x, .. } => of(&[self.elements(*x) as usize], &[*index, *x]),
            Kernel::Fill { out, .. } | Kernel::Feed { out, .. } | Kernel::Combine { out, .. } => {
                of(&[0], &[*out])
            }
            Kernel::Meet => Cost::default(),
        }
    }

    /// Work and traffic of a whole step, gradients included.
    pub fn total_cost(&self) -> Cost {
        let add = |a: Cost, b: Cost| Cost {
            flops: a.flops.saturating_add(b.flops),
            bytes: a.bytes.saturating_add(b.bytes),
        };
        let steps = self.steps.iter().map(|s| self.cost(&s.kernel)).fold(Cost::default(), add);
        self.finish.iter().map(|f| self.finish_cost(f)).fold(steps, add)
    }

    fn finish_cost(&self, finish: &Finish) -> Cost {
        match finish {
            Finish::Gemm { m, n, rows, a, b } => Cost {
                flops: times(&[2, *m, *n, *rows, self.options.batch]),
                bytes: 4 * (self.elements(*a) + self.elements(*b) + (m * n) as u64),
            },
            Finish::Conv { conv, x, dy } => Cost {
                flops: times(&[conv_flops(conv), self.options.batch]),
                bytes: 4 * (self.elements(*x) + self.elements(*dy)),
            },
            Finish::Shards { from, .. } => Cost {
                flops: (from.len * self.options.shards) as u64,
                bytes: 4 * (from.len * self.options.shards) as u64,
            },
            Finish::Ready(span) => Cost { flops: 0, bytes: 4 * self.elements(*span) },
        }
    }

    /// The steps as text: what each does, for which nodes, with shape, work, bytes and places in memory.
    pub fn print(&self, graph: &Graph) -> String {
        let o = self.options;
        let mut text = format!(
            "batch {}, {} shards, {} workers; arena {} KiB a worker, scratch {} KiB\n",
            o.batch,
            o.shards,
            o.workers,
            self.arena_len / 256,
            self.scratch_len / 256
        );
        for (i, step) in self.steps.iter().enumerate() {
            if let Some(Loop { steps, chunk: Some(rows) }) = self.loops.iter().find(|l| l.steps.start == i) {
                _ = writeln!(text, "    steps {}..{} with {rows} rows at a time", steps.start, steps.end);
            }
            let names: Vec<&str> = step.nodes.iter().map(|v| graph.node(*v).op.get().name()).collect();
            let (what, places) = describe(&step.kernel);
            let cost = self.cost(&step.kernel);
            let line = format!(
                "{i:>3} {what:<34} {:>9} FLOP {:>9} B  {places:<30} {} {}",
                short(cost.flops),
                short(cost.bytes),
                step.layer,
                names.join("+")
            );
            _ = writeln!(text, "{}", line.trim_end());
        }
        for (finish, slot) in self.finish.iter().zip(&self.params.slots) {
            let what = match finish {
                Finish::Gemm { m, n, rows, .. } => {
                    format!("gradient [{m}, {n}] over {} rows", rows * o.batch)
                }
                Finish::Conv { .. } => format!("gradient {} over {} images", slot.shape, o.batch),
                Finish::Shards { .. } => format!("gradient {} from shards", slot.shape),
                Finish::Ready(_) => format!("gradient {} as it is", slot.shape),
            };
            let cost = self.finish_cost(finish);
            let line = format!(
                "  ∂ {what:<34} {:>9} FLOP {:>9} B  {}",
                short(cost.flops),
                short(cost.bytes),
                slot.name
            );
            _ = writeln!(text, "{line}");
        }
        let total = self.total_cost();
        _ = writeln!(text, "total {} FLOP, {} B", short(total.flops), short(total.bytes));
        text
    }
}

fn extent(e: Extent) -> String {
    match e {
        Extent::PerRow(1) => "B".to_owned(),
        Extent::PerRow(n) => format!("B·{n}"),
        Extent::Fixed(n) => n.to_string(),
    }
}

fn place(span: Span) -> String {
    match span.loc {
        Loc::Arena(at) => format!("@{at}"),
        Loc::Chunk(at) => format!("c{at}"),
        Loc::Param(at) => format!("p{at}"),
        Loc::Buffer(at) => format!("b{at}"),
        Loc::Const(x) => x.to_string(),
    }
}

/// What follows a product.
fn tail_name(tail: &Tail) -> String {
    let parts = [(tail.bias.is_some(), "+bias"), (tail.relu, "+relu"), (tail.gate.is_some(), "+gate")];
    parts.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect()
}

/// Operations of a convolution, or of one of its gradients, for one image; taps in the padding count.
fn conv_flops(conv: &Geometry) -> usize {
    let ([oh, ow, o], [kh, kw]) = (conv.output, conv.kernel);
    times(&[2, oh, ow, o, kh, kw, conv.input[2] / conv.groups]) as usize
}

/// The product, at most `u64::MAX`: operations may be more than 64 bits count, where sizes are not.
fn times(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |n: u64, factor| n.saturating_mul(*factor as u64))
}

fn describe(kernel: &Kernel) -> (String, String) {
    let joined = |spans: Vec<Span>| spans.into_iter().map(place).collect::<Vec<_>>().join(" ");
    match kernel {
        Kernel::Meet => ("meet".into(), String::new()),
        Kernel::Feed { out, .. } => ("feed".into(), format!("→ {}", place(*out))),
        Kernel::Fill { value, out } => (format!("fill {value}"), format!("→ {}", place(*out))),
        Kernel::Gemm { m, n, k, a, b, out, tail } => {
            let what = format!("gemm [{}, {n}] k {k}{}", extent(*m), tail_name(tail));
            (what, format!("{} → {}", joined(vec![a.span, b.span]), place(*out)))
        }
        Kernel::Conv { conv, x, w, out, tail, .. } => (
            format!("conv {:?} → {:?}{}", conv.input, conv.output, tail_name(tail)),
            format!("{} → {}", joined(vec![*x, *w]), place(*out)),
        ),
        Kernel::ConvInput { conv, x, w, out, tail, .. } => (
            format!("conv input {:?} ← {:?}{}", conv.input, conv.output, tail_name(tail)),
            format!("{} → {}", joined(vec![*x, *w]), place(*out)),
        ),
        Kernel::Prepare { conv, w, out, .. } => {
            (format!("weights {:?} at points", conv.kernel), format!("{} → {}", place(*w), place(*out)))
        }
        Kernel::ConvPartial { conv, x, dy, .. } => {
            let [kh, kw] = conv.kernel;
            let sizes = [kh, kw, conv.input[2] / conv.groups, conv.output[2]];
            (format!("conv weight {sizes:?} per shard"), joined(vec![*x, *dy]))
        }
        Kernel::GemmPartial { m, n, a, b, .. } => {
            (format!("gemm [{m}, {n}] per shard"), joined(vec![*a, *b]))
        }
        Kernel::Map { program, rows, cols, operands, outs, parts } => {
            let what = format!("map [{}, {cols}] {} instr", extent(*rows), program.instrs().len());
            let reads = joined(operands.iter().map(|(s, _)| *s).collect());
            let sums = if parts.is_empty() { String::new() } else { format!(" +{} sums", parts.len()) };
            (what, format!("{reads} → {}{sums}", joined(outs.clone())))
        }
        Kernel::Fold { outer, mid, inner, x, out, .. } => {
            (format!("fold [{}, {mid}, {inner}]", extent(*outer)), joined(vec![*x, *out]))
        }
        Kernel::Copy { sizes, x, out, .. } => (format!("copy {sizes:?}"), joined(vec![*x, *out])),
        Kernel::Place { inner, x, out, .. } => (format!("place rows of {inner}"), joined(vec![*x, *out])),
        Kernel::Gather { rows, width, index, out, .. } => {
            (format!("gather [{rows}, {width}]"), joined(vec![*index, *out]))
        }
        Kernel::ScatterPartial { rows, width, index, x, .. } => {
            (format!("scatter [{rows}, {width}]"), joined(vec![*index, *x]))
        }
        Kernel::MaxPick { window, channels, x, out, .. } => (
            format!("max_pool {} to {}", image(window.input, *channels), image(window.output, *channels)),
            joined(vec![*x, *out]),
        ),
        Kernel::MaxSpread { window, channels, x, dy, out } => (
            format!("max_spread {} to {}", image(window.output, *channels), image(window.input, *channels)),
            joined(vec![*x, *dy, *out]),
        ),
        Kernel::Resample { rows, columns, channels, x, out } => {
            let [from, to] = [[rows.input(), columns.input()], [rows.output(), columns.output()]];
            (
                format!("resample {} to {}", image(from, *channels), image(to, *channels)),
                joined(vec![*x, *out]),
            )
        }
        Kernel::Moments { channels, x, .. } => (format!("moments of {channels} channels"), place(*x)),
        Kernel::Combine { from, out, .. } => {
            (format!("join {} over shards", from.len), format!("→ {}", place(*out)))
        }
    }
}

fn image([height, width]: [usize; 2], channels: usize) -> String {
    format!("{height}x{width}x{channels}")
}

fn short(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..10_000_000 => format!("{:.1}k", n as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}
