//! The gradient of a convolution with respect to its input; also the transposed convolution.
//!
//! Linear in `dy` and `w`: of `dx`, the gradient with respect to `dy` is the convolution of what arrives, that with
//! respect to `w` the weight gradient with what arrives in the place of x.

use super::conv::{Conv, Geometry, batch_of, each_product, expect, weights_of};
use super::conv_weight::ConvWeight;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::Built;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::conv::conv_flops;
use crate::steps::conv_input;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::conv::Direction;
use kernels::map::Draw;

/// Inputs: dy `[B, OH, OW, O]`, w `[KH, KW, C/groups, O]`; result `[B, H, W, C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvInput(pub Geometry);

impl Operator for ConvInput {
    fn name(&self) -> &'static str {
        "conv_input"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let images = inputs[0].first().copied().unwrap_or(0);
        expect("the gradient", inputs[0], batch_of(images, self.0.output))?;
        expect("the weight", inputs[1], weights_of(&self.0))?;
        Ok(batch_of(images, self.0.input))
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        conv_flops(&self.0, inputs[0][0])
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (dy, w, dz) = (at.inputs[0], at.inputs[1], at.dy);
        let ddy = at.graph.push(Op::Conv(Conv(self.0)), &[dz, w])?;
        let dw = at.graph.push(Op::ConvWeight(ConvWeight(self.0)), &[dz, dy])?;
        at.give(0, ddy)?;
        at.give(1, dw)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.rows == [true, false])
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [x, w] = [at.inputs[0], at.inputs[1]];
        let images = at.extent(at.shape[0]);
        vec![conv_input::ConvInput { conv: self.0, images, x, w, out: at.out, tail: at.tail }.into()]
    }

    fn prepares(&self) -> Option<(Geometry, Direction)> {
        Some((self.0, Direction::Backward))
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let mut dx = Tensor::filled(shape, 0.0);
        each_product(&self.0, shape[0], |x, w, y| dx.data[x] += inputs[0].data[y] * inputs[1].data[w]);
        dx
    }
}
