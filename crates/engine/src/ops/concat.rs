//! Joining tensors along an axis.

use super::{Op, Operator, axis_of};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::place::Place;
use crate::steps::{Inputs, Kernel, Lowering, Residency, Span};
use kernels::map::Draw;

/// The inputs one after the other along an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Concat {
    /// the axis
    pub axis: usize,
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        axis_of(self.axis, inputs[0])?;
        let mut total = 0;
        for s in inputs {
            if s.len() != inputs[0].len() || s.with(self.axis, 0) != inputs[0].with(self.axis, 0) {
                return Err(Fault::Concat { a: inputs[0].clone(), b: (*s).clone(), axis: self.axis });
            }
            total += s[self.axis];
        }
        Ok(inputs[0].with(self.axis, total))
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let mut start = 0;
        for i in 0..at.inputs.len() {
            let len = at.graph.shape(at.inputs[i])[self.axis];
            let dx = at.graph.slice(at.dy, self.axis, start, len)?;
            at.give(i, dx)?;
            start += len;
        }
        Ok(())
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(self.axis > 0 && at.cut())
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let out_stride = at.shape[self.axis..].iter().product();
        let mut start = 0;
        let place = |(x, shape): (&Span, &&Shape)| {
            let inner = shape[self.axis..].iter().product();
            start += inner;
            let (outer, out_start) = (at.before(self.axis), start - inner);
            Place { outer, inner, out_stride, out_start, zero: false, x: *x, out: at.out }.into()
        };
        at.inputs.iter().zip(&at.shapes).map(place).collect()
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        Tensor::from_fn(shape, |index| {
            let mut index = index.to_vec();
            for x in inputs {
                if index[self.axis] < x.shape[self.axis] {
                    return x.at(&index);
                }
                index[self.axis] -= x.shape[self.axis];
            }
            f64::NAN
        })
    }
}

impl Graph {
    /// Joins tensors along `axis` (not the batch axis).
    pub fn concat(&mut self, xs: &[Var], axis: usize) -> Built {
        match xs {
            [] => Err(self.error(
                "concat",
                Fault::Rank { expected: "at least one tensor with", got: Shape::default() },
            )),
            [x] => Ok(*x),
            _ => self.push(Op::Concat(Concat { axis }), xs),
        }
    }
}
