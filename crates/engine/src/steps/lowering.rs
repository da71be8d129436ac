//! What an operator sees of the compiler when it becomes a step: where its inputs and its result lie.

use super::Kernel;
use super::copy::Copy;
use super::span::{Extent, Partial, Residency, Span, Tail};
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

    /// A sum over the batch, where both inputs belong to its rows.
    pub(crate) fn summed(&self) -> Result<Residency, Fault> {
        if self.rows == [true, true] { Ok(Residency::Common) } else { Err(Fault::BatchAxis) }
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

    /// Where per-shard results go.
    pub(crate) fn shards(&self) -> Partial {
        self.partial.unwrap_or_else(|| unreachable!("what sums over the batch has per-shard results"))
    }
}
