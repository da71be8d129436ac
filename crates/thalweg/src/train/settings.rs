//! How a run goes, and the sizes and numbers of batches that follow.

use super::choice::Split;
use super::evaluate::Measuring;
use crate::config::{BATCH, EPOCHS, RunConfig};
use crate::data::{self, Blocks, Dataset, Shuffle};
use crate::schedule::RunLength;

/// Updates that a table is trained for, where nobody says for how long.
const UPDATES: u64 = 2000;
/// The most epochs that those may take.
const MOST_EPOCHS: u64 = 400;

/// How a run goes, besides what it learns.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub batch: usize,
    pub eval_batch: usize,
    pub epochs: Option<u64>,
    pub steps: Option<u64>,
    pub shuffle: bool,
    /// in which the order mixes samples; none where it is by rows
    pub blocks: Option<Blocks>,
    /// bytes that the process may take
    pub memory: Option<usize>,
    pub seed: u64,
    pub shards: usize,
    pub threads: usize,
    /// batches of one update
    pub accumulate: usize,
    pub top_k: Vec<usize>,
}

impl Settings {
    /// Those of a config; a batch that it does not set is the usual one.
    pub fn of(config: &RunConfig) -> Self {
        Settings {
            batch: config.batch.unwrap_or(BATCH),
            eval_batch: config.eval_batch,
            epochs: config.epochs,
            steps: config.steps,
            shuffle: config.shuffle,
            blocks: None,
            memory: None,
            seed: config.seed,
            shards: config.shards,
            threads: config.n_threads(),
            accumulate: config.accumulate,
            top_k: config.top_k.clone(),
        }
    }

    /// Those of a config on its training samples: what it leaves open is chosen, with the line that says so of a table,
    /// or of a batch that is not the usual one.
    pub fn chosen(config: &RunConfig, on: Given) -> (Self, Option<String>) {
        let mut settings = Settings::of(config);
        let of_model = config.model.length(on.n_train);
        if config.batch.is_none() {
            settings.batch = fitting_batch(of_model.map_or(BATCH, |length| length.batch), on);
        }
        let epochs = config.epochs.is_none() && config.steps.is_none();
        if epochs {
            let updates = run_length(&settings, on.n_train).steps_per_epoch;
            let of_table = UPDATES.div_ceil(updates).clamp(EPOCHS, MOST_EPOCHS);
            let of_data = if on.are_table { of_table } else { EPOCHS };
            settings.epochs = Some(of_model.map_or(of_data, |length| length.epochs));
        }
        let told_epochs = epochs && (on.are_table || of_model.is_some());
        let told_batch = config.batch.is_none() && (told_epochs || settings.batch != BATCH);
        let epochs = told_epochs.then(|| ("epochs", settings.epochs.unwrap_or(EPOCHS)));
        let batch = told_batch.then_some(("batch", settings.batch as u64));
        let counts = epochs.into_iter().chain(batch).map(|(key, count)| (key, count as f64));
        let decay = on.decay.map(|decay| ("optimizer.weight_decay", decay));
        (settings, said(&counts.chain(decay).collect::<Vec<_>>(), on.n_train))
    }

    /// How a part is measured.
    pub fn measuring(&self, part: Split, keep: bool) -> Measuring<'_> {
        Measuring { part, batch: self.eval_batch, top_k: &self.top_k, keep }
    }
}

/// The blocks in which the order of a config mixes its samples: those that are streamed, or where they are asked for.
/// Whether samples are streamed or held in memory makes no difference.
pub(super) fn blocks(config: &RunConfig, set: &Dataset) -> Option<Blocks> {
    let streamed = set.streamed().is_some();
    let by_blocks = config.data.shuffle.map_or(streamed, |told| told == Shuffle::Blocks);
    let memory = config.data.memory.map_or(data::STREAMED_MEMORY, |memory| memory.0);
    by_blocks.then(|| Blocks::of(set.record(), memory))
}

/// What the choice of batch and epochs depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// training samples
    pub n_train: usize,
    /// whether they are the rows of a table
    pub are_table: bool,
    /// whether the model takes statistics over a batch, which one sample does not have
    pub are_normed: bool,
    /// the weight decay that was chosen for them
    pub decay: Option<f64>,
}

/// The largest batch up to `most` that the samples fill and that leaves no last batch of 1 to a model that cannot learn
/// from one.
pub(super) fn fitting_batch(most: usize, on: Given) -> usize {
    let mut batch = most.min(on.n_train).max(1);
    while on.are_normed && batch > 2 && on.n_train % batch == 1 {
        batch -= 1;
    }
    batch
}

/// `epochs=80, batch=64, chosen from 1,437 training samples; set `epochs`, `batch``
fn said(chosen: &[(&str, f64)], n_train: usize) -> Option<String> {
    let join = |f: &dyn Fn(&(&str, f64)) -> String| chosen.iter().map(f).collect::<Vec<_>>().join(", ");
    let values = join(&|(key, value)| format!("{key}={value}"));
    let keys = join(&|(key, _)| format!("`{key}`"));
    let n = with_commas(n_train);
    let text = format!("{values}, chosen because there are {n} training samples; set {keys} to change this");
    (!chosen.is_empty()).then_some(text)
}

/// A count with its thousands apart.
pub(crate) fn with_commas(n: usize) -> String {
    let digits = n.to_string();
    let comma = |i: usize| i > 0 && (digits.len() - i).is_multiple_of(3);
    digits.chars().enumerate().fold(String::new(), |mut out, (i, digit)| {
        if comma(i) {
            out.push(',');
        }
        out.push(digit);
        out
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_follows_from_the_samples() {
        let on = |n_train, are_table, are_normed| Given { n_train, are_table, are_normed, decay: None };
        let chosen = |config: &RunConfig, on| {
            let (settings, said) = Settings::chosen(config, on);
            (settings.batch, settings.epochs, said)
        };
        let open = RunConfig::default();
        let text = "epochs=87, batch=64, chosen because there are 1,437 training samples; set `epochs`, `batch` to change this";
        assert_eq!(chosen(&open, on(1437, true, false)), (64, Some(87), Some(text.into())));
        assert_eq!(chosen(&open, on(1437, false, true)), (64, Some(20), None));
        for (n, batch, epochs) in
            [(96, 64, 400), (640, 64, 200), (30, 30, 400), (1_000_000, 64, 20), (1, 1, 400)]
        {
            let (got, n_epochs, said) = chosen(&open, on(n, true, false));
            assert_eq!((got, n_epochs), (batch, Some(epochs)), "{n}");
            assert!(said.is_some());
        }
        // of data that are no table only a batch that is not the usual one is said
        let (batch, epochs, said) = chosen(&open, on(30, false, false));
        let text = "batch=30, chosen because there are 30 training samples; set `batch` to change this";
        assert_eq!((batch, epochs, said.as_deref()), (30, Some(20), Some(text)));
        let steps = RunConfig { steps: Some(5), ..RunConfig::default() };
        assert_eq!(chosen(&steps, on(1437, true, false)), (64, None, None));
        let both = RunConfig { epochs: Some(3), batch: Some(7), ..RunConfig::default() };
        assert_eq!(chosen(&both, on(1437, true, true)), (7, Some(3), None));
        let two = RunConfig { accumulate: 4, ..RunConfig::default() };
        assert_eq!(chosen(&two, on(1437, true, false)).1, Some(334));
    }

    #[test]
    fn no_last_batch_of_one_where_statistics_are_taken() {
        let batch = |n_train, are_normed| {
            fitting_batch(64, Given { n_train, are_table: true, are_normed, decay: None })
        };
        assert_eq!((batch(65, true), batch(65, false), batch(66, true)), (63, 64, 64));
        // 4,033 = 63 * 64 + 1, so 63 leaves one as well
        assert_eq!((batch(4033, true), 4033 % 62), (62, 3));
        assert_eq!((batch(3, true), batch(1, true)), (3, 1));
    }
}
