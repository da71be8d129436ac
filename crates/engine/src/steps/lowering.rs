//! What an operator sees of the compiler when it becomes a step: where its inputs and its result lie.

use super::Kernel;
use super::copy::Copy;
use super::span::{Extent, Partial, Residency, Span, Tail, Target};
use crate::error::Fault;
use crate::shape::Shape;

/// What decides to which rows a result belongs.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// for each input, whether it belongs to rows of the batch
    pub rows: &'a [bool],
    /// shapes of the inputs
    pub shapes: &'a [&'a Shape],
    /// shape of the result
    pub shape: &'a Shape,
    /// rows of the batch
    pub batch: usize,
}

impl Inputs<'_> {
    /// Rows where `whole` holds; else the operation would cut or move the batch axis.
    pub(crate) fn rows_if(&self, whole: bool) -> Result<Residency, Fault> {
        if whole { Ok(Residency::Rows) } else { Err(Fault::BatchAxis) }
    }

    /// Whether every input has rows: beside those of the batch, a value that is the same for all workers is cut like
    /// them, and each reads the part of its own.
    pub(crate) fn cut(&self) -> bool {
        self.shapes.iter().zip(self.rows).all(|(shape, rows)| *rows || self.spans_batch(shape))
    }

    /// Whether the first axis is the batch, or several for each row of it.
    pub(crate) fn spans_batch(&self, shape: &Shape) -> bool {
        shape.first().is_some_and(|n| if self.batch == 0 { *n == 0 } else { n % self.batch == 0 })
    }

    /// Rows where every input that has them has as many as the result.
    pub(crate) fn own_rows(&self) -> Result<Residency, Fault> {
        let own = |s: &Shape| s.len() == self.shape.len() && s.first() == self.shape.first();
        self.rows_if(self.shapes.iter().zip(self.rows).all(|(s, rows)| !rows || own(s)))
    }

    /// A sum over the batch.
    pub(crate) fn summed(&self) -> Result<Residency, Fault> {
        if self.cut() { Ok(Residency::Common) } else { Err(Fault::BatchAxis) }
    }
}

/// One operator on its way to a step.
#[derive(Debug)]
pub struct Lowering<'a> {
    /// the inputs
    pub inputs: Vec<Span>,
    /// shapes of the inputs
    pub shapes: Vec<&'a Shape>,
    /// shape of the result
    pub shape: &'a Shape,
    /// where the result goes, behind what the product has taken in
    pub out: Span,
    /// whether the result belongs to rows of the batch
    pub rows: bool,
    /// rows of the batch
    pub batch: usize,
    /// per-shard results, where the operator sums over the batch
    pub partial: Option<Partial>,
    /// what follows a product
    pub tail: Tail,
}

impl Lowering<'_> {
    /// `n` elements of the whole result, in its unit.
    pub(crate) fn extent(&self, n: usize) -> Extent {
        if self.rows { Extent::PerRow(n / self.batch.max(1)) } else { Extent::Fixed(n) }
    }

    /// Elements before an axis of the result, in its unit.
    pub(crate) fn before(&self, axis: usize) -> Extent {
        self.extent(self.shape[..axis].iter().product())
    }

    /// Channels of the first input.
    pub(crate) fn channels(&self) -> usize {
        self.shapes[0].last_dim()
    }

    /// Elements of one step along each axis of the first input.
    pub(crate) fn strides(&self) -> Vec<usize> {
        (0..self.shapes[0].len()).map(|a| self.shapes[0].stride(a)).collect()
    }

    /// A copy of the first input with strides of its own for the result's axes.
    pub(crate) fn copy(&self, strides: Vec<usize>, start: usize) -> Vec<Kernel> {
        let mut sizes = self.shape.to_vec();
        if self.rows {
            sizes[0] /= self.batch.max(1);
        }
        let (x, out) = (self.inputs[0], self.out);
        vec![Copy { sizes, batched: self.rows, strides, start, x, out }.into()]
    }

    /// Where a reduction goes: to the shards, or into memory where there are no rows.
    pub(crate) fn target(&self) -> Target {
        self.partial.map_or(Target::Whole(self.out), Target::Shards)
    }
}
