//! Data ready for training: opened, split, with its preprocessing fitted on the training part.

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use crate::config::{LossConfig, RunConfig};
use crate::data::{
    self, Affine, DataOptions, Dataset, Identities, Preprocess, Splits, TableSchema, Task, Values,
};

/// What a model must know to read samples as it did in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// preprocessing of inputs
    pub inputs: Affine,
    /// standardisation of numbers as targets
    pub targets: Affine,
    /// classes, or names of targets
    pub task: Task,
    /// shape of a sample
    pub input_shape: Vec<usize>,
    /// columns of a table
    pub schema: Option<TableSchema>,
}

/// A data set and its parts.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// all samples
    pub set: Dataset,
    /// indices of the training, validation and test samples
    pub splits: Splits,
    /// how samples are read
    pub reading: Reading,
    /// what tells these data from others, as they were opened
    pub identities: Identities,
}

impl Prepared {
    /// Opens, splits and fits as a config says.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or a batch larger than the training part.
    pub fn open(config: &RunConfig) -> Result<Self, TrainError> {
        let options = DataOptions { cache: data::default_cache_folder(), ..config.data.options() };
        let mut set = data::open(&config.data.source, &options)?;
        let identities = set.identities();
        let splits = split(&set, config)?;
        config.check_samples(splits.train.len())?;
        set.fill_missing(&splits.train);
        let how = config.preprocess.unwrap_or_else(|| default_preprocess(config, &set));
        let inputs = data::fit(&set, &splits.train, how)?;
        let numbers = matches!(set.task, Task::Regression { .. });
        let suits = !config.data.is_arrays() && !matches!(config.loss, LossConfig::Bce);
        let targets = match numbers && config.standardise_targets.unwrap_or(suits) {
            true => data::fit_targets(&set, &splits.train)?,
            false => Affine::identity(),
        };
        let reading = Reading {
            inputs,
            targets,
            task: set.task.clone(),
            input_shape: set.input_shape.clone(),
            schema: set.schema.clone(),
        };
        Ok(Prepared { set, splits, reading, identities })
    }

    /// Whether the data, opened from `source`, are those of a checkpoint; where that cannot be told, the warning that
    /// says so.
    ///
    /// # Errors
    /// [`TrainError::DataChanged`].
    #[cfg(feature = "runs")]
    pub(super) fn check_same(
        &self,
        saved: Option<data::Identity>,
        source: &str,
        next: String,
    ) -> Result<Option<String>, TrainError> {
        let unchecked =
            |why: String| Ok(Some(format!("whether the data are those of the run is unknown: {why}")));
        let Some(then) = saved else { return unchecked("the checkpoint has no check sum of them".into()) };
        match self.identities.of_version(then.version) {
            None => unchecked(format!(
                "their check sum is of version {}, which this program does not know",
                then.version
            )),
            Some(now) if now == then => Ok(None),
            // Nobody can have changed these: an earlier version of this program drew other last digits.
            Some(_) if data::sets::by_name(source).is_some_and(data::sets::BuiltIn::is_drawn) => {
                Ok(Some(format!("`{source}` is not, to the last digit, what it was when the run began")))
            }
            Some(now) => Err(TrainError::DataChanged {
                then: then.crc32,
                now: now.crc32,
                next,
                data: self.set.origin.source.clone(),
            }),
        }
    }

    /// Values that a model must give for a sample.
    pub fn n_outputs(&self) -> usize {
        self.reading.n_outputs()
    }
}

impl Reading {
    /// Values that a model gives for a sample: one a class, or one a target.
    pub fn n_outputs(&self) -> usize {
        match &self.task {
            Task::Classification { classes } => classes.len(),
            Task::Regression { targets } => targets.len(),
        }
    }
}

fn split(set: &Dataset, config: &RunConfig) -> Result<Splits, TrainError> {
    let Some(fold) = config.data.fold() else { return Ok(data::split(set, &config.data.split())?) };
    let mut folds = data::folds(set, fold.of, &config.data.split())?;
    Ok(folds.swap_remove(fold.index))
}

/// Arrays as they are; tables by column; images and bytes by one mean and deviation, which keeps what pixels have in
/// common.
fn default_preprocess(config: &RunConfig, set: &Dataset) -> Preprocess {
    match (&set.inputs, set.input_shape.len()) {
        _ if config.data.is_arrays() => Preprocess::None,
        (Values::U8(_), _) => Preprocess::GlobalStandardise,
        (Values::F32(_), 1) => Preprocess::Standardise,
        _ => Preprocess::GlobalStandardise,
    }
}
