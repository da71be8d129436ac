//! Mean and biased variance of every channel over all other axes, across the whole batch.
//!
//! Each shard makes its own mean and sum of squared deviations in two passes; shards are joined by the formula of
//! Chan, Golub and LeVeque (1983), so there is no cancellation and one meeting of the workers.
//!
//! With `m = Σx/n` and `v = Σ(x−m)²/n`: `dx = dm/n + dv·2(x−m)/n`.

use super::slice::Slice;
use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::combine::Join;
use crate::steps::moments::{self, moments_flops};
use crate::steps::{Extent, Inputs, Kernel, Lowering, Residency};
use kernels::map::Draw;

/// Values of a channel in one row of the batch from which statistics are made row by row; below, shard by shard.
const MOMENT_ROWS: usize = 32;

/// Values of each channel in one row of the batch.
fn values_per_row(x: Extent, shape: &Shape) -> usize {
    x.count() / shape.last_dim().max(1)
}

/// `[.., C] → [2, C]`: means, then variances.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments;

impl Operator for Moments {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if inputs[0].len() < 2 {
            return Err(Fault::Rank { expected: "at least 2", got: inputs[0].clone() });
        }
        Ok([2, inputs[0].last_dim()].into())
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        moments_flops(inputs[0].numel() as u64)
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, y, dy) = (at.inputs[0], at.output, at.dy);
        let g = &mut *at.graph;
        let channels = g.shape(x).last_dim();
        let n = (g.shape(x).numel() / channels.max(1)) as f32;
        let (mean, _) = g.split_moments(y)?;
        let (dm, dv) = g.split_moments(dy)?;
        let centered = g.sub(x, mean)?;
        let dv = g.scale(dv, 2.0 / n)?;
        let dm = g.scale(dm, 1.0 / n)?;
        let spread = g.mul(centered, dv)?;
        let dx = g.add(spread, dm)?;
        at.give(0, dx)
    }

    fn residency(&self, _at: &Inputs) -> Result<Residency, Fault> {
        Ok(Residency::Common)
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let (x, channels) = (at.inputs[0], at.channels());
        let rows = values_per_row(x.len, at.shapes[0]);
        let whole_shards = self.takes_whole_shards(x.len, at.shapes[0]);
        vec![moments::Moments { rows, channels, whole_shards, x, out: at.target() }.into()]
    }

    fn join(&self, x: Extent, shape: &Shape, _shard_rows: usize) -> Join {
        Join::Moments(x.count() / shape[1].max(1))
    }

    fn takes_whole_shards(&self, x: Extent, x_shape: &Shape) -> bool {
        values_per_row(x, x_shape) < MOMENT_ROWS
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let c = shape[1];
        let rows = || inputs[0].data.chunks_exact(c.max(1));
        let n = rows().len() as f64;
        let mut y = Tensor::filled(shape, 0.0);
        for j in 0..c {
            let mean = rows().map(|r| r[j]).sum::<f64>() / n;
            y.data[j] = mean;
            y.data[c + j] = rows().map(|r| (r[j] - mean) * (r[j] - mean)).sum::<f64>() / n;
        }
        y
    }
}

impl Graph {
    /// Mean and biased variance of every channel, each `[C]`.
    pub fn moments(&mut self, x: Var) -> Built<(Var, Var)> {
        let both = self.batch_moments(x)?;
        self.split_moments(both)
    }

    /// The same in one value, `[2, C]`: means, then variances.
    pub fn batch_moments(&mut self, x: Var) -> Built {
        self.push(Op::Moments(Moments), &[x])
    }

    fn split_moments(&mut self, both: Var) -> Built<(Var, Var)> {
        let channels = self.shape(both)[1];
        let mut row = |start| {
            let r = self.push(Op::Slice(Slice { axis: 0, start, len: 1 }), &[both])?;
            self.reshape(r, [channels])
        };
        Ok((row(0)?, row(1)?))
    }
}
