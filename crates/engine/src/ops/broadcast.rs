//! Repeating a tensor along axes of size 1, or new leading axes.
//!
//! A second input, whose values are not read, says whether the result belongs to rows of the batch.

use super::binary::{access, broadcast_shape};
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// The input repeated to a larger shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    /// shape of the result
    pub to: Shape,
}

impl Operator for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        match broadcast_shape(inputs[0], &self.to) {
            Ok(shape) if shape == self.to => Ok(shape),
            _ => Err(Fault::Broadcast { a: inputs[0].clone(), b: self.to.clone() }),
        }
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let shape = at.graph.shape(at.inputs[0]).clone();
        let dx = at.graph.sum_to(at.dy, &shape)?;
        at.give(0, dx)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.own_rows()
    }

    /// What is repeated for all rows.
    fn reads_whole(&self, _input: usize, from: &Shape, to: &Shape) -> bool {
        from.len() < to.len() || from.first() != to.first()
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let (from, strides) = (at.shapes[0], at.strides());
        let lead = at.shape.len() - from.len();
        let stride = |a: usize| match a.checked_sub(lead) {
            Some(own) if from[own] > 1 => strides[own],
            _ => 0,
        };
        at.copy((0..at.shape.len()).map(stride).collect(), 0)
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        inputs[0].broadcast(shape)
    }
}

impl Graph {
    /// The value repeated to the shape of `like`. Constants are not copied, and element-wise operators read what was
    /// repeated in place.
    pub fn broadcast_like(&mut self, x: Var, like: Var) -> Built {
        let to = self.shape(like).clone();
        if self.shape(x) == &to {
            return Ok(x);
        }
        if let Op::Constant(c) = &self.node(x).op {
            let value = c.value;
            return self.constant(value, to);
        }
        self.push(Op::Broadcast(Broadcast { to }), &[x, like])
    }

    /// What to read instead of `v` in a frame of shape `out`: the source of a repetition, where that is readable.
    pub(super) fn unrepeated(&self, v: Var, out: &Shape) -> Var {
        let node = self.node(v);
        let source = node.inputs.first().copied().filter(|_| matches!(node.op, Op::Broadcast(_)));
        source.filter(|s| access(out, self.shape(*s)).is_some()).unwrap_or(v)
    }
}
