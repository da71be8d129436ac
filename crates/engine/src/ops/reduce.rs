//! Sums and maxima along neighboring axes, kept with size 1.

use super::{Op, Operator};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::ops::binary::Fn2;
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::combine::Join;
use crate::steps::fold::FoldMiddle;
use crate::steps::{Extent, Inputs, Kernel, Lowering, Residency};
pub use kernels::map::Fold;
use kernels::map::{Draw, RUN};

/// Folds axes `start..end` into size 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// sum or maximum
    pub fold: Fold,
    /// first axis
    pub start: usize,
    /// one past the last axis
    pub end: usize,
}

impl Reduce {
    /// Elements before, along and after the axes.
    pub(crate) fn extents(&self, shape: &Shape) -> [usize; 3] {
        let product = |s: &[usize]| s.iter().product();
        [product(&shape[..self.start]), product(&shape[self.start..self.end]), product(&shape[self.end..])]
    }
}

impl Operator for Reduce {
    fn name(&self) -> &'static str {
        match self.fold {
            Fold::Sum => "sum",
            Fold::Max => "amax",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        if self.start >= self.end || self.end > inputs[0].len() {
            return Err(Fault::Axis { axis: self.end.max(1) - 1, shape: inputs[0].clone() });
        }
        let mut sizes = inputs[0].to_vec();
        sizes[self.start..self.end].fill(1);
        Ok(sizes.into())
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        inputs[0].numel() as u64
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, y, dy) = (at.inputs[0], at.output, at.dy);
        let g = &mut *at.graph;
        let dx = match self.fold {
            Fold::Sum => g.broadcast_like(dy, x)?,
            Fold::Max => {
                let hits = g.binary(Fn2::Eq, x, y)?;
                let count = g.push(Reduce { fold: Fold::Sum, ..self.clone() }.into(), &[hits])?;
                let share = g.div(dy, count)?;
                g.mul(hits, share)?
            }
        };
        at.give(0, dx)
    }

    fn residency(&self, _at: &Inputs) -> Result<Residency, Fault> {
        if self.start == 0 { Ok(Residency::Common) } else { Ok(Residency::Rows) }
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [_, mid, inner] = self.extents(at.shapes[0]);
        let outer = at.before(self.start);
        vec![FoldMiddle { fold: self.fold, outer, mid, inner, x: at.inputs[0], out: at.out }.into()]
    }

    fn join(&self, x: Extent, shape: &Shape, shard_rows: usize) -> Join {
        let long = x.of(shard_rows) > RUN * shape.numel();
        if self.fold == Fold::Sum && long { Join::Sums } else { Join::Fold(self.fold) }
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let [outer, mid, inner] = self.extents(&inputs[0].shape);
        let start = if self.fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
        let mut y = Tensor::filled(shape, start);
        for o in 0..outer {
            for m in 0..mid {
                for i in 0..inner {
                    let x = inputs[0].data[(o * mid + m) * inner + i];
                    let t = &mut y.data[o * inner + i];
                    *t = if self.fold == Fold::Sum { *t + x } else { t.max(x) };
                }
            }
        }
        y
    }
}

impl Graph {
    fn reduce(&mut self, fold: Fold, x: Var, start: usize, end: usize) -> Built {
        // a sum over the batch is one even for a batch of one: it joins shards
        if start > 0 && self.shape(x).get(start..end).is_some_and(|axes| axes.iter().all(|d| *d == 1)) {
            return Ok(x);
        }
        let op = Reduce { fold, start, end };
        match (self.constant_value(x), op.shape(&[self.shape(x)])) {
            (Some(value), Ok(shape)) => {
                let n = self.shape(x).numel() / shape.numel().max(1);
                self.constant(if fold == Fold::Sum { value * n as f32 } else { value }, shape)
            }
            _ => self.push(Op::Reduce(op), &[x]),
        }
    }

    /// Sum over axes `start..end`, kept with size 1.
    pub fn sum_axes(&mut self, x: Var, start: usize, end: usize) -> Built {
        self.reduce(Fold::Sum, x, start, end)
    }

    /// Largest value over axes `start..end`, kept with size 1. Ties share the gradient, as in PyTorch's `amax`.
    pub fn max_axes(&mut self, x: Var, start: usize, end: usize) -> Built {
        self.reduce(Fold::Max, x, start, end)
    }

    /// Mean over axes `start..end`, kept with size 1.
    pub fn mean_axes(&mut self, x: Var, start: usize, end: usize) -> Built {
        let n: usize = self.shape(x).iter().take(end).skip(start).product();
        let sum = self.sum_axes(x, start, end)?;
        self.scale(sum, 1.0 / n as f32)
    }

    /// Sum of everything, a single number.
    pub fn sum(&mut self, x: Var) -> Built {
        let rank = self.shape(x).len();
        let rows = if rank > 1 { self.sum_axes(x, 1, rank)? } else { x };
        let all = if rank > 0 { self.sum_axes(rows, 0, 1)? } else { rows };
        self.reshape(all, [])
    }

    /// Mean of everything, a single number.
    pub fn mean(&mut self, x: Var) -> Built {
        let n = self.shape(x).numel();
        let sum = self.sum(x)?;
        self.scale(sum, 1.0 / n as f32)
    }

    /// Sums a value over the axes along which `shape` was broadcast.
    pub fn sum_to(&mut self, x: Var, shape: &Shape) -> Built {
        if self.shape(x) == shape {
            return Ok(x);
        }
        let from = self.shape(x).clone();
        let lead = from.len() - shape.len();
        let folded = |axis: usize| axis < lead || (shape[axis - lead] == 1 && from[axis] != 1);
        let mut y = x;
        let mut end = from.len();
        while end > 0 {
            if !folded(end - 1) {
                end -= 1;
                continue;
            }
            let mut start = end - 1;
            while start > 0 && folded(start - 1) {
                start -= 1;
            }
            // everything at once would lie along the batch and along the rows: first the rows, then the batch
            if start == 0 && end == from.len() && end > 1 {
                start = 1;
            }
            y = self.sum_axes(y, start, end)?;
            end = start;
        }
        self.reshape(y, shape.clone())
    }
}
