//! Which nodes are alive, and which values have a part for every row of the batch.

use super::Wanted;
use crate::error::{Fault, GraphError};
use crate::graph::{Graph, Node, Var};
use crate::ops::Op;
use crate::shape::Shape;

/// What a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// rows of the batch: each worker has its own part
    Rows,
    /// the same for all workers
    Same,
}

/// Facts about every node.
#[derive(Debug)]
pub(super) struct Places {
    pub place: Vec<Place>,
    pub live: Vec<bool>,
    /// live users of each node, by index
    pub users: Vec<Vec<usize>>,
    /// whether something outside the steps reads it: an output, a gradient, a buffer's new value
    pub kept: Vec<bool>,
    pub batch: usize,
}

impl Places {
    pub fn is_rows(&self, v: Var) -> bool {
        self.place[v.index()] == Place::Rows
    }

    /// Elements of a value for one row of the batch, or in all.
    pub fn extent(&self, graph: &Graph, v: Var) -> super::Extent {
        let numel = graph.shape(v).numel();
        if self.is_rows(v) {
            super::Extent::PerRow(numel / self.batch.max(1))
        } else {
            super::Extent::Fixed(numel)
        }
    }
}

pub(super) fn places(graph: &Graph, wanted: &Wanted, batch: usize) -> Result<Places, GraphError> {
    let n = graph.len();
    let mut found = Places {
        place: vec![Place::Same; n],
        live: vec![false; n],
        users: vec![vec![]; n],
        kept: vec![false; n],
        batch,
    };
    for v in wanted.read(graph).chain(wanted.gradients.iter().copied()) {
        found.kept[v.index()] = true;
        found.live[v.index()] = true;
    }
    for v in graph.vars().rev() {
        if found.live[v.index()] {
            graph.node(v).inputs.iter().for_each(|i| found.live[i.index()] = true);
        }
    }
    for v in graph.vars().filter(|v| found.live[v.index()]).collect::<Vec<_>>() {
        let node = graph.node(v);
        found.place[v.index()] = place_of(graph, node, &found).map_err(|fault| GraphError {
            op: node.op.get().name(),
            layer: node.layer.to_string(),
            fault,
        })?;
        node.inputs.iter().for_each(|i| found.users[i.index()].push(v.index()));
    }
    Ok(found)
}

fn place_of(graph: &Graph, node: &Node, found: &Places) -> Result<Place, Fault> {
    let rows: Vec<bool> = node.inputs.iter().map(|v| found.is_rows(*v)).collect();
    if matches!(node.op, Op::Input(_)) {
        return Ok(Place::Rows);
    }
    if !rows.iter().any(|r| *r) {
        return Ok(Place::Same);
    }
    let keep = |whole: bool| if whole { Ok(Place::Rows) } else { Err(Fault::BatchAxis) };
    // beside rows, a value that is the same for all workers is cut like them: each reads the part of its own
    let cut = || node.inputs.iter().zip(&rows).all(|(v, r)| *r || spans_batch(graph.shape(*v), found.batch));
    match &node.op {
        Op::MatMul(m) if m.ta => keep(cut()).map(|_| Place::Same),
        Op::ConvWeight(_) | Op::Scatter(_) => keep(cut()).map(|_| Place::Same),
        Op::MatMul(_) | Op::Conv(_) | Op::ConvInput(_) => keep(rows == [true, false]),
        Op::Reduce(r) if r.start == 0 => Ok(Place::Same),
        Op::Moments(_) => Ok(Place::Same),
        Op::Gather(_) => keep(rows == [false, true]),
        Op::Transpose(t) => keep(t.order[0] == 0),
        Op::Concat(c) => keep(c.axis > 0 && cut()),
        Op::MaxPick(_) | Op::MaxSpread(_) => keep(cut()),
        Op::Slice(s) => keep(s.axis > 0),
        Op::Pad(p) => keep(p.axis > 0),
        Op::Reshape(r) => keep(spans_batch(&r.to, found.batch)),
        Op::BatchNorm(_) => keep(rows == [true, false, false, false, false]),
        Op::Binary(_) | Op::Broadcast(_) => {
            keep(node.inputs.iter().zip(&rows).all(|(v, r)| !r || reads_own_rows(graph, node, *v)))
        }
        _ => Ok(Place::Rows),
    }
}

/// Whether the first axis is the batch, or several for each row of it.
fn spans_batch(shape: &Shape, batch: usize) -> bool {
    shape.first().is_some_and(|d| if batch == 0 { *d == 0 } else { d % batch == 0 })
}

/// An operand that belongs to rows must have as many as the result.
fn reads_own_rows(graph: &Graph, node: &Node, v: Var) -> bool {
    let s = graph.shape(v);
    s.len() == node.shape.len() && s.first() == node.shape.first()
}
