//! What a run is: every setting, with its default.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{ConfigError, Good, Place};
use super::tree::{Node, Table, Value};
use super::{DataConfig, HeadConfig, LossConfig, check, heads, keys, tree, write};
use crate::data::Preprocess;
use crate::data::augment::Augment;
use crate::model::ModelConfig;
use crate::optim::{ClipNorm, OptimConfig};
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
    /// Samples in one update; 64. The last batch of an epoch may be smaller.
    pub batch: usize,
    /// Samples measured at once; 256.
    pub eval_batch: usize,
    /// Longest gradient; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<ClipNorm>,
    /// Whether each epoch has another order of the samples; true. Without it they come in their own order.
    pub shuffle: bool,
    /// Decides everything random but the split; 0.
    pub seed: u64,
    /// Parts that a batch is cut into; 8. With the seed they define the numbers, and threads never do.
    pub shards: usize,
    /// Threads; 0 means one for each core. Never more than shards.
    pub threads: usize,
    /// Weights to start from (safetensors); none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Preprocessing of inputs; none here means that the kind of data decides.
    #[serde(serialize_with = "write::or_auto")]
    pub preprocess: Option<Preprocess>,
    /// Random changes of training images; none.
    pub augment: Augment,
    /// Whether a regression learns standardised targets; none here means that the kind of data decides.
    #[serde(serialize_with = "write::or_auto")]
    pub standardise_targets: Option<bool>,
    /// Several things to learn at once, instead of the one that `data.target` and `loss` say; none.
    pub heads: Vec<HeadConfig>,
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
    /// Reads a file, if any, and lays `key=value` words over it.
    ///
    /// # Errors
    /// [`ConfigError`] names the first key that is wrong and where it was written.
    pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<RunConfig, ConfigError> {
        let Some(path) = file else { return Self::from_toml("", Path::new(""), overrides) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            let problem = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".into(),
                std::io::ErrorKind::InvalidData => "it is not text".into(),
                _ => error.to_string().to_lowercase(),
            };
            ConfigError::Read { path: path.into(), problem }
        })?;
        Self::from_toml(&text, path, overrides)
    }

    /// The same from a file's text; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError`], as for [`RunConfig::load`].
    pub fn from_toml(text: &str, path: &Path, overrides: &[String]) -> Result<RunConfig, ConfigError> {
        let mut written = tree::parse(text, path)?;
        settle_lr(&mut written, overrides)?;
        tree::lay_over(&mut written, overrides)?;
        let checked = check::table(&written, keys::TOP, "")?;
        Read { written, checked }.config()
    }

    /// The resolved config as TOML: every key with its value and a comment; keys that are not set are comments.
    pub fn to_toml(&self) -> String {
        write::to_toml(self)
    }

    /// Checks what a program may have set: ranges of numbers.
    ///
    /// # Errors
    /// [`ConfigError::Value`], or [`ConfigError::Refused`] with the words of the part that refuses.
    pub fn check(&self) -> Result<(), ConfigError> {
        RunConfig::from_toml(&self.to_toml(), Path::new(""), &[])
            .map(|_| ())
            .map_err(ConfigError::without_place)
    }

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

    /// Threads to use: as asked for, or one for each core, and never more than shards.
    pub fn n_threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = if self.threads == 0 { cores } else { self.threads };
        wanted.min(self.shards)
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        // The empty config is right by construction; a test holds it to that.
        RunConfig::from_toml("", Path::new(""), &[]).unwrap_or_else(|error| unreachable!("{error}"))
    }
}

/// `lr` beside `optimizer.lr`: an error in one file or on one command line; the command line's wins over the file's.
fn settle_lr(written: &mut Table, overrides: &[String]) -> Result<(), ConfigError> {
    let both = |place: &Place| {
        let (one, other) = ("lr".into(), "optimizer.lr".into());
        Err(ConfigError::Both { one, other, place: place.clone() })
    };
    let inner = written.get("optimizer").and_then(|node| match &node.value {
        Value::Table(table) => table.get("lr"),
        Value::Leaf(..) => None,
    });
    if let (Some(_), Some(lr)) = (written.get("lr"), inner) {
        return both(&lr.place);
    }
    let starts = |prefix: &str| overrides.iter().find(|word| word.starts_with(prefix));
    if starts("lr=").is_some() && starts("optimizer.lr=").is_some() {
        return both(&Place::CommandLine);
    }
    if starts("optimizer.lr=").is_some() {
        written.remove("lr");
    }
    Ok(())
}

/// What was written, and the same with every value of the right type.
struct Read {
    written: Table,
    checked: toml::Table,
}

impl Read {
    fn config(mut self) -> Result<RunConfig, ConfigError> {
        let mut optimizer: OptimConfig =
            self.part_or("optimizer", || OptimConfig::Adam(Default::default()))?;
        if let Some(lr) = self.part("lr")? {
            *optimizer.lr_mut() = lr;
        }
        let preprocess: String = self.part_or("preprocess", || "auto".into())?;
        let preprocess = Preprocess::ALL.iter().find(|(_, name, _)| *name == preprocess).map(|(p, _, _)| *p);
        let standardise: Option<toml::Value> = self.part("standardise_targets")?;
        let (epochs, steps) = (self.part("epochs")?, self.part("steps")?);
        let config = RunConfig {
            epochs: epochs.or(if steps.is_none() { Some(20) } else { None }),
            steps,
            batch: self.part_or("batch", || 64)?,
            eval_batch: self.part_or("eval_batch", || 256)?,
            clip_norm: self.part("clip_norm")?,
            shuffle: self.part_or("shuffle", || true)?,
            seed: self.part_or("seed", || 0)?,
            shards: self.part_or("shards", || 8)?,
            threads: self.part_or("threads", || 0)?,
            init_from: self.part("init_from")?,
            preprocess,
            augment: self.part_or("augment", Augment::default)?,
            standardise_targets: standardise.and_then(|v| v.as_bool()),
            heads: self.part_or("heads", Vec::new)?,
            top_k: self.part_or("top_k", Vec::new)?,
            name: self.part("name")?,
            data: self.part_or("data", DataConfig::default)?,
            model: self.part_or("model", ModelConfig::default)?,
            optimizer,
            schedule: self.part_or("schedule", ScheduleConfig::default)?,
            loss: self.part_or("loss", LossConfig::default)?,
            save: self.part_or("save", SaveConfig::default)?,
        };
        self.check_parts(&config)?;
        Ok(config)
    }

    /// A top-level key in its own type.
    fn part<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.checked.remove(key) else { return Ok(None) };
        T::deserialize(value.clone()).map(Some).map_err(|error| self.refused::<T>(key, &value, &error))
    }

    fn part_or<T: DeserializeOwned>(&mut self, key: &str, default: impl Fn() -> T) -> Result<T, ConfigError> {
        Ok(self.part(key)?.unwrap_or_else(default))
    }

    /// Which key of a table is to blame: the first that is refused when it stands alone with the table's name.
    fn refused<T: DeserializeOwned>(
        &self,
        key: &str,
        value: &toml::Value,
        error: &toml::de::Error,
    ) -> ConfigError {
        let alone = |(inner, v): (&String, &toml::Value)| {
            let name = value.get("name").map(|n| ("name".to_string(), n.clone()));
            let table: toml::Table = name.into_iter().chain([(inner.clone(), v.clone())]).collect();
            T::deserialize(toml::Value::Table(table)).err().map(|e| (inner.clone(), e))
        };
        let blamed = value.as_table().and_then(|t| t.iter().filter(|(k, _)| *k != "name").find_map(alone));
        let (path, error) = match &blamed {
            Some((inner, error)) => (vec![key, inner.as_str()], error),
            None => (vec![key], error),
        };
        let problem = words(error);
        ConfigError::Refused { key: path.join("."), problem, place: self.place(&path) }
    }

    /// Where the value at a path was written.
    fn place(&self, path: &[&str]) -> Place {
        let top = path.first().and_then(|key| self.written.get(key));
        top.map_or(Place::Default, |node: &Node| node.place_of(&path[1..]).clone())
    }

    /// What numbers mean together, as the parts themselves judge.
    fn check_parts(&self, config: &RunConfig) -> Result<(), ConfigError> {
        let refused = |key: &str, problem: String| {
            let path: Vec<&str> = key.split('.').collect();
            ConfigError::Refused { key: key.into(), problem, place: self.place(&path) }
        };
        config.model.check().map_err(|e| refused(&format!("model.{}", e.key), e.to_string()))?;
        config.optimizer.build().map_err(|e| refused(&format!("optimizer.{}", e.key), e.to_string()))?;
        config.loss.check().map_err(|e| refused(&format!("loss.{}", e.key), e.to_string()))?;
        if let Some(problem) = heads::problem(&config.heads) {
            return Err(refused("heads", problem));
        }
        if !config.heads.is_empty() && config.loss != LossConfig::Auto {
            return Err(refused("loss", "each of several heads has a `loss` of its own".into()));
        }
        if !config.heads.is_empty() && !config.data.target.is_empty() {
            return Err(refused("data.target", "each of several heads has a `target` of its own".into()));
        }
        if let Some(fold) = config.data.fold().filter(|f| f.index >= f.of) {
            let expected =
                format!("a whole number from 0 to {}, as `data.folds` is {}", fold.of - 1, fold.of);
            let (key, got, place) =
                ("data.fold".into(), fold.index.to_string(), self.place(&["data", "fold"]));
            let (got, expected, good) = (got.into(), expected.into(), Good::Example("0".into()));
            return Err(ConfigError::Value { key, got, expected, good, place });
        }
        Ok(())
    }
}

/// The reader's words in one line, without the place, which is told apart.
fn words(error: &toml::de::Error) -> String {
    error.message().lines().next().unwrap_or_default().to_string()
}
