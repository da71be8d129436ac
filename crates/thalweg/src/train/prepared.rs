//! Data ready for training: opened, split, with its preprocessing fitted on the training part.

#[cfg(feature = "runs")]
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::heads;
use crate::config::RunConfig;
use crate::data::{
    self, Affine, DataOptions, Dataset, Identities, Preprocess, Splits, TableSchema, Task, Values,
};
use crate::losses::{LossConfig, Probabilities};
use crate::model::{Inputs, Model};
use crate::source::{Head, Preprocessed, is_missing};

/// What a model must know to read samples as it did in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// preprocessing of inputs
    pub inputs: Affine,
    /// standardization of numbers as targets
    pub targets: Affine,
    /// classes, or names of targets
    pub task: Task,
    /// shape of a sample
    pub input_shape: Vec<usize>,
    /// columns of a table
    pub schema: Option<TableSchema>,
    /// what is told of a sample, where that is more than one thing; empty where `task` and `targets` say it
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<HeadReading>,
}

/// How the targets of one of several heads are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadReading {
    /// its name
    pub name: String,
    /// classes, or names of targets
    pub task: Task,
    /// standardization of numbers
    pub targets: Affine,
    /// columns of the table, its targets among them
    pub schema: Option<TableSchema>,
}

impl HeadReading {
    fn head(&self, targets: &[f32]) -> Head {
        let map = (!self.targets.is_identity()).then(|| self.targets.clone());
        let may_miss = is_missing(targets);
        let offsets = self.schema.as_ref().map_or_else(Vec::new, TableSchema::target_offsets);
        Head { name: self.name.clone(), task: self.task.clone(), map, may_miss, offsets }
    }
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
    /// what tells these data from others, as they were opened
    pub identities: Identities,
    /// targets of each of several heads, `[n, n_targets]`, NaN where they are missing; none where the set has the
    /// only ones
    pub head_targets: Vec<Arc<[f32]>>,
}

impl Prepared {
    /// Opens, splits and fits as a config says.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or a batch larger than the training part.
    pub fn open(config: &RunConfig) -> Result<Self, TrainError> {
        Self::open_as(config, None)
    }

    /// The same for a model that was trained on these data before. A table that an earlier version of this program read
    /// in another way is read as it was then.
    ///
    /// # Errors
    /// As for [`Prepared::open`].
    #[cfg(feature = "runs")]
    pub(super) fn open_again(config: &RunConfig, before: &Reading) -> Result<Self, TrainError> {
        let inputs = |reading: &Reading| reading.schema.as_ref().map(TableSchema::features);
        match Self::open(config) {
            Ok(data) if inputs(&data.reading) == inputs(before) => Ok(data),
            Ok(_) => Self::open_as(config, Some(before)),
            Err(error) if before.schema.is_some() => Self::open_as(config, Some(before)).map_err(|_| error),
            Err(error) => Err(error),
        }
    }

    fn open_as(config: &RunConfig, before: Option<&Reading>) -> Result<Self, TrainError> {
        config.check_set()?;
        let mut heads = Vec::new();
        let (mut set, identities) = match config.heads.is_empty() {
            true => {
                let options = DataOptions {
                    cache: data::default_cache_folder(),
                    schema: before.and_then(|reading| reading.schema.clone()),
                    ..config.data.options()
                };
                let set = data::open(&config.data.source, &options)?;
                let identities = set.identities();
                (set, identities)
            }
            false => {
                let schemas: Vec<_> =
                    before.map_or_else(Vec::new, |r| r.heads.iter().map(|h| h.schema.clone()).collect());
                heads = heads::open(config, &schemas)?;
                if let Some(i) = heads.iter().position(|set| !set.has_targets()) {
                    return Err(no_target(&config.heads[i].name));
                }
                (heads[0].clone(), heads::identities(&heads))
            }
        };
        let mut splits = split(&set, config)?;
        check_parts(&heads, config, &mut splits)?;
        check_weights(&set, &mut splits);
        config.check_samples(splits.train.len())?;
        set.fill_missing(&splits.train)?;
        let how = config.preprocess.unwrap_or_else(|| default_preprocess(config, &set));
        let inputs = data::fit(&set, &splits.train, how)?.scaled(&set, &config.data.scale)?;
        set.notes.extend(scale_note(config));
        let targets = match heads.is_empty() {
            true => target_map(config, &config.loss, &set, &splits.train)?,
            false => Affine::identity(),
        };
        let mut readings = Vec::new();
        for (set, own) in heads.iter().zip(&config.heads) {
            let target = |i: u32| &set.targets[i as usize * set.n_targets()..][..set.n_targets()];
            let known: Vec<u32> = splits.train.iter().copied().filter(|i| !is_missing(target(*i))).collect();
            if known.is_empty() {
                return Err(no_target(&own.name));
            }
            readings.push(HeadReading {
                name: own.name.clone(),
                task: set.task.clone(),
                targets: target_map(config, &own.loss, set, &known)?,
                schema: set.schema.clone(),
            });
        }
        let head_targets = heads.into_iter().map(|set| set.targets.into()).collect();
        let reading = Reading {
            inputs,
            targets,
            task: set.task.clone(),
            input_shape: set.input_shape.clone(),
            schema: set.schema.clone(),
            heads: readings,
        };
        Ok(Prepared { set: Arc::new(set), splits, reading, identities, head_targets })
    }

    /// The model of a config, for its data.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or does not fit together.
    pub fn model(config: &RunConfig) -> Result<Model, TrainError> {
        let (set, n_outputs) = match config.heads.is_empty() {
            true => {
                let set = data::open(&config.data.source, &config.data.options())?;
                let n_outputs = set.task.n_outputs();
                (set, n_outputs)
            }
            false => {
                let mut heads = heads::open(config, &[])?;
                let n_outputs = heads.iter().map(|set| set.task.n_outputs()).sum();
                (heads.swap_remove(0), n_outputs)
            }
        };
        let model = config.model.suited(&columns(set.schema.as_ref(), set.n_inputs()));
        Ok(Model::new(&model, &set.input_shape, n_outputs)?)
    }

    /// The samples as the model reads them, without augmentation.
    pub fn source(&self) -> Preprocessed {
        self.reading.source(self.set.clone(), self.head_targets.clone())
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
        weights: Option<PathBuf>,
    ) -> Result<Option<String>, TrainError> {
        let unchecked =
            |why: String| Ok(Some(format!("cannot check whether the data are those of the run: {why}")));
        let Some(then) = saved else { return unchecked("the checkpoint has no checksum of them".into()) };
        match self.identities.of_version(then.version) {
            None => unchecked(format!(
                "their checksum is of version {}, which this program does not know",
                then.version
            )),
            Some(now) if now == then => Ok(None),
            // Nobody can have changed these: an earlier version of this program drew other last digits.
            Some(_) if data::sets::by_name(source).is_some_and(data::sets::BuiltIn::is_drawn) => {
                Ok(Some(format!("`{source}` is not exactly what it was when the run began")))
            }
            Some(now) => Err(TrainError::DataChanged {
                then: then.crc32,
                now: now.crc32,
                weights,
                asked: source.into(),
                data: self.set.origin.source.clone(),
            }),
        }
    }

    /// The config with what it leaves open and these data say: what its model takes from their columns, and how
    /// strongly weights decay on a table.
    pub fn suited(&self, config: &RunConfig) -> RunConfig {
        let inputs = columns(self.set.schema.as_ref(), self.set.n_inputs());
        let mut config = RunConfig { model: config.model.suited(&inputs), ..config.clone() };
        if let Some(decay) = config.optimizer.open_decay() {
            *decay = self.weight_decay();
        }
        config
    }

    /// How strongly weights decay on a table where nobody says it: 1/n for n training samples, with three digits so
    /// that it can be typed. It is the prior of variance 1 for each weight, as in scikit-learn's logistic
    /// regression (C = 1): it keeps networks from learning some hundred rows by heart, and hardly acts on many.
    pub(super) fn weight_decay(&self) -> Option<f64> {
        self.set.schema.as_ref()?;
        format!("{:.2e}", 1.0 / self.splits.train.len().max(1) as f64).parse().ok()
    }

    /// Values that a model must give for a sample.
    pub fn n_outputs(&self) -> usize {
        self.reading.n_outputs()
    }
}

impl Reading {
    /// What of a reading that came from a file cannot be, in words.
    #[cfg(feature = "runs")]
    pub(super) fn problem(&self) -> Option<String> {
        let fits = |map: &Affine, width: usize| {
            let n = map.scale.len();
            n == map.shift.len() && n > 0 && width.is_multiple_of(n)
        };
        let width = self.input_shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
        if !fits(&self.inputs, width) {
            let (scale, shift) = (self.inputs.scale.len(), self.inputs.shift.len());
            return Some(format!("preprocessing of {scale} factors and {shift} summands for {width} inputs"));
        }
        let heads = self.heads.iter().map(|head| (&head.targets, &head.task));
        let wrong = std::iter::once((&self.targets, &self.task)).chain(heads);
        let wrong = wrong.into_iter().find(|(map, task)| !fits(map, task.n_targets()))?;
        Some(format!(
            "standardization of {} numbers for {} targets",
            wrong.0.scale.len(),
            wrong.1.n_targets()
        ))
    }

    /// The samples of a set as the model reads them; `targets` are those of several heads.
    pub(super) fn source(&self, set: Arc<Dataset>, targets: heads::HeadTargets) -> Preprocessed {
        let source = Preprocessed::new(set, self.inputs.clone(), self.targets.clone());
        match self.heads.is_empty() {
            true => source,
            false => {
                let head = |(own, targets): (&HeadReading, &Arc<[f32]>)| own.head(targets);
                let heads = self.heads.iter().zip(&targets).map(head).collect();
                source.with_heads(heads, targets)
            }
        }
    }

    /// Values that a model gives for a sample: one a class, or one a target, of all heads.
    pub fn n_outputs(&self) -> usize {
        match self.heads.is_empty() {
            true => self.task.n_outputs(),
            false => self.heads.iter().map(|head| head.task.n_outputs()).sum(),
        }
    }
}

/// What inputs are: all of them numbers where they are no table.
fn columns(schema: Option<&TableSchema>, width: usize) -> Inputs {
    let Some(schema) = schema else {
        return Inputs { numbers: (0..width).collect(), categories: Vec::new() };
    };
    let measures = schema.measures().into_iter().enumerate();
    let numbers = measures.filter_map(|(i, measures)| measures.then_some(i)).collect();
    Inputs { numbers, categories: schema.categories() }
}

/// The standardization of numbers as targets, where it suits them.
fn target_map(
    config: &RunConfig,
    loss: &LossConfig,
    set: &Dataset,
    train: &[u32],
) -> Result<Affine, TrainError> {
    let numbers = matches!(set.task, Task::Regression { .. });
    let logistic = loss.build(&set.task).probabilities() == Probabilities::Sigmoid;
    let suits = !config.data.is_arrays() && !logistic;
    match numbers && config.standardize_targets.unwrap_or(suits) {
        true => Ok(data::fit_targets(set, train)?),
        false => Ok(Affine::identity()),
    }
}

fn split(set: &Dataset, config: &RunConfig) -> Result<Splits, TrainError> {
    let Some(fold) = config.data.fold() else { return Ok(data::split(set, &config.data.split())?) };
    let mut folds = data::folds(set, fold.of, &config.data.split())?;
    Ok(folds.swap_remove(fold.index))
}

/// The weights are judged by the validation part, so it has a target; heads that have none in a part are told.
fn check_parts(heads: &[Dataset], config: &RunConfig, splits: &mut Splits) -> Result<(), TrainError> {
    if heads.is_empty() {
        return Ok(());
    }
    let of = |part: &[u32]| if part.is_empty() { Vec::new() } else { heads::untold(heads, part) };
    let (valid, test) = (of(&splits.valid), of(&splits.test));
    if valid.len() == heads.len() {
        let problem = "no sample of the validation part has a target, so it cannot choose the best weights";
        let hint = Some("`data.valid=0` chooses them by the training loss instead".into());
        return Err(TrainError::Heads { problem: problem.into(), hint });
    }
    for (name, untold) in [("the validation part", valid), ("the test part", test)] {
        let said = untold.iter().map(|i| heads::without_figures(&config.heads[*i].name, name));
        splits.warnings.extend(said);
    }
    Ok(())
}

/// A test part that counts nothing is told; other parts without weight are an error of the trainer.
fn check_weights(set: &Dataset, splits: &mut Splits) {
    let counts = |weights: &Vec<f64>| splits.test.iter().any(|i| weights[*i as usize] > 0.0);
    if !splits.test.is_empty() && set.weights.as_ref().is_some_and(|weights| !counts(weights)) {
        splits.warnings.push("all samples of the test part have the weight 0, so it has no loss".into());
    }
}

/// Which columns count more or less than their preprocessing makes them.
fn scale_note(config: &RunConfig) -> Option<String> {
    let factors = config.data.scale.iter().map(|(name, factor)| format!("`{name}` by {factor}"));
    let all = factors.collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| format!("inputs are multiplied after preprocessing: {all}"))
}

/// The error of a head that has nothing to learn from.
fn no_target(head: &str) -> TrainError {
    let problem = format!("no training sample has a target of head `{head}`");
    let hint = format!("remove `{head}` from `heads`, or train on samples that have it");
    TrainError::Heads { problem, hint: Some(hint) }
}

/// Arrays as they are; tables by column; images and bytes by one mean and deviation, which keeps what pixels have in
/// common.
fn default_preprocess(config: &RunConfig, set: &Dataset) -> Preprocess {
    let are_bytes = match &set.inputs {
        Values::F32(_) => false,
        Values::U8(_) => true,
        Values::Rows(rows) => rows.are_bytes(),
    };
    match set.input_shape.len() {
        _ if config.data.is_arrays() => Preprocess::None,
        1 if !are_bytes => Preprocess::Standardize,
        _ => Preprocess::GlobalStandardize,
    }
}
