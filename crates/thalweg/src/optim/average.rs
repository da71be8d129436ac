//! Averages of weights over the updates of a run, kept beside the weights that are trained.

use serde::{Deserialize, Deserializer, Serialize};
use settings::{Entry, OutOfRange, Range, settings};

use super::{Block, ElementStage, StateSpec, StepInfo};
use crate::schedule::{RunLength, SPAN_RANGE, Span};

/// Every average's facts.
pub(super) const ALL: &[Entry] = &[EMA, MEAN];
/// The name of the state that holds an average.
const STATE: &str = "average";

const EMA: Entry = Entry {
    name: Ema::NAME,
    summary: "running average of the weights",
    formula: "x ← x + (1 − decay)·(θ − x) after an update; the first time x ← θ",
    source: "Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; PyTorch's \
             AveragedModel with get_ema_avg_fn",
    keys: Ema::KEYS,
};

const MEAN: Entry = Entry {
    name: Mean::NAME,
    summary: "plain mean of the weights of the last part of a run (SWA)",
    formula: "x ← x + (θ − x)/n at the n-th time",
    source: "Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018, \
             arxiv.org/abs/1803.05407; PyTorch's AveragedModel",
    keys: Mean::KEYS,
};

/// An average of weights and its settings: `"ema"`, or a table such as `{ name = "mean", start = "0.5dur" }`.
///
/// Where there is one, it is the averaged weights that are measured and kept as the best and the last of the run;
/// training goes on from the others. Running statistics of batch norm are those of the weights that are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum AverageConfig {
    /// Running average.
    Ema(Ema),
    /// Plain mean.
    Mean(Mean),
}

impl From<Ema> for AverageConfig {
    fn from(ema: Ema) -> Self {
        AverageConfig::Ema(ema)
    }
}

impl From<Mean> for AverageConfig {
    fn from(mean: Mean) -> Self {
        AverageConfig::Mean(mean)
    }
}

#[derive(Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
enum Table {
    Ema(Ema),
    Mean(Mean),
}

impl<'de> Deserialize<'de> for AverageConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::registry::name_or_table::<D, Table>(from).map(|table| match table {
            Table::Ema(ema) => AverageConfig::Ema(ema),
            Table::Mean(mean) => AverageConfig::Mean(mean),
        })
    }
}

settings! {
    /// x ← x + (1 − decay)(θ − x).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Ema of "ema" {
        /// share of the average that stays at each update; it spans about 1/(1 − decay) of them
        pub decay: f64 = 0.999, in Range::Below(0.0, 1.0);
        /// updates before the first that counts
        pub start: Span = Span::Steps(0) => "\"0st\"", in SPAN_RANGE;
        /// distance between the updates that count
        pub every: Span = Span::Steps(1) => "\"1st\"", in SPAN_RANGE;
    }
}

settings! {
    /// x ← x + (θ − x)/n.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Mean of "mean" {
        /// updates before the first that counts
        pub start: Span = Span::Share(0.75) => "\"0.75dur\"", in SPAN_RANGE;
        /// distance between the updates that count
        pub every: Span = Span::Epochs(1.0) => "\"1ep\"", in SPAN_RANGE;
    }
}

impl AverageConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn check(&self) -> Result<(), OutOfRange> {
        match self {
            AverageConfig::Ema(ema) => ema.in_range(),
            AverageConfig::Mean(mean) => mean.in_range(),
        }
    }

    /// Whether no update of a run of that length counts.
    #[cfg(feature = "runs")]
    pub(crate) fn begins_behind(&self, run: RunLength) -> bool {
        run.n_steps > 0 && self.build(run).count(run.n_steps) == 0
    }

    /// The stage for a run of that length.
    pub(super) fn build(&self, run: RunLength) -> Average {
        let (decay, start, every) = match self {
            AverageConfig::Ema(ema) => (Some(ema.decay), ema.start, ema.every),
            AverageConfig::Mean(mean) => (None, mean.start, mean.every),
        };
        Average { decay, start: start.steps(run), every: every.steps(run).max(1) }
    }
}

/// The last stage of a chain: the average of what the update made of the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Average {
    /// none for the plain mean
    decay: Option<f64>,
    start: u64,
    every: u64,
}

impl Average {
    /// How many weights have gone into it after `done` updates.
    pub fn count(&self, done: u64) -> u64 {
        done.saturating_sub(self.start) / self.every
    }
}

impl ElementStage for Average {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec::copy(STATE, shape)]
    }

    fn apply(&self, info: &StepInfo, block: &mut Block<'_, '_>) {
        let (param, _, [average]) = block.split();
        let n = self.count(info.step);
        match self.decay {
            _ if n == self.count(info.step - 1) => {}
            _ if n == 1 => average.copy_from_slice(param),
            Some(decay) => kernels::update::average((1.0 - decay) as f32, average, param),
            None => kernels::update::average((1.0 / n as f64) as f32, average, param),
        }
    }
}
