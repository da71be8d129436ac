//! A separable linear map of images.

use super::max_pick::image;
use super::{Memory, Run, Span, StepKernel};
use kernels::resample::{Taps, resample, scratch_len};

/// `out[i, j] = Σ rows[i, h]·columns[j, w]·x[h, w]`, each channel by itself
#[derive(Clone, Debug, PartialEq)]
pub struct Resample {
    /// along the height
    pub rows: Taps,
    /// along the width
    pub columns: Taps,
    /// channels
    pub channels: usize,
    /// the images
    pub x: Span,
    /// the result
    pub out: Span,
}

impl StepKernel for Resample {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        let from = image([self.rows.input(), self.columns.input()], self.channels);
        let to = image([self.rows.output(), self.columns.output()], self.channels);
        format!("resample {from} to {to}")
    }

    fn flops(&self, batch: usize) -> u64 {
        resample_flops(self.x.elements(batch), self.out.elements(batch))
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        scratch_len(&self.columns, self.channels)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x], out) = at.io([self.x], self.out, memory.arena);
        resample(&self.rows, &self.columns, self.channels, x, out, &mut memory.scratch.floats);
    }
}

/// Operations of resampling: a multiplication and an addition for each element of the larger image.
pub(crate) fn resample_flops(from: u64, to: u64) -> u64 {
    from.max(to).saturating_mul(2)
}
