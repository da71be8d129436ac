//! The value without its gradient.

use super::{Op, Operator};
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::emit::Emit;
use kernels::map::{Draw, Src};

/// `y = x`, and no gradient flows back.
#[derive(Clone, Debug, PartialEq)]
pub struct Detach;

impl Operator for Detach {
    fn name(&self) -> &'static str {
        "detach"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(inputs[0].clone())
    }

    fn reference(&self, inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        inputs[0].clone()
    }

    fn emit(&self, _emit: &mut Emit, args: &[Src]) -> Option<Src> {
        Some(args[0])
    }
}

impl Graph {
    /// The same value; gradients stop here.
    pub fn detach(&mut self, x: Var) -> Built {
        self.push(Op::Detach(Detach), &[x])
    }
}
