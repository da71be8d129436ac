//! Repeating a tensor along axes of size 1, or new leading axes.

use super::binary::{access, broadcast_shape};
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
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

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        inputs[0].broadcast(shape)
    }
}

impl Graph {
    /// The value repeated to `to`. Constants, and what later operators can read in place, are not copied.
    pub fn broadcast(&mut self, x: Var, to: impl Into<Shape>) -> Built {
        let to = to.into();
        if self.shape(x) == &to {
            return Ok(x);
        }
        if let Op::Constant(c) = &self.node(x).op {
            let value = c.value;
            return self.constant(value, to);
        }
        let lazy = access(&to, self.shape(x)).is_some();
        let node = self.push(Op::Broadcast(Broadcast { to }), &[x])?;
        debug_assert!(lazy || self.node(node).inputs.len() == 1);
        Ok(node)
    }
}
