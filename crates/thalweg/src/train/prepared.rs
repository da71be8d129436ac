//! Data ready for training: opened, split, with its preprocessing fitted on the training part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use crate::config::RunConfig;
use crate::data::{self, Affine, DataOptions, Dataset, Preprocess, Splits, TableSchema, Task, Values};
use crate::losses::Probabilities;
use crate::source::Preprocessed;

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
    pub set: Arc<Dataset>,
    /// indices of the training, validation and test samples
    pub splits: Splits,
    /// how samples are read
    pub reading: Reading,
    /// check sum of all samples, as they were opened
    pub crc32: u32,
}

impl Prepared {
    /// Opens, splits and fits as a config says.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or a batch larger than the training part.
    pub fn open(config: &RunConfig) -> Result<Self, TrainError> {
        let options = DataOptions { cache: data::default_cache_folder(), ..config.data.options() };
        let mut set = data::open(&config.data.source, &options)?;
        let crc32 = set.crc32();
        let splits = split(&set, config)?;
        config.check_samples(splits.train.len())?;
        set.fill_missing(&splits.train);
        let how = config.preprocess.unwrap_or_else(|| default_preprocess(config, &set));
        let inputs = data::fit(&set, &splits.train, how)?;
        let numbers = matches!(set.task, Task::Regression { .. });
        let logistic = config.loss.build(&set.task).probabilities() == Probabilities::Sigmoid;
        let suits = !config.data.is_arrays() && !logistic;
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
        Ok(Prepared { set: Arc::new(set), splits, reading, crc32 })
    }

    /// The samples as the model reads them, without augmentation.
    pub fn source(&self) -> Preprocessed {
        Preprocessed::new(self.set.clone(), self.reading.inputs.clone(), self.reading.targets.clone())
    }

    /// Whether the data are those of a checkpoint; one without a check sum is believed.
    ///
    /// # Errors
    /// [`TrainError::DataChanged`].
    pub(super) fn check_same(&self, saved: Option<u32>, next: String) -> Result<(), TrainError> {
        match saved {
            Some(then) if then != self.crc32 => Err(TrainError::DataChanged {
                then,
                now: self.crc32,
                next,
                data: self.set.origin.source.clone(),
            }),
            _ => Ok(()),
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
        self.task.n_outputs()
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
