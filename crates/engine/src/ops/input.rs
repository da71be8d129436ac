//! A value fed at every step; its first axis is the batch.

use super::Operator;
use crate::error::Fault;
use crate::reference::Tensor;
use crate::shape::Shape;
use kernels::map::Draw;

/// One of the graph's inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// which input
    pub index: usize,
    /// its shape
    pub shape: Shape,
}

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(self.shape.clone())
    }

    fn reference(&self, _inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        unreachable!("the evaluator supplies inputs")
    }
}
