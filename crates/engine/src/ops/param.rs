//! A trained tensor, a view of the flat parameter vector.

use super::Operator;
use crate::error::Fault;
use crate::reference::Tensor;
use crate::shape::Shape;
use kernels::map::Draw;

/// One of the graph's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// which parameter
    pub index: usize,
    /// its shape
    pub shape: Shape,
}

impl Operator for Param {
    fn name(&self) -> &'static str {
        "param"
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(self.shape.clone())
    }

    fn reference(&self, _inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        unreachable!("the evaluator supplies parameters")
    }
}
