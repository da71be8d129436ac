//! Batch normalization: `y = (x − m)·r·γ + β` with the batch's mean `m` and `r = 1/√(v + ε)`.
//!
//! With `x̂ = (x − m)·r` and n values a channel: `dβ = Σdy`, `dγ = Σdy·x̂`,
//! `dx = γ·r·(dy − dβ/n + (m − x)·r·dγ/n)`; the last already contains what flows through `m` and `r`.
//!
//! Source: Ioffe and Szegedy, "Batch normalization", ICML 2015. As in PyTorch, ε is 1e-5, batches are normalized by
//! the biased variance, and the running variance, kept for evaluation, is unbiased; momentum 0.1 is the share of the
//! *new* value (Keras: of the old one).

use super::unary::Fn1;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::emit::Emit;
use crate::steps::{Inputs, Residency};
use kernels::map::{Draw, Src};
use kernels::math::Fn2;

/// Inputs: x `[.., C]`, then m, r, γ, β, each `[C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm;

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let expected = Shape::from([inputs[0].last_dim()]);
        for s in &inputs[1..] {
            if **s != expected {
                return Err(Fault::Expected { what: "each statistic", expected, got: (*s).clone() });
            }
        }
        Ok(inputs[0].clone())
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        4 * inputs[0].numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let [x, m, r, gamma, _] = at.inputs[..] else { return Ok(()) };
        let dy = at.dy;
        let g = &mut *at.graph;
        let rows = g.shape(x).len() - 1;
        let n = (g.shape(x).numel() / g.shape(x).last_dim().max(1)) as f32;
        let centered = g.sub(x, m)?;
        let normal = g.mul(centered, r)?;
        let weighted = g.mul(dy, normal)?;
        let channels = g.shape(m).clone();
        let sum = g.sum_axes(dy, 0, rows)?;
        let d_beta = g.reshape(sum, channels.clone())?;
        let sum = g.sum_axes(weighted, 0, rows)?;
        let d_gamma = g.reshape(sum, channels)?;
        let shared = g.scale(d_beta, 1.0 / n)?;
        let slope = g.scale(d_gamma, 1.0 / n)?;
        let slope = g.mul(slope, r)?;
        // from x again: what is centered above would have to be kept until both sums are known
        let turned = g.sub(m, x)?;
        let pull = g.mul(turned, slope)?;
        let rest = g.sub(pull, shared)?;
        let rest = g.add(rest, dy)?;
        let gain = g.mul(gamma, r)?;
        let dx = g.mul(rest, gain)?;
        at.give(0, dx)?;
        at.give(3, d_gamma)?;
        at.give(4, d_beta)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.rows == [true, false, false, false, false])
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let c = shape.last_dim();
        let value = |i: usize| {
            let at = |k: usize| inputs[k].data[i % c];
            (inputs[0].data[i] - at(1)) * at(2) * at(3) + at(4)
        };
        Tensor { shape: shape.clone(), data: (0..shape.numel()).map(value).collect() }
    }

    fn emit(&self, emit: &mut Emit, args: &[Src]) -> Option<Src> {
        let centered = emit.bin(Fn2::Sub, args[0], args[1]);
        let normal = emit.bin(Fn2::Mul, centered, args[2]);
        let scaled = emit.bin(Fn2::Mul, normal, args[3]);
        Some(emit.bin(Fn2::Add, scaled, args[4]))
    }
}

/// What batch norm gives back: the result, and the statistics that it used.
#[derive(Clone, Copy, Debug)]
pub struct Normalized {
    /// `[.., C]`
    pub y: Var,
    /// mean of the batch, `[C]`
    pub mean: Var,
    /// biased variance of the batch, `[C]`
    pub variance: Var,
}

impl Graph {
    /// Normalizes every channel (the last axis) over all other axes of the batch.
    pub fn batch_norm(&mut self, x: Var, gamma: Var, beta: Var, epsilon: f32) -> Built<Normalized> {
        let (mean, variance) = self.moments(x)?;
        let r = self.inverse_deviation(variance, epsilon)?;
        let y = self.push(Op::BatchNorm(BatchNorm), &[x, mean, r, gamma, beta])?;
        Ok(Normalized { y, mean, variance })
    }

    /// Normalizes with given statistics, as in evaluation: one multiplication and one addition.
    pub fn batch_norm_fixed(
        &mut self,
        x: Var,
        stats: [Var; 2],
        gamma: Var,
        beta: Var,
        epsilon: f32,
    ) -> Built {
        let r = self.inverse_deviation(stats[1], epsilon)?;
        let scale = self.mul(gamma, r)?;
        let offset = self.mul(stats[0], scale)?;
        let shift = self.sub(beta, offset)?;
        let scaled = self.mul(x, scale)?;
        self.add(scaled, shift)
    }

    fn inverse_deviation(&mut self, variance: Var, epsilon: f32) -> Built {
        let shifted = self.shift(variance, epsilon)?;
        let root = self.unary(Fn1::Sqrt, shifted)?;
        self.unary(Fn1::Recip, root)
    }
}
