//! How a run goes, and the sizes and numbers of batches that follow.

use super::choice::Split;
use super::evaluate::Measuring;
use crate::config::RunConfig;
use crate::schedule::RunLength;

/// How a run goes, besides what it learns.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub batch: usize,
    pub eval_batch: usize,
    pub epochs: Option<u64>,
    pub steps: Option<u64>,
    pub shuffle: bool,
    pub seed: u64,
    pub shards: usize,
    pub threads: usize,
    /// batches of one update
    pub accumulate: usize,
    pub top_k: Vec<usize>,
}

impl Settings {
    pub fn of(config: &RunConfig) -> Self {
        Settings {
            batch: config.batch,
            eval_batch: config.eval_batch,
            epochs: config.epochs,
            steps: config.steps,
            shuffle: config.shuffle,
            seed: config.seed,
            shards: config.shards,
            threads: config.n_threads(),
            accumulate: config.accumulate,
            top_k: config.top_k.clone(),
        }
    }

    /// How a part is measured.
    pub fn measuring(&self, part: Split, keep: bool) -> Measuring<'_> {
        Measuring { part, batch: self.eval_batch, top_k: &self.top_k, keep }
    }
}

/// Steps of a run on that many samples, and of an epoch.
pub(super) fn run_length(settings: &Settings, n_train: usize) -> RunLength {
    let per_step = settings.batch.saturating_mul(settings.accumulate);
    let steps_per_epoch = (n_train.div_ceil(per_step)).max(1) as u64;
    let by_epochs = settings.epochs.map(|e| e.saturating_mul(steps_per_epoch));
    let n_steps = by_epochs.into_iter().chain(settings.steps).min().unwrap_or(0);
    RunLength { steps_per_epoch, n_steps }
}

/// Sizes of the batches that the run trains on: the whole one, then the last one of an epoch where it is shorter.
pub(super) fn train_batches(settings: &Settings, n_train: usize, length: RunLength) -> Vec<usize> {
    let mut sizes = cut(n_train, settings.batch);
    if length.n_steps < length.steps_per_epoch {
        sizes.truncate(1);
    }
    if length.n_steps == 0 { Vec::new() } else { sizes }
}

/// Sizes of the batches into which samples are cut.
pub(super) fn cut(n: usize, batch: usize) -> Vec<usize> {
    let batch = batch.clamp(1, n.max(1));
    [if n > 0 { batch } else { 0 }, n % batch].into_iter().filter(|size| *size > 0).collect()
}
