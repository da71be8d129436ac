//! The same elements under another shape; costs nothing.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::{Inputs, Residency};
use kernels::map::Draw;

/// A view with another shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Reshape {
    /// shape of the result
    pub to: Shape,
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if inputs[0].numel() == self.to.numel() {
            Ok(self.to.clone())
        } else {
            Err(Fault::Reshape { from: inputs[0].clone(), to: self.to.clone() })
        }
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let shape = at.graph.shape(at.inputs[0]).clone();
        let dx = at.graph.reshape(at.dy, shape)?;
        at.give(0, dx)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.spans_batch(&self.to))
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor { shape: shape.clone(), data: inputs[0].data.clone() }
    }
}

impl Graph {
    /// The same elements as `to`; the batch axis, where there is one, stays first.
    pub fn reshape(&mut self, x: Var, to: impl Into<Shape>) -> Built {
        let to = to.into();
        if self.shape(x) == &to {
            return Ok(x);
        }
        if let Op::Reshape(_) = self.node(x).op {
            let inner = self.node(x).inputs[0];
            return self.reshape(inner, to);
        }
        if let Op::Constant(c) = &self.node(x).op {
            let value = c.value;
            return self.constant(value, to);
        }
        self.push(Op::Reshape(Reshape { to }), &[x])
    }

    /// All axes after the batch as one.
    pub fn flatten(&mut self, x: Var) -> Built {
        let shape = self.shape(x);
        let batch = shape.first().copied().unwrap_or(1);
        let rest = shape.iter().skip(1).product::<usize>();
        self.reshape(x, [batch, rest])
    }
}
