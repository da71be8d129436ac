//! Adding rows into a table: the gradient of [`super::gather`].

use super::gather::Gather;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::Built;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::scatter;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// `table[index[i…]] += dy[i…]`, from zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// rows of the table
    pub rows: usize,
}

impl Operator for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if inputs[1].len() != inputs[0].len() + 1 || !inputs[1].starts_with(inputs[0]) {
            return Err(Fault::Broadcast { a: inputs[0].clone(), b: inputs[1].clone() });
        }
        Ok([self.rows, inputs[1].last_dim()].into())
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        inputs[1].numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let rows = at.graph.push(Op::Gather(Gather), &[at.dy, at.inputs[0]])?;
        at.give(1, rows)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.summed()
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [index, x] = [at.inputs[0], at.inputs[1]];
        vec![scatter::Scatter { rows: self.rows, width: at.shape[1], index, x, out: at.target() }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let width = shape[1];
        let mut table = Tensor::filled(shape, 0.0);
        for (i, row) in inputs[0].data.iter().enumerate() {
            for c in 0..width {
                table.data[*row as usize * width + c] += inputs[1].data[i * width + c];
            }
        }
        table
    }
}
