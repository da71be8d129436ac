//! From a file and `key=value` words to the config of a run.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::error::{ConfigError, Good, Place};
use super::tree::{Node, Table, Value};
use super::{RunConfig, Seeds, check, groups, keys, recipe, tree, write};
use crate::data::Preprocess;
use crate::optim::{AverageConfig, OptimConfig};

/// The most runs of one list.
const MOST_RUNS: u64 = 100_000;

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
        let mut written = check::spelled(tree::parse(text, path)?, keys::TOP);
        settle_lr(&mut written, overrides)?;
        tree::lay_over(&mut written, overrides, keys::TOP)?;
        recipe::lay_under(&mut written)?;
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
        let mut optimizer: OptimConfig = self.part_or("optimizer", RunConfig::default().optimizer)?;
        if let Some(lr) = self.part("lr")? {
            *optimizer.lr_mut() = lr;
        }
        let preprocess: String = self.part_or("preprocess", "auto".into())?;
        let preprocess = Preprocess::ALL.iter().find(|(_, name, _)| *name == preprocess).map(|(p, _, _)| *p);
        let standardize: Option<toml::Value> = self.part("standardize_targets")?;
        let default = RunConfig::default();
        let config = RunConfig {
            epochs: self.part("epochs")?,
            steps: self.part("steps")?,
            batch: self.part("batch")?,
            accumulate: self.part_or("accumulate", default.accumulate)?,
            eval_batch: self.part_or("eval_batch", default.eval_batch)?,
            clip_norm: self.part("clip_norm")?,
            clip_value: self.part("clip_value")?,
            shuffle: self.part_or("shuffle", default.shuffle)?,
            seed: self.part_or("seed", default.seed)?,
            seeds: self.part("seeds")?,
            time: self.part("time")?,
            shards: self.part_or("shards", default.shards)?,
            threads: self.part_or("threads", default.threads)?,
            init_from: self.part("init_from")?,
            init_prefix: self.part("init_prefix")?,
            init_skip: self.part_or("init_skip", default.init_skip)?,
            preprocess,
            augment: self.part_or("augment", default.augment)?,
            standardize_targets: standardize.and_then(|v| v.as_bool()),
            heads: self.part_or("heads", default.heads)?,
            wrap: self.part_or("wrap", default.wrap)?,
            groups: self.part_or("groups", default.groups)?,
            top_k: self.part_or("top_k", default.top_k)?,
            baselines: self.part_or("baselines", default.baselines)?,
            name: self.part("name")?,
            data: self.part_or("data", default.data)?,
            model: self.part_or("model", default.model)?,
            optimizer,
            schedule: self.part_or("schedule", default.schedule)?,
            momentum_schedule: self.part("momentum_schedule")?,
            weight_decay_schedule: self.part("weight_decay_schedule")?,
            average: self.part("average")?,
            loss: self.part_or("loss", default.loss)?,
            save: self.part_or("save", default.save)?,
        };
        self.check_parts(&config)?;
        Ok(config)
    }

    /// A top-level key in its own type.
    fn part<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.checked.remove(key) else { return Ok(None) };
        T::deserialize(value.clone()).map(Some).map_err(|error| self.refused::<T>(key, &value, &error))
    }

    fn part_or<T: DeserializeOwned>(&mut self, key: &str, default: T) -> Result<T, ConfigError> {
        Ok(self.part(key)?.unwrap_or(default))
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
        config.check_set().map_err(|mut error| {
            if let ConfigError::Value { key, place, .. } | ConfigError::Refused { key, place, .. } =
                &mut error
            {
                *place = self.place(&key.split('.').collect::<Vec<_>>());
            }
            error
        })?;
        let n_seeds = config.seeds.as_ref().map_or(1, Seeds::count);
        let n_folds = config.data.every_fold().unwrap_or(1) as u64;
        if n_seeds.saturating_mul(n_folds) > MOST_RUNS {
            let problem = format!("{n_seeds} seeds times {n_folds} folds are more than {MOST_RUNS} runs");
            return Err(refused("seeds", problem));
        }
        if config.seed.saturating_add(n_seeds - 1) > i64::MAX as u64
            && matches!(config.seeds, Some(Seeds::Count(_)))
        {
            let expected =
                format!("{} at most, for {n_seeds} seeds from there on", i64::MAX as u64 - (n_seeds - 1));
            let (key, got) = ("seed".to_owned(), config.seed.to_string().into());
            let (expected, good, place) = (expected.into(), Good::Default("0".into()), self.place(&["seed"]));
            return Err(ConfigError::Value { key, got, expected, good, place });
        }
        config.wrap.check().map_err(|e| refused("wrap", e.to_string()))?;
        if let Some(problem) = groups::problem(&config.groups) {
            return Err(refused("groups", problem));
        }
        let average = config.average.as_ref().map_or(Ok(()), AverageConfig::check);
        average.map_err(|e| refused(&format!("average.{}", e.key), e.to_string()))
    }
}

/// The reader's words in one line, without the place, which is told apart.
fn words(error: &toml::de::Error) -> String {
    error.message().lines().next().unwrap_or_default().to_string()
}
