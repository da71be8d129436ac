//! Rows of a table, chosen by index: an embedding.

use super::scatter::Scatter;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::gather;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// `y[i…] = table[index[i…]]`; indices are whole numbers kept as f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather;

impl Operator for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if inputs[0].len() != 2 {
            return Err(Fault::Rank { expected: "2", got: inputs[0].clone() });
        }
        let mut sizes = inputs[1].to_vec();
        sizes.push(inputs[0][1]);
        Ok(sizes.into())
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let rows = at.graph.shape(at.inputs[0])[0];
        let table = at.graph.push(Op::Scatter(Scatter { rows }), &[at.inputs[1], at.dy])?;
        at.give(0, table)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.rows == [false, true])
    }

    /// The table.
    fn reads_whole(&self, input: usize, _from: &Shape, _to: &Shape) -> bool {
        input == 0
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let (rows, width) = (at.shapes[0][0], at.shapes[0][1]);
        let [table, index] = [at.inputs[0], at.inputs[1]];
        vec![gather::Gather { rows, width, table, index, out: at.out }.into()]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let width = inputs[0].shape[1];
        let row = |i: &f64| &inputs[0].data[*i as usize * width..][..width];
        Tensor { shape: shape.clone(), data: inputs[1].data.iter().flat_map(row).copied().collect() }
    }
}

impl Graph {
    /// Rows of `table: [n, d]` at `index: [batch, …]`, giving `[batch, …, d]`. An index outside the table gives NaN.
    pub fn gather(&mut self, table: Var, index: Var) -> Built {
        self.push(Op::Gather(Gather), &[table, index])
    }
}
