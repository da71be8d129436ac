//! What a run is: every setting, with its default.

#[cfg(feature = "runs")]
use std::path::Path;
use std::path::PathBuf;

use engine::exec::MAX_WORKERS;
use serde::{Deserialize, Serialize, Serializer};

use super::data::MOST_FOLDS;
use super::declare::fields;
use super::error::{ConfigError, Good, Place};
#[cfg(feature = "runs")]
use super::field::{Kind, MANY, SAMPLES, SEED};
#[cfg(feature = "runs")]
use super::keys;
use super::{DataConfig, GroupConfig, HeadConfig, Keep, LossConfig, Seeds, Time, heads};
use crate::data::Preprocess;
use crate::data::augment::Augment;
use crate::model::ModelConfig;
use crate::optim::{AverageConfig, ClipNorm, ClipValue, OptimConfig, Wrappers};
use crate::schedule::{ScheduleConfig, Span};
#[cfg(feature = "runs")]
use settings::Range;

/// Samples in a batch that nobody asked for, where there are as many.
pub(crate) const BATCH: usize = 64;
/// Epochs that nobody asked for, but of tables.
pub(crate) const EPOCHS: u64 = 20;
/// The most parts that a batch is cut into.
pub(crate) const MAX_SHARDS: usize = 1024;

fields! {
    /// A run's settings, complete and checked.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct RunConfig {
        /// passes over the training samples; by default 20, for a table 20 to 400 so that there are 2,000 updates
        ///
        /// As many as `steps` takes where that is set. With 0 nothing is learned: the start is measured and saved.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub epochs: Option<u64> = None, example "20", is Kind::Whole(0, MANY);
        /// updates; the run ends when it reaches `epochs` or `steps`, whichever comes first
        #[serde(skip_serializing_if = "Option::is_none")]
        pub steps: Option<u64> = None, example "1000", is Kind::Whole(0, MANY);
        /// samples that go through the network at once; by default 64, or all training samples if there are fewer
        ///
        /// The last batch of an epoch may be smaller.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub batch: Option<usize> = None, example "64", is Kind::Whole(1, SAMPLES);
        /// batches whose gradients are averaged for one update; steps and schedules count updates
        pub accumulate: usize = 1, is Kind::Whole(1, SAMPLES);
        /// samples evaluated at once; does not change what the figures mean
        pub eval_batch: usize = 256, is Kind::Whole(1, SAMPLES);
        /// the longest gradient allowed; a longer one is shortened to it
        #[serde(skip_serializing_if = "Option::is_none")]
        pub clip_norm: Option<ClipNorm> = None, example "1.0", is Kind::Number(Range::Above(0.0));
        /// the largest element of the gradient, after `clip_norm`; larger ones are cut to it
        #[serde(skip_serializing_if = "Option::is_none")]
        pub clip_value: Option<ClipValue> = None, example "1.0", is Kind::Number(Range::Above(0.0));
        /// use a new order of the samples in every epoch
        ///
        /// Without it they come in their own order.
        pub shuffle: bool = true, is Kind::Switch;
        /// decides everything random
        ///
        /// But the split, which has its own.
        pub seed: u64 = 0, is SEED;
        /// several runs, and their mean: this many seeds counted from `seed`, or a list of seeds
        ///
        /// A list for `runs::plan`: a single run does not look at it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub seeds: Option<Seeds> = None, example "3",
        is Kind::Free("how many seeds, or a list of them such as [0, 1, 2]");
        /// parts of a batch; with the seed, they decide the numbers
        pub shards: usize = 8, is Kind::Whole(1, MAX_SHARDS as u64);
        /// 0: one for each core; never changes the numbers
        ///
        /// Never more than shards, nor than [`MAX_WORKERS`].
        pub threads: usize = 0, is Kind::Whole(0, MAX_WORKERS as u64);
        /// a time limit; the run then stops, and `thalweg resume` continues it
        ///
        /// The run folder's config does not keep it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub time: Option<Time> = None, example "\"10m\"", is Kind::Free("a time such as 90s, 10m, 1h30m");
        /// weights to start from
        ///
        /// A file in the format safetensors.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub init_from: Option<PathBuf> = None, example "\"start.safetensors\"", is Kind::Text;
        /// take only the tensors in `init_from` whose names begin like this, and remove this beginning
        #[serde(skip_serializing_if = "Option::is_none")]
        pub init_prefix: Option<String> = None, example "\"backbone.\"", is Kind::Text;
        /// names not to take from `init_from`, such as `2.*` for the last layer; these tensors start from scratch
        pub init_skip: Vec<String> = Vec::new() => "[]", is Kind::Texts;
        /// how inputs are prepared; fitted on the training samples
        ///
        /// None means that the kind of data decides.
        #[serde(serialize_with = "or_auto")]
        pub preprocess: Option<Preprocess> = None => "\"auto\"", is Kind::Words(keys::PREPROCESS);
        /// random changes to training images, in this order; `thalweg list augment` shows all
        pub augment: Augment = Augment::default() => "[]", is Kind::Free(keys::TRANSFORMS);
        /// wrappers around the optimizer, from the inside out; `thalweg list wrappers` shows all
        pub wrap: Wrappers = Wrappers::default() => "[]", is Kind::Free(keys::WRAPPER_LIST);
        /// settings of parameters by name: lr_factor (times lr), weight_decay, freeze, optimizer; first match wins
        pub groups: Vec<GroupConfig> = Vec::new() => "[]", is Kind::Tables(GroupConfig::FIELDS, keys::GROUP_LIST);
        /// regression: scale the targets to mean 0 and deviation 1 for training
        ///
        /// None means that the kind of data decides.
        #[serde(serialize_with = "or_auto")]
        pub standardize_targets: Option<bool> = None => "\"auto\"", is Kind::WordsOrSwitch(&["auto"]);
        /// several things to learn at once, each with a name, target columns, a loss and its weight
        ///
        /// Instead of the one that `data.target` and `loss` say.
        pub heads: Vec<HeadConfig> = Vec::new() => "[]", is Kind::Tables(HeadConfig::FIELDS, keys::HEAD_LIST);
        /// also measure how often the true class is among the k most likely
        pub top_k: Vec<usize> = Vec::new() => "[]", is Kind::Wholes(1);
        /// compare with simple models at the end of a run and in `eval`: majority or mean, linear, nearest neighbors
        pub baselines: bool = true, is Kind::Switch;
        /// name of the run folder; by default made from data and model
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String> = None, example "\"first-try\"", is Kind::Text;
        /// what to learn from
        pub data: DataConfig = DataConfig::default() => "\"digits\"", is Kind::Table(DataConfig::FIELDS);
        /// the network
        pub model: ModelConfig = ModelConfig::default() => "\"mlp\"", is Kind::Choice(&keys::MODELS);
        /// how weights move
        ///
        /// A top-level `lr` is in here already.
        pub optimizer: OptimConfig = OptimConfig::Adam(Default::default()) => "\"adam\"", is Kind::Choice(&keys::OPTIMIZERS);
        /// how the learning rate changes
        pub schedule: ScheduleConfig = ScheduleConfig::default() => "\"constant\"", is Kind::Choice(&keys::SCHEDULES);
        /// multiplies the momentum, or Adam's first beta
        #[serde(skip_serializing_if = "Option::is_none")]
        pub momentum_schedule: Option<ScheduleConfig> = None, example "\"cosine\"",
        is Kind::Choice(&keys::SCHEDULES);
        /// multiplies every weight decay
        #[serde(skip_serializing_if = "Option::is_none")]
        pub weight_decay_schedule: Option<ScheduleConfig> = None, example "\"cosine\"",
        is Kind::Choice(&keys::SCHEDULES);
        /// average of the weights, measured and kept in their place; batch norm keeps the trained statistics
        #[serde(skip_serializing_if = "Option::is_none")]
        pub average: Option<AverageConfig> = None, example "\"ema\"", is Kind::Choice(&keys::AVERAGES);
        /// what training minimizes
        pub loss: LossConfig = LossConfig::default() => "\"auto\"", is Kind::Choice(&keys::LOSSES);
        /// checkpoints
        pub save: SaveConfig = SaveConfig::default() => "\"1ep\"", is Kind::Table(SaveConfig::FIELDS);
    }
}

fields! {
    /// `[save]`: when checkpoints are written, and which epoch is the best.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct SaveConfig {
        /// distance between checkpoints: "1ep", "500st", "0.1dur"
        pub every: Span = Span::Epochs(1.0) => "\"1ep\"", is Kind::Length;
        /// metric that decides which epoch is the best, such as "valid_loss"
        ///
        /// `auto` is the validation part's main metric; its loss where that is accuracy on fewer than 100 samples.
        pub best: String = "auto".into() => "\"auto\"", is Kind::Text;
        /// how many checkpoints of `every` to keep besides the best and the last: `all`, or that many of the newest
        pub keep: Keep = Keep::Newest(0) => "0", is Kind::Free("`all`, or how many checkpoints to keep");
    }
}

/// A number out of its range, in a config that may never have been written.
fn out_of_range(key: &str, got: usize, expected: String, good: Good) -> ConfigError {
    let (key, got, expected) = (key.to_owned(), got.to_string().into(), expected.into());
    ConfigError::Value { key, got, expected, good, place: Place::Default }
}

impl RunConfig {
    /// Checks what training and the split of the data rely on and no part checks when it is built: sizes, the fold,
    /// losses and heads. A program may have set them, without any text that was read.
    ///
    /// # Errors
    /// [`ConfigError::Value`] or [`ConfigError::Refused`], without a place.
    pub(crate) fn check_set(&self) -> Result<(), ConfigError> {
        let default = RunConfig::default();
        let samples = u32::MAX as usize;
        let by_default = |n: usize| Good::Default(n.to_string().into());
        for (key, got, least, most, good) in [
            ("batch", self.batch.unwrap_or(BATCH), 1, samples, Good::Example(BATCH.to_string().into())),
            ("accumulate", self.accumulate, 1, samples, by_default(default.accumulate)),
            ("eval_batch", self.eval_batch, 1, samples, by_default(default.eval_batch)),
            ("shards", self.shards, 1, MAX_SHARDS, by_default(default.shards)),
            ("data.folds", self.data.folds.unwrap_or(2), 2, MOST_FOLDS as usize, Good::Example("5".into())),
        ] {
            if !(least..=most).contains(&got) {
                return Err(out_of_range(key, got, format!("a whole number from {least} to {most}"), good));
            }
        }
        if let Some(fold) = self.data.fold().filter(|f| f.index >= f.of) {
            let most = fold.of - 1;
            let expected = format!("a whole number from 0 to {most}, as `data.folds` is {}", fold.of);
            return Err(out_of_range("data.fold", fold.index, expected, Good::Example("0".into())));
        }
        let refused = |key: &str, problem: String| {
            Err(ConfigError::Refused { key: key.to_owned(), problem, place: Place::Default })
        };
        if self.data.fold.is_some() && self.data.folds.is_none() {
            let problem =
                "a fold is one of `data.folds`, which is not set; with `data.folds=5` there are folds 0 to 4";
            return refused("data.fold", problem.into());
        }
        for (key, set) in
            [("init_prefix", self.init_prefix.is_some()), ("init_skip", !self.init_skip.is_empty())]
        {
            if set && self.init_from.is_none() {
                return refused(
                    key,
                    "it selects tensors from a file of weights; name that file with `init_from=FILE`".into(),
                );
            }
        }
        if let Err(error) = self.loss.check() {
            return refused(&format!("loss.{}", error.key), error.to_string());
        }
        if let Some(problem) = heads::problem(&self.heads) {
            return refused("heads", problem);
        }
        if !self.heads.is_empty() && self.loss != LossConfig::Auto {
            return refused("loss", "if there are several heads, each has its own `loss`".into());
        }
        if !self.heads.is_empty() && !self.data.target.is_empty() {
            return refused("data.target", "if there are several heads, each has its own `target`".into());
        }
        Ok(())
    }

    /// Checks what only the data can tell.
    ///
    /// # Errors
    /// [`ConfigError::BatchTooLarge`].
    pub fn check_samples(&self, n_train: usize) -> Result<(), ConfigError> {
        match self.batch.filter(|batch| *batch > n_train) {
            Some(batch) => Err(ConfigError::BatchTooLarge { batch, n_train }),
            None => Ok(()),
        }
    }

    /// The same for a program that runs in another folder: the path of the data is absolute. Names of sets stay.
    #[cfg(feature = "runs")]
    pub(crate) fn anywhere(&self) -> RunConfig {
        let mut config = self.clone();
        let source = &config.data.source;
        let is_path = crate::data::sets::by_name(source).is_none() && Path::new(source).exists();
        let absolute = || std::path::absolute(source).ok()?.into_os_string().into_string().ok();
        if let Some(path) = is_path.then(absolute).flatten() {
            config.data.source = path;
        }
        config
    }

    /// Threads to use: as asked for, or one for each core, and never more than shards or than [`MAX_WORKERS`].
    pub fn n_threads(&self) -> usize {
        n_threads(self.threads, self.shards)
    }
}

/// As many threads as `wanted`, 0 for one for each core, and never more than shards or than [`MAX_WORKERS`].
pub(crate) fn n_threads(wanted: usize, shards: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = if wanted == 0 { cores() } else { wanted };
    wanted.min(shards).min(MAX_WORKERS)
}

/// The value, or `auto` where there is none.
fn or_auto<S: Serializer, T: Serialize>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(to),
        None => to.serialize_str("auto"),
    }
}
