//! The gradient of a convolution with respect to its weights, summed over the batch.
//!
//! Linear in `x` and `dy`: of `dw`, the gradient with respect to `x` is the input gradient with what arrives in the
//! place of w, that with respect to `dy` the convolution with it.

use super::conv::{Conv, Geometry, batch_of, each_product, expect, weights_of};
use super::conv_input::ConvInput;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::Built;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::combine::Join;
use crate::steps::conv::conv_flops;
use crate::steps::conv_partial::ConvPartial;
use crate::steps::{Extent, Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// Inputs: x `[B, H, W, C]`, dy `[B, OH, OW, O]`; result `[KH, KW, C/groups, O]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvWeight(pub Geometry);

impl Operator for ConvWeight {
    fn name(&self) -> &'static str {
        "conv_weight"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let images = inputs[0].first().copied().unwrap_or(0);
        expect("the image", inputs[0], batch_of(images, self.0.input))?;
        expect("the gradient", inputs[1], batch_of(images, self.0.output))?;
        Ok(weights_of(&self.0))
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        conv_flops(&self.0, inputs[0][0])
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, dy, dv) = (at.inputs[0], at.inputs[1], at.dy);
        let dx = at.graph.push(Op::ConvInput(ConvInput(self.0)), &[dy, dv])?;
        let ddy = at.graph.push(Op::Conv(Conv(self.0)), &[x, dv])?;
        at.give(0, dx)?;
        at.give(1, ddy)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.summed()
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        vec![ConvPartial { conv: self.0, x: at.inputs[0], dy: at.inputs[1], out: at.target() }.into()]
    }

    fn join(&self, _x: Extent, _shape: &Shape, _shard_rows: usize) -> Join {
        Join::ConvSums(self.0)
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let mut dw = Tensor::filled(shape, 0.0);
        let images = inputs[0].shape[0];
        each_product(&self.0, images, |x, w, y| dw.data[w] += inputs[0].data[x] * inputs[1].data[y]);
        dw
    }
}
