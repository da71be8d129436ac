//! A tensor kept from step to step without being trained, such as a running average.

use super::Operator;
use crate::error::Fault;
use crate::reference::Tensor;
use crate::shape::Shape;
use kernels::map::Draw;

/// One of the graph's buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// which buffer
    pub index: usize,
    /// its shape
    pub shape: Shape,
}

impl Operator for Buffer {
    fn name(&self) -> &'static str {
        "buffer"
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, Fault> {
        Ok(self.shape.clone())
    }

    fn reference(&self, _inputs: &[&Tensor], _shape: &Shape, _draw: &Draw) -> Tensor {
        unreachable!("the evaluator supplies buffers")
    }
}
