//! The same number at every place; never stored.

use super::Op;
use super::Operator;
use crate::error::Fault;
use crate::graph::{Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use kernels::map::Draw;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// the number
    pub value: f32,
    /// its shape
    pub shape: Shape,
}

impl Operator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(self.shape.clone())
    }

    fn reference(&self, _inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::filled(&self.shape, f64::from(self.value))
    }
}

impl Graph {
    /// The number that a value is everywhere, where that is known.
    pub(super) fn constant_value(&self, v: Var) -> Option<f32> {
        match &self.node(v).op {
            Op::Constant(c) => Some(c.value),
            _ => None,
        }
    }
}
