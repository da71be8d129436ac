//! What a run is: every setting, with its default.

use std::path::PathBuf;

use engine::exec::MAX_WORKERS;
use serde::{Deserialize, Serialize, Serializer};

use super::error::ConfigError;
use super::{DataConfig, HeadConfig, LossConfig, Seeds, Time};
use crate::data::Preprocess;
use crate::data::augment::Augment;
use crate::model::ModelConfig;
use crate::optim::{AverageConfig, ClipNorm, ClipValue, GroupConfig, OptimConfig, Wrappers};
use crate::schedule::{ScheduleConfig, Span};

/// A run's settings, complete and checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunConfig {
    /// Passes over the training samples; 20, or as many as `steps` takes where that is given. With 0 nothing is
    /// learnt: the start is measured and saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Updates; none. Where both are given, the run ends at whichever comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Samples that go through the network at once; 64. The last batch of an epoch may be smaller.
    pub batch: usize,
    /// Batches whose gradients are averaged for one update; 1. Steps, and what counts in them, are updates.
    pub accumulate: usize,
    /// Samples measured at once; 256.
    pub eval_batch: usize,
    /// Longest gradient; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<ClipNorm>,
    /// Largest element of the gradient; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<ClipValue>,
    /// Whether each epoch has another order of the samples; true. Without it they come in their own order.
    pub shuffle: bool,
    /// Decides everything random but the split; 0.
    pub seed: u64,
    /// Several runs that differ in their seed; none. A list for `runs::plan`: a single run does not look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Seeds>,
    /// Parts that a batch is cut into; 8. With the seed they define the numbers, and threads never do.
    pub shards: usize,
    /// Threads; 0 means one for each core. Never more than shards, nor than [`MAX_WORKERS`].
    pub threads: usize,
    /// How long one session may take; no limit. Then the run stops with a checkpoint. The run folder's config does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// Weights to start from (safetensors); none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Preprocessing of inputs; none here means that the kind of data decides.
    #[serde(serialize_with = "or_auto")]
    pub preprocess: Option<Preprocess>,
    /// Random changes of training images; none.
    pub augment: Augment,
    /// Whether a regression learns standardised targets; none here means that the kind of data decides.
    #[serde(serialize_with = "or_auto")]
    pub standardise_targets: Option<bool>,
    /// Several things to learn at once, instead of the one that `data.target` and `loss` say; none.
    pub heads: Vec<HeadConfig>,
    /// What is laid around the optimizer, from the inside out; nothing.
    pub wrap: Wrappers,
    /// Parameters with settings of their own; none.
    pub groups: Vec<GroupConfig>,
    /// Also measure how often the truth is among the k likeliest; none.
    pub top_k: Vec<usize>,
    /// Name of the run folder; made of data and model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What to learn from.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// How weights move; a top-level `lr` is in here already.
    pub optimizer: OptimConfig,
    /// How the learning rate changes; constant.
    pub schedule: ScheduleConfig,
    /// Factor of the momentum, and of Adam's β₁; constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum_schedule: Option<ScheduleConfig>,
    /// Factor of every weight decay; constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay_schedule: Option<ScheduleConfig>,
    /// The average of the weights that is measured and kept; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageConfig>,
    /// What is made small; told by the task.
    pub loss: LossConfig,
    /// Checkpoints.
    pub save: SaveConfig,
}

/// When checkpoints are written, and which epoch is the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaveConfig {
    /// Distance between two checkpoints; one epoch.
    pub every: Span,
    /// The metric that tells the best epoch, with its split; `auto`: the validation part's main metric.
    pub best: String,
}

impl Default for SaveConfig {
    fn default() -> Self {
        SaveConfig { every: Span::Epochs(1.0), best: "auto".into() }
    }
}

impl RunConfig {
    /// Checks what only the data can tell.
    ///
    /// # Errors
    /// [`ConfigError::BatchTooLarge`].
    pub fn check_samples(&self, n_train: usize) -> Result<(), ConfigError> {
        if self.batch > n_train {
            return Err(ConfigError::BatchTooLarge { batch: self.batch, n_train });
        }
        Ok(())
    }

    /// Threads to use: as asked for, or one for each core, and never more than shards or than [`MAX_WORKERS`].
    pub fn n_threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = if self.threads == 0 { cores } else { self.threads };
        wanted.min(self.shards).min(MAX_WORKERS)
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            epochs: Some(20),
            steps: None,
            batch: 64,
            accumulate: 1,
            eval_batch: 256,
            clip_norm: None,
            clip_value: None,
            shuffle: true,
            seed: 0,
            seeds: None,
            shards: 8,
            threads: 0,
            time: None,
            init_from: None,
            preprocess: None,
            augment: Augment::default(),
            standardise_targets: None,
            heads: Vec::new(),
            wrap: Wrappers::default(),
            groups: Vec::new(),
            top_k: Vec::new(),
            name: None,
            data: DataConfig::default(),
            model: ModelConfig::default(),
            optimizer: OptimConfig::Adam(Default::default()),
            schedule: ScheduleConfig::default(),
            momentum_schedule: None,
            weight_decay_schedule: None,
            average: None,
            loss: LossConfig::default(),
            save: SaveConfig::default(),
        }
    }
}

/// The value, or `auto` where there is none.
fn or_auto<S: Serializer, T: Serialize>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(to),
        None => to.serialize_str("auto"),
    }
}
