//! Mean and squared deviations of every channel, shard by shard.

use super::{Memory, Partial, Run, Span, StepKernel};
use kernels::channels;

/// Per shard, row by row of the batch or the shard as a whole
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
    /// means and squared deviations for each shard
    pub out: Partial,
}

impl StepKernel for Moments {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![]
    }

    fn describe(&self) -> String {
        format!("moments of {} channels", self.channels)
    }

    fn flops(&self, batch: usize) -> usize {
        4 * self.x.elements(batch) as usize
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        self.channels
    }

    fn run(&self, at: &Run, memory: Memory) {
        let (x, n) = (at.read(self.x, memory.arena), self.channels);
        at.each_shard(self.out, self.rows * at.rows(), memory.partial, |part, rows| {
            let block = if self.whole_shards { rows.len().max(1) } else { self.rows };
            channels::moments(&x[rows.start * n..rows.end * n], n, block, at.seen() * self.rows, part);
        });
    }
}
