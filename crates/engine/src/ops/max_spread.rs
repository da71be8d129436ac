//! The gradient of max pooling: every element goes to the pixel that was its window's maximum.

use super::Operator;
use super::max_pool::{MaxPick, Window, argmax, check_image, pooled};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::Built;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::max_spread;
use crate::steps::{Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// Inputs: x `[B, H, W, C]`, which chooses, and dy `[B, OH, OW, C]`; the result is shaped like x. Where windows
/// overlap, contributions add up in the windows' order.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxSpread {
    /// how the windows lie
    pub window: Window,
}

impl Operator for MaxSpread {
    fn name(&self) -> &'static str {
        "max_spread"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        check_image(&self.window, inputs[0])?;
        let expected = pooled(&self.window, inputs[0]);
        if *inputs[1] != expected {
            return Err(Fault::Expected { what: "the gradient", expected, got: inputs[1].clone() });
        }
        Ok(inputs[0].clone())
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        inputs[0].numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let x = at.inputs[0];
        let dy = at.graph.in_rows(at.dy, x)?;
        let picked = at.graph.push(MaxPick { window: self.window }.into(), &[x, dy])?;
        at.give(1, picked)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.cut())
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [x, dy] = [at.inputs[0], at.inputs[1]];
        vec![
            max_spread::MaxSpread { window: self.window, channels: at.channels(), x, dy, out: at.out }.into(),
        ]
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let (x, dy) = (inputs[0], inputs[1]);
        let mut dv = Tensor::filled(shape, 0.0);
        let [oh, ow] = self.window.output;
        for b in 0..shape[0] {
            for o in 0..oh * ow {
                for c in 0..shape[3] {
                    let output = [b, o / ow, o % ow, c];
                    let at = argmax(&self.window, x, &output)
                        .iter()
                        .zip(shape.iter())
                        .fold(0, |f, (i, n)| f * n + i);
                    dv.data[at] += dy.at(&output);
                }
            }
        }
        dv
    }
}
