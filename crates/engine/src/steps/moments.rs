//! Mean and variance of every channel.

use super::{Memory, Run, Span, StepKernel, Target};
use kernels::channels;

/// Made row by row of the batch, or of a shard as a whole
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// values of each channel in one row of the batch
    pub rows: usize,
    /// channels
    pub channels: usize,
    /// whether a shard is one block, since a row of the batch alone has too few values
    pub whole_shards: bool,
    /// the values
    pub x: Span,
    /// means and variances, or means and squared deviations for each shard
    pub out: Target,
}

impl StepKernel for Moments {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        self.out.whole().into_iter().collect()
    }

    fn describe(&self) -> String {
        format!("moments of {} channels", self.channels)
    }

    fn flops(&self, batch: usize) -> u64 {
        moments_flops(self.x.elements(batch))
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        self.channels
    }

    fn run(&self, at: &Run, memory: Memory) {
        let n = self.channels;
        match self.out {
            Target::Whole(out) => {
                let ([x], out) = at.io([self.x], out, memory.arena);
                channels::moments(x, n, self.rows, 0, out);
                out[n..].iter_mut().for_each(|s| *s /= self.rows as f32);
            }
            Target::Shards(out) => {
                let x = at.read(self.x, memory.arena);
                at.each_shard(out, self.rows * at.rows(), memory.partial, |part, rows| {
                    let block = if self.whole_shards { rows.len().max(1) } else { self.rows };
                    let seen = at.seen() * self.rows;
                    channels::moments(&x[rows.start * n..rows.end * n], n, block, seen, part);
                });
            }
        }
    }
}

/// Operations of mean and variance of this many elements: a sum, and a difference, its square and their sum.
pub(crate) fn moments_flops(elements: u64) -> u64 {
    elements.saturating_mul(4)
}
