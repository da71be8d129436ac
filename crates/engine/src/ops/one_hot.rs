//! Class indices as rows with a single 1.

use super::{Op, Operator};
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::emit::Emit;
use kernels::map::{Draw, Src};
use kernels::math::Fn2;

/// `y[i, c] = 1` where `label[i] = c`, else 0.
#[derive(Clone, Debug, PartialEq)]
pub struct OneHot {
    /// number of classes
    pub classes: usize,
}

impl Operator for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if inputs[0].is_empty() || inputs[0].last_dim() != 1 {
            return Err(Fault::Rank {
                expected: "a last axis of size 1 after the other",
                got: inputs[0].clone(),
            });
        }
        Ok(inputs[0].with(inputs[0].len() - 1, self.classes))
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| {
            let (class, row) = index.split_last().unwrap_or((&0, &[]));
            let at = row.iter().zip(shape.iter()).fold(0, |flat, (i, size)| flat * size + i);
            f64::from(inputs[0].data[at] == *class as f64)
        })
    }

    fn emit(&self, emit: &mut Emit, args: &[Src]) -> Option<Src> {
        let column = emit.column();
        Some(emit.bin(Fn2::Eq, column, args[0]))
    }
}

impl Graph {
    /// `labels: [batch, …]` as `[batch, …, classes]` with a 1 at the label. A label outside the classes gives zeros.
    pub fn one_hot(&mut self, labels: Var, classes: usize) -> Built {
        let mut sizes = self.shape(labels).to_vec();
        sizes.push(1);
        let column = self.reshape(labels, sizes)?;
        self.push(Op::OneHot(OneHot { classes }), &[column])
    }
}
