//! A range of an axis.

use super::{Op, Operator, axis_of};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// Indices `start..start + len` of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// the axis
    pub axis: usize,
    /// first index
    pub start: usize,
    /// how many
    pub len: usize,
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        axis_of(self.axis, inputs[0])?;
        let (start, end) = (self.start, self.start.saturating_add(self.len));
        if end > inputs[0][self.axis] {
            return Err(Fault::Slice { start, end, axis: self.axis, shape: inputs[0].clone() });
        }
        Ok(inputs[0].with(self.axis, self.len))
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let size = at.graph.shape(at.inputs[0])[self.axis];
        let dx = at.graph.pad(at.dy, self.axis, self.start, size - self.start - self.len)?;
        at.give(0, dx)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(self.axis > 0)
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let strides = at.strides();
        let start = self.start * strides[self.axis];
        at.copy(strides, start)
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| {
            let mut index = index.to_vec();
            index[self.axis] += self.start;
            inputs[0].at(&index)
        })
    }
}

impl Graph {
    /// Indices `start..start + len` of `axis` (not of the batch axis).
    pub fn slice(&mut self, x: Var, axis: usize, start: usize, len: usize) -> Built {
        if start == 0 && self.shape(x).get(axis) == Some(&len) {
            return Ok(x);
        }
        self.push(Op::Slice(Slice { axis, start, len }), &[x])
    }
}
