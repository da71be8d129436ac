//! Units become steps: first the sequence with its meetings, then memory, then the steps themselves.

mod program;
mod sequence;

use std::collections::HashMap;

use super::fuse::{Followers, Role, Units};
use super::layout::{Prepared, Stored};
use super::loops::Loop;
use super::place::Places;
use super::{Finish, Kernel, Loc, Partial, Plan, PlanOptions, Span, Step, Wanted};
use crate::error::GraphError;
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::steps::combine::{Combine, Join};
use crate::steps::conv::images_of;
use crate::steps::copy::Copy;
use crate::steps::feed::Feeding;
use crate::steps::fill::Fill;
use crate::steps::meet::Meet;
use crate::steps::prepare::Prepare;
use crate::steps::{Lowering, Tail};

/// An entry of the sequence, before memory is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    Feed(Var),
    Fill(Var),
    /// of a value that lies in the parameters or buffers, as it was before they change
    Copy(Var),
    Unit(usize),
    /// the weights of a unit's convolution
    Prepare(usize),
    Meet,
    Combine(Var),
}

pub(super) struct Lower<'a> {
    pub graph: &'a Graph,
    pub places: &'a Places,
    pub units: &'a Units,
    pub options: PlanOptions,
    pub partials: HashMap<Var, Partial>,
    segments: Vec<usize>,
    /// where values lie in the arena
    pub offsets: HashMap<Stored, Loc>,
}

pub(super) fn lower(
    graph: &Graph,
    wanted: &Wanted,
    places: &Places,
    units: &Units,
    options: PlanOptions,
) -> Result<Plan, GraphError> {
    let mut low = Lower {
        graph,
        places,
        units,
        options,
        partials: HashMap::new(),
        segments: vec![0],
        offsets: HashMap::new(),
    };
    let sequence = low.sequence(wanted);
    let sequence = low.shared_first(sequence);
    let entry_loops = low.loops(&sequence);
    let arena_len = low.lay_out(&sequence, &entry_loops, wanted);
    let mut steps: Vec<Step> = Vec::new();
    let mut loops: Vec<Loop> = Vec::new();
    for Loop { steps: entries, chunk } in entry_loops {
        let start = steps.len();
        steps.extend(sequence[entries].iter().flat_map(|entry| low.steps(*entry)));
        loops.push(Loop { steps: start..steps.len(), chunk });
    }
    let assigns = graph.assigns.iter().filter(|_| wanted.assigns);
    let assigns = assigns.map(|(b, v)| (graph.buffers.slots[*b].range(), low.kept_span(*v))).collect();
    let finish = wanted.gradients.iter().map(|v| low.finish(*v)).collect();
    let outputs = wanted.outputs.iter().map(|v| low.kept_span(*v)).collect();
    let mut plan = Plan {
        options,
        steps,
        loops,
        finish,
        outputs,
        assigns,
        arena_len,
        segments: low.segments,
        scratch_len: 0,
        params: graph.params.clone(),
        reads_tangents: graph
            .vars()
            .any(|v| places.live[v.index()] && matches!(graph.node(v).op, Op::Tangent(_))),
        buffers: graph.buffers.clone(),
        inputs: graph.inputs.clone(),
    };
    plan.scratch_len = plan.most_scratch();
    Ok(plan)
}

impl Lower<'_> {
    /// The value whose memory `v` is a view of, and where in it `v` starts.
    pub fn root(&self, v: Var) -> (Var, usize) {
        let node = self.graph.node(v);
        match &node.op {
            Op::Reshape(_) => self.root(node.inputs[0]),
            Op::Slice(s) if s.axis == 0 => {
                let (root, offset) = self.root(node.inputs[0]);
                (root, offset + s.start * node.shape.stride(0))
            }
            _ => (v, 0),
        }
    }

    fn steps(&self, entry: Entry) -> Vec<Step> {
        let (kernels, nodes) = match entry {
            Entry::Meet => (vec![Meet.into()], vec![]),
            Entry::Feed(v) => match &self.graph.node(v).op {
                Op::Input(i) => (vec![Feeding { input: i.index, out: self.span(v) }.into()], vec![v]),
                _ => unreachable!("only inputs are fed"),
            },
            Entry::Fill(v) => match &self.graph.node(v).op {
                Op::Constant(c) => (vec![Fill { value: c.value, out: self.span(v) }.into()], vec![v]),
                _ => unreachable!("only constants are filled in"),
            },
            Entry::Copy(v) => {
                let (sizes, strides) = (vec![self.graph.shape(v).numel()], vec![1]);
                let (x, out) = (self.span(v), self.kept_span(v));
                (vec![Copy { sizes, batched: false, strides, start: 0, x, out }.into()], vec![v])
            }
            Entry::Prepare(u) => {
                let prepared = self.prepared(u).into_iter();
                let step = |p: Prepared| {
                    let (w, out) = (self.span(p.weight), self.prepared_span(u, p));
                    Prepare { conv: p.conv, direction: p.direction, w, out }.into()
                };
                (prepared.map(step).collect(), vec![])
            }
            Entry::Combine(v) => (
                vec![Combine { join: self.join(v), from: self.partials[&v], out: self.span(v) }.into()],
                vec![v],
            ),
            Entry::Unit(u) => {
                let unit = &self.units.list[u];
                let kernels = match unit.role {
                    Role::Map(frame) => vec![self.map(u, frame)],
                    Role::Product(followers) => self.operator(u, followers),
                    _ => self.operator(u, Followers::default()),
                };
                (kernels, unit.nodes.clone())
            }
        };
        let named = match entry {
            Entry::Prepare(u) => self.units.list[u].nodes.first(),
            _ => nodes.last(),
        };
        let layer = named.map_or(String::new(), |v| self.graph.node(*v).layer.to_string());
        kernels
            .into_iter()
            .map(|kernel| Step { kernel, nodes: nodes.clone(), layer: layer.clone() })
            .collect()
    }

    /// The steps of one operator, with what a product has taken in.
    fn operator(&self, u: usize, followers: Followers) -> Vec<Kernel> {
        let nodes = &self.units.list[u].nodes;
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
        let node = self.graph.node(first);
        let cut = !matches!(self.units.list[u].role, Role::Product(_))
            && node.inputs.iter().any(|v| self.places.is_rows(*v));
        let input = |(i, v): (usize, &Var)| {
            let whole = node.op.get().reads_whole(i, self.graph.shape(*v), &node.shape);
            if cut && !whole { self.rows_of(*v) } else { self.span(*v) }
        };
        let mut inputs: Vec<Span> = node.inputs.iter().enumerate().map(input).collect();
        if let Some(prepared) = self.prepared(u) {
            inputs[1] = self.prepared_span(u, prepared);
        }
        let kernels = node.op.get().lower(&Lowering {
            inputs,
            shapes: node.inputs.iter().map(|v| self.graph.shape(*v)).collect(),
            shape: &node.shape,
            out: self.span(last),
            rows: self.places.is_rows(first),
            batch: self.places.batch,
            partial: self.partials.get(&first).copied(),
            tail: Tail {
                bias: followers.bias.map(|v| self.span(v)),
                relu: followers.relu,
                gate: followers.gate.map(|v| self.span(v)),
            },
        });
        assert!(!kernels.is_empty(), "{} is never a step of its own", node.op.get().name());
        kernels
    }

    fn join(&self, v: Var) -> Join {
        let node = self.graph.node(v);
        let x = self.places.extent(self.graph, node.inputs[0]);
        node.op.get().join(x, &node.shape, self.options.most_shard_rows())
    }

    /// The values that a unit reads from memory.
    pub fn reads_of(&self, u: usize) -> Vec<Var> {
        let unit = &self.units.list[u];
        let inputs = unit.nodes.iter().flat_map(|n| &self.graph.node(*n).inputs);
        inputs.filter(|i| self.units.of[i.index()] != Some(u)).map(|i| self.root(*i).0).collect()
    }

    /// The nodes of a unit that are stored in the arena.
    pub fn writes_of(&self, u: usize) -> Vec<Var> {
        let unit = &self.units.list[u];
        match unit.role {
            Role::Product(_) => vec![unit.nodes[unit.nodes.len() - 1]],
            _ => unit.nodes.iter().copied().filter(|v| self.is_stored(*v, u)).collect(),
        }
    }

    fn is_stored(&self, v: Var, u: usize) -> bool {
        let read = self.places.users[v.index()].iter().any(|user| self.units.of[*user] != Some(u));
        !self.partials.contains_key(&v) && (read || self.places.kept[v.index()])
    }

    fn finish(&self, v: Var) -> Finish {
        let (root, start) = self.root(v);
        let node = self.graph.node(root);
        let later = self.is_finished_later(root);
        match &node.op {
            Op::ConvWeight(c) if later => {
                Finish::Conv { conv: c.0, x: self.span(node.inputs[0]), dy: self.span(node.inputs[1]) }
            }
            Op::MatMul(_) if later => {
                let [a, b] = [node.inputs[0], node.inputs[1]];
                let (m, n) = (node.shape[0], node.shape[1]);
                let rows = self.places.extent(self.graph, a).count() / m.max(1);
                Finish::Gemm { m, n, rows, a: self.span(a), b: self.span(b) }
            }
            _ => {
                match self.partials.get(&root).filter(|_| !self.offsets.contains_key(&Stored::Value(root))) {
                    Some(from) => Finish::Shards { join: self.join(root), from: *from, start },
                    None => Finish::Ready(self.kept_span(v)),
                }
            }
        }
    }
}

impl Plan {
    fn most_scratch(&self) -> usize {
        let rows = self.options.most_worker_rows();
        let gemm = kernels::gemm::scratch_len;
        let step = |s: &Step| s.kernel.get().scratch_len(rows);
        let finish = |f: &Finish| match f {
            Finish::Gemm { m, n, rows, .. } => gemm(*m, *n, rows * self.options.batch),
            Finish::Conv { conv, x, .. } => {
                conv.block_scratch_len(images_of(conv, x.len.of(self.options.batch)))
            }
            Finish::Shards { join, from, .. } => join.scratch_len(from.len),
            _ => 0,
        };
        self.steps.iter().map(step).chain(self.finish.iter().map(finish)).max().unwrap_or(0)
    }
}
