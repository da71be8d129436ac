//! Zeros before and after along an axis.

use super::{Op, Operator, axis_of, bounded};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::place::Place;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// The input with zeros around it along one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    /// the axis
    pub axis: usize,
    /// zeros before
    pub before: usize,
    /// zeros after
    pub after: usize,
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        axis_of(self.axis, inputs[0])?;
        bounded("padding", &[self.before, self.after])?;
        Ok(inputs[0].with(self.axis, self.before + inputs[0][self.axis] + self.after))
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let len = at.graph.shape(at.inputs[0])[self.axis];
        let dx = at.graph.slice(at.dy, self.axis, self.before, len)?;
        at.give(0, dx)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(self.axis > 0)
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let inner = at.shapes[0][self.axis..].iter().product();
        let out_stride = at.shape[self.axis..].iter().product();
        let out_start = self.before * at.shape.stride(self.axis);
        let (outer, x, out) = (at.before(self.axis), at.inputs[0], at.out);
        vec![Place { outer, inner, out_stride, out_start, zero: true, x, out }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let len = inputs[0].shape[self.axis];
        Tensor::from_fn(shape, |index| {
            let mut index = index.to_vec();
            match index[self.axis].checked_sub(self.before) {
                Some(i) if i < len => {
                    index[self.axis] = i;
                    inputs[0].at(&index)
                }
                _ => 0.0,
            }
        })
    }
}

impl Graph {
    /// Adds zeros before and after along `axis` (not the batch axis).
    pub fn pad(&mut self, x: Var, axis: usize, before: usize, after: usize) -> Built {
        if before == 0 && after == 0 { Ok(x) } else { self.push(Op::Pad(Pad { axis, before, after }), &[x]) }
    }
}
