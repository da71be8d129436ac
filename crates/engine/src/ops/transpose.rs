//! Reordering axes.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// Axis `i` of the result is axis `order[i]` of the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Transpose {
    /// a permutation of the axes
    pub order: Vec<usize>,
}

impl Operator for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..inputs[0].len()) {
            return Err(Fault::Rank { expected: "a permutation of all", got: inputs[0].clone() });
        }
        Ok(self.order.iter().map(|a| inputs[0][*a]).collect::<Vec<_>>().into())
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let mut inverse = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(i, a)| inverse[*a] = i);
        let dx = at.graph.transpose(at.dy, &inverse)?;
        at.give(0, dx)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(self.order[0] == 0)
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let strides = at.strides();
        at.copy(self.order.iter().map(|a| strides[*a]).collect(), 0)
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| {
            let mut source = vec![0; index.len()];
            self.order.iter().zip(index).for_each(|(a, i)| source[*a] = *i);
            inputs[0].at(&source)
        })
    }
}

impl Graph {
    /// Reorders axes: axis `i` of the result is axis `order[i]` of `x`. The batch axis must stay first.
    pub fn transpose(&mut self, x: Var, order: &[usize]) -> Built {
        if order.iter().copied().eq(0..self.shape(x).len()) {
            return Ok(x);
        }
        let op = Transpose { order: order.to_vec() };
        if let (Some(value), Ok(shape)) = (self.constant_value(x), op.shape(&[self.shape(x)])) {
            return self.constant(value, shape);
        }
        self.push(Op::Transpose(op), &[x])
    }
}
