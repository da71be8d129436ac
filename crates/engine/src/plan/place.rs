//! Which nodes are alive, and which values have a part for every row of the batch.

use super::Wanted;
use crate::error::{Fault, GraphError};
use crate::graph::{Graph, Node, Var};
use crate::ops::Op;
use crate::shape::Shape;
use crate::steps::{Extent, Inputs, Residency};

/// Facts about every node.
#[derive(Debug)]
pub(super) struct Places {
    pub residency: Vec<Residency>,
    pub live: Vec<bool>,
    /// live users of each node, by index
    pub users: Vec<Vec<usize>>,
    /// whether something outside the steps reads it: an output, a gradient, a buffer's new value
    pub kept: Vec<bool>,
    pub batch: usize,
}

impl Places {
    pub fn is_rows(&self, v: Var) -> bool {
        self.residency[v.index()] == Residency::Rows
    }

    /// Elements of a value for one row of the batch, or in all.
    pub fn extent(&self, graph: &Graph, v: Var) -> Extent {
        let numel = graph.shape(v).numel();
        if self.is_rows(v) { Extent::PerRow(numel / self.batch.max(1)) } else { Extent::Fixed(numel) }
    }
}

pub(super) fn places(graph: &Graph, wanted: &Wanted, batch: usize) -> Result<Places, GraphError> {
    let n = graph.len();
    let roots: Vec<Var> = wanted.read(graph).chain(wanted.gradients.iter().copied()).collect();
    let mut found = Places {
        residency: vec![Residency::Common; n],
        live: graph.live(&roots),
        users: vec![vec![]; n],
        kept: vec![false; n],
        batch,
    };
    for v in &roots {
        found.kept[v.index()] = true;
    }
    for v in graph.vars().filter(|v| found.live[v.index()]).collect::<Vec<_>>() {
        let node = graph.node(v);
        found.residency[v.index()] = residency_of(graph, node, &found).map_err(|fault| GraphError {
            op: node.op.get().name(),
            layer: node.layer.to_string(),
            fault,
        })?;
        node.inputs.iter().for_each(|i| found.users[i.index()].push(v.index()));
    }
    Ok(found)
}

fn residency_of(graph: &Graph, node: &Node, found: &Places) -> Result<Residency, Fault> {
    let rows: Vec<bool> = node.inputs.iter().map(|v| found.is_rows(*v)).collect();
    if matches!(node.op, Op::Input(_)) {
        return Ok(Residency::Rows);
    }
    if !rows.iter().any(|r| *r) {
        return Ok(Residency::Common);
    }
    let shapes: Vec<&Shape> = node.inputs.iter().map(|v| graph.shape(*v)).collect();
    let at = Inputs { rows: &rows, shapes: &shapes, shape: &node.shape, batch: found.batch };
    node.op.get().residency(&at)
}
