//! The state of a run: exactly what a checkpoint holds, and all that the next step depends on besides the config.

use std::borrow::Cow;

use engine::StateVec;
use record::Figures;
use serde::{Deserialize, Deserializer, Serialize};
#[cfg(feature = "runs")]
use sha2::{Digest, Sha256};

use crate::optim::Updater;

/// Sums over the epoch that is going on, for its row of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// of loss times what the samples count
    pub loss: f64,
    /// of what samples count, where they have weights; else they count 1
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// of samples
    pub samples: u64,
    /// of samples whose class came first
    pub correct: u64,
}

impl Sums {
    /// The mean loss; NaN where no sample counts.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.weight.unwrap_or(self.samples as f64)
    }
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// value of the deciding metric; NaN, which a file has as `null`, where that was not measured
    #[serde(deserialize_with = "number_or_null")]
    pub value: f64,
    /// all figures of that epoch
    pub figures: Figures,
}

/// What changes from step to step besides weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// updates done
    pub step: u64,
    /// sums over the current epoch
    pub sums: Sums,
    /// the best epoch
    pub best: Option<Best>,
    /// figures of the last row
    pub last: Option<Figures>,
    /// seconds of training over all resumptions
    pub seconds: f64,
    /// training samples seen
    pub samples: u64,
}

fn number_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(from).map(|number| number.unwrap_or(f64::NAN))
}

/// A hundred years, which no clock overflows.
const MOST_SECONDS: f64 = 3.2e9;
/// Counts up to here are exact in every format, and no run adds enough to them to overflow.
const MOST: u64 = 1 << 53;

impl Counters {
    /// What cannot be, in words.
    pub(super) fn problem(&self) -> Option<String> {
        let Counters { step, sums, samples, seconds, .. } = self;
        if !(0.0..=MOST_SECONDS).contains(seconds) {
            return Some(format!("`seconds` is {seconds}, expected 0 to {MOST_SECONDS}"));
        }
        let counts = [
            ("step", *step),
            ("samples", *samples),
            ("sums.samples", sums.samples),
            ("sums.correct", sums.correct),
        ];
        let (name, count) = counts.into_iter().find(|(_, count)| *count > MOST)?;
        Some(format!("`{name}` is {count}, expected at most {MOST}"))
    }
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// flat parameters θ
    pub params: Vec<f32>,
    /// flat buffers: the model's, then the loss's
    pub buffers: Vec<f32>,
    /// what the optimizer keeps, averages of weights too; the names are those of [`Updater::states`]
    pub slots: Vec<StateVec>,
    /// the rest
    pub counters: Counters,
}

impl State {
    /// Parameters that are measured and kept: the averaged ones, where there are any.
    pub(super) fn evaluated(&self, updater: &Updater) -> Cow<'_, [f32]> {
        let averaged = updater.averaged(&self.params, &self.slots, self.counters.step);
        averaged.map_or(Cow::Borrowed(&self.params), Cow::Owned)
    }
}

/// SHA-256 of the parameters' bytes (little-endian, in the order of the layout) and then of the model's buffers'.
#[cfg(feature = "runs")]
pub fn weights_sha256(params: &[f32], buffers: &[f32]) -> String {
    sha256(&[params, buffers])
}

/// SHA-256 of the bytes of vectors, little-endian, one after the other.
#[cfg(feature = "runs")]
pub(super) fn sha256(vectors: &[&[f32]]) -> String {
    let mut hash = Sha256::new();
    let mut bytes = Vec::with_capacity(4 * 4096);
    for chunk in vectors.iter().flat_map(|v| v.chunks(4096)) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|x| x.to_le_bytes()));
        hash.update(&bytes);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
