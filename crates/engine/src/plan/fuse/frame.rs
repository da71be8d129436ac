//! The frame of a program: the rows and columns that all of its nodes go over.

use super::Fuser;
use crate::graph::{Graph, Var};
use crate::ops::Op;
use crate::ops::binary::access;
use crate::plan::place::Places;
use crate::steps::Residency;

/// The frame of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::plan) struct Frame {
    pub residency: Residency,
    /// elements, for one row of the batch where it has rows
    pub numel: usize,
    /// columns, where a node needs this many
    pub cols: Option<usize>,
}

impl Fuser<'_> {
    /// The frame of a node that can be part of a program.
    pub(super) fn frame(&self, v: Var) -> Option<Frame> {
        let node = self.graph.node(v);
        let frame_of = |v: Var, cols| Frame {
            residency: self.places.residency[v.index()],
            numel: self.places.extent(self.graph, v).count(),
            cols,
        };
        match &node.op {
            Op::Reduce(r) => {
                let x = node.inputs[0];
                let [_, mid, inner] = r.extents(self.graph.shape(x));
                match folds_row(self.graph, v) {
                    true => Some(frame_of(x, Some(mid))),
                    false => (r.start == 0).then(|| frame_of(x, Some(inner))),
                }
            }
            Op::Unary(_) | Op::Binary(_) | Op::Detach(_) | Op::Mask(_) | Op::OneHot(_) | Op::BatchNorm(_) => {
                let mut cols = match &node.op {
                    Op::Mask(_) | Op::OneHot(_) => Some(crate::ops::mask::columns(&node.shape)),
                    _ => None,
                };
                for i in &node.inputs {
                    let needed = if self.is_constant(*i) {
                        None
                    } else {
                        access(&node.shape, self.graph.shape(*i))?.1
                    };
                    match (cols, needed) {
                        (Some(a), Some(b)) if a != b => return None,
                        (None, some) => cols = some,
                        _ => {}
                    }
                }
                Some(frame_of(v, cols))
            }
            _ => None,
        }
    }

    /// Whether a node of this frame has one value a row of it.
    pub(super) fn row_valued(&self, v: Var, frame: Frame) -> bool {
        is_row_valued(self.graph, self.places, v, frame)
    }
}

/// Whether a reduction runs along the rows of its frame, rather than down its columns.
pub(in crate::plan) fn folds_row(graph: &Graph, v: Var) -> bool {
    let node = graph.node(v);
    let Op::Reduce(r) = &node.op else { return false };
    let [_, mid, inner] = r.extents(graph.shape(node.inputs[0]));
    r.start > 0 && inner == 1 && mid > 1
}

/// Whether a reduction in a program goes down the columns of its frame.
pub(super) fn folds_columns(graph: &Graph, v: Var) -> bool {
    matches!(graph.node(v).op, Op::Reduce(_)) && !folds_row(graph, v)
}

/// Whether a node in a program of this frame has one value a row.
pub(in crate::plan) fn is_row_valued(graph: &Graph, places: &Places, v: Var, frame: Frame) -> bool {
    let Some(cols) = frame.cols.filter(|c| *c > 1) else { return false };
    places.residency[v.index()] == frame.residency
        && places.extent(graph, v).count().checked_mul(cols) == Some(frame.numel)
        && frame.numel > 0
}
