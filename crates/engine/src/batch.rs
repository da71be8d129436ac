//! How a batch is cut: into shards, which define the bits of a result, and into workers, which do not.

use std::ops::Range;

/// Bytes of values and weights that a chunk of rows may touch: what stays in a second-level cache of 1 MiB.
pub const CACHE_BYTES: usize = 576 * 1024;

/// What a plan is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// rows of the batch
    pub batch: usize,
    /// parts of the batch that reductions over it are made of; with the batch it defines the bits of the result
    pub shards: usize,
    /// workers, each with a run of neighboring shards; does not change the result
    pub workers: usize,
    /// whether operators are fused
    pub fuse: bool,
    /// bytes of values and weights that a chunk of rows may touch; does not change the result
    pub cache_bytes: usize,
}

impl PlanOptions {
    /// With fusion, and chunks for [`CACHE_BYTES`].
    pub fn new(batch: usize, shards: usize, workers: usize) -> Self {
        PlanOptions { batch, shards, workers, fuse: true, cache_bytes: CACHE_BYTES }
    }

    /// The rows of shard `s`.
    pub fn shard_rows(&self, s: usize) -> Range<usize> {
        self.batch * s / self.shards..self.batch * (s + 1) / self.shards
    }

    /// The shards of worker `w`.
    pub fn worker_shards(&self, w: usize) -> Range<usize> {
        self.shards * w / self.workers..self.shards * (w + 1) / self.workers
    }

    /// The rows of worker `w`.
    pub fn worker_rows(&self, w: usize) -> Range<usize> {
        let shards = self.worker_shards(w);
        self.batch * shards.start / self.shards..self.batch * shards.end / self.shards
    }

    /// Rows of the worker that has most of them.
    pub(crate) fn most_worker_rows(&self) -> usize {
        (0..self.workers).map(|w| self.worker_rows(w).len()).max().unwrap_or(0)
    }

    /// Rows of the longest shard.
    pub(crate) fn most_shard_rows(&self) -> usize {
        (0..self.shards).map(|s| self.shard_rows(s).len()).max().unwrap_or(0)
    }
}
