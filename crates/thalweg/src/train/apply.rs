//! A trained model at work: its run's own samples or new data, measured or answered.

use std::path::Path;
use std::sync::Arc;

use record::{Calibration, Evaluation, RunDir};

use super::calibrate::calibrated;
use super::choice::{Kept, Split};
use super::error::TrainError;
use super::evaluate::{Measured, Measuring};
use super::heads;
use super::judged::{argmax, compared, evaluation_of};
use super::objective::{Objective, Term};
use super::prepared::{Prepared, Reading};
use super::preprocessing::Preprocessing;
use super::saved::Checkpoint;
use super::seen::{Seen, same_data};
use super::session::Session;
use crate::config::{ClassWeights, LossConfig, RunConfig};
use crate::data::{self, DataOptions, Dataset, Identity, Splits, Task, TaskKind};
use crate::losses::Probabilities;
use crate::model::Model;
use crate::source::{Head, Preprocessed};

/// A trained model, ready for samples.
#[derive(Debug)]
pub struct Trained {
    pub(super) session: Session,
    pub(super) reading: Reading,
    pub(super) params: Vec<f32>,
    /// the model's
    buffers: Vec<f32>,
    pub(super) config: RunConfig,
    /// what tells the data it was trained on from others
    identity: Option<Identity>,
    /// the run's own config, which names those data
    own: Option<RunConfig>,
    pub(super) warnings: Vec<String>,
    /// by which its answers are corrected
    pub(super) calibration: Option<Calibration>,
}

/// What a model says of samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// One class for each sample.
    Classes {
        /// names of the classes
        classes: Vec<String>,
        /// the class that came first, `[n]`
        chosen: Vec<usize>,
        /// for each class its probability, or its score where the loss knows no probabilities, `[n, classes]`
        scores: Vec<f32>,
    },
    /// One number for each sample and target.
    Numbers {
        /// names of the targets
        targets: Vec<String>,
        /// in the unit of the source, or probabilities of yes, `[n, targets]`
        values: Vec<f64>,
    },
    /// What each of several heads says, by its name.
    Heads(Vec<(String, Answers)>),
}

/// A part of the data that was measured.
#[derive(Clone, Debug)]
pub struct Report {
    /// the figures
    pub measured: Measured,
    /// what is right and what is wrong
    pub evaluation: Evaluation,
}

impl Trained {
    /// Takes the best or the last weights of a run.
    ///
    /// `config` is the run's own, perhaps with other data.
    ///
    /// # Errors
    /// When there is no such checkpoint, or it is damaged.
    pub fn open(run: &RunDir, config: RunConfig, checkpoint: Kept) -> Result<Self, TrainError> {
        let path = match checkpoint {
            Kept::Best => run.best_checkpoint(),
            Kept::Last => run.last_checkpoint(),
        };
        let own = RunConfig::from_toml(&run.config()?, &run.config_path(), &[])?;
        Ok(Trained { own: Some(own), ..Self::from_checkpoint(&path, config)? })
    }

    /// The same from a checkpoint anywhere.
    ///
    /// # Errors
    /// As for [`Trained::open`].
    pub fn from_checkpoint(path: &Path, config: RunConfig) -> Result<Self, TrainError> {
        let checkpoint = Checkpoint::open(path)?;
        let model = checkpoint.model()?;
        let (params, buffers) = checkpoint.weights(&model)?;
        let identity = checkpoint.saved.identity();
        let reading = checkpoint.saved.reading;
        // A stand-in: what the loss takes from data is told by `measure`, which has some.
        let set = nothing(&reading);
        let nothing = Prepared {
            identities: set.identities(),
            set: Arc::new(set),
            splits: Splits::default(),
            head_targets: reading.heads.iter().map(|_| Arc::default()).collect(),
            reading: reading.clone(),
        };
        let plain = without_counts(&config);
        let objective = Objective::new(&nothing.source(), &[], |head| plain.loss_of(head))?;
        let session = Session::new(model, objective, config.n_threads(), config.shards);
        let (warnings, calibration) = (Vec::new(), None);
        Ok(Trained { session, reading, params, buffers, config, identity, own: None, warnings, calibration })
    }

    /// What was lost of the data that were measured or answered last, such as files that cannot be read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How its inputs are made of samples, and answers of its outputs.
    pub fn preprocessing(&self) -> Preprocessing {
        Preprocessing::new(&self.reading, self.session.objective.terms())
    }

    /// The network.
    pub fn model(&self) -> &Model {
        &self.session.model
    }

    /// How new data are read: as those that the model was trained on.
    fn options(&self, needs: Needs) -> DataOptions {
        let inputs_only = needs == Needs::Inputs;
        let mut options = DataOptions {
            schema: self.reading.schema.clone(),
            cache: data::default_cache_folder(),
            inputs_only,
            known_classes: self.reading.task.classes().to_vec(),
            known_shape: self.reading.input_shape.clone(),
            known_task: Some(match self.reading.task {
                Task::Classification { .. } => TaskKind::Classification,
                Task::Regression { .. } => TaskKind::Regression,
            }),
            missing_targets: !self.reading.heads.is_empty(),
            // whether new data are streamed depends on their size, not on that of the training data
            stream: self.config.data.stream.filter(|streams| !streams),
            // new data are not cut into parts
            group: None,
            time: None,
            ..self.config.data.options()
        };
        if inputs_only {
            options.task = None;
        }
        options
    }

    /// The columns of a table that the model sees, in the order of its inputs; none where it was no table.
    pub fn input_columns(&self) -> Vec<String> {
        self.reading.schema.iter().flat_map(|s| s.columns.iter().map(|c| c.name.clone())).collect()
    }

    /// Columns of a table of new data as they are written, for each a text a sample.
    ///
    /// # Errors
    /// When the data are no table, or have no column of a name.
    #[cfg(feature = "table")]
    pub fn texts(&self, columns: &[String]) -> Result<Vec<Vec<String>>, TrainError> {
        let options = self.options(Needs::Inputs);
        Ok(data::table_texts(Path::new(&self.config.data.source), columns, &options)?)
    }

    /// Opens new data in the way of the training data: the same columns, classes and shape of a sample.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or [`TrainError::SampleShape`] and [`TrainError::Targets`].
    pub fn open_data(&self, needs: Needs) -> Result<Dataset, TrainError> {
        let options = self.options(needs);
        let mut set = data::open(&self.config.data.source, &options)?;
        if set.input_shape != self.reading.input_shape {
            let expected = self.reading.input_shape.clone();
            return Err(TrainError::SampleShape { expected, got: set.input_shape });
        }
        match needs {
            Needs::Inputs => {
                set.targets = vec![0.0; set.len() * self.reading.task.n_targets()];
            }
            Needs::Targets if !set.has_targets() => return Err(TrainError::NoTargets),
            Needs::Targets => self.check_targets(&set)?,
        }
        set.task = self.reading.task.clone();
        Ok(set)
    }

    fn check_targets(&self, set: &Dataset) -> Result<(), TrainError> {
        let (expected, got) = (self.reading.n_outputs(), set.task.n_outputs());
        let fits = match (&self.reading.task, &set.task) {
            (Task::Classification { .. }, Task::Classification { .. }) => got <= expected,
            (Task::Regression { .. }, Task::Regression { .. }) => got == expected,
            // Whole numbers look like classes until somebody says what they are.
            (Task::Regression { .. }, Task::Classification { .. }) => expected == 1,
            (Task::Classification { .. }, Task::Regression { .. }) => false,
        };
        if fits { Ok(()) } else { Err(TrainError::Targets { expected, got }) }
    }

    /// Measures the run's own data, split as in training: the test part, or the next best that there is.
    ///
    /// # Errors
    /// Whatever is wrong with the data.
    pub fn measure_own(&mut self, checkpoint: Kept) -> Result<Report, TrainError> {
        if self.config.data.is_stdin() {
            return Err(TrainError::StandardInput);
        }
        let prepared = self.own_data()?;
        let splits = prepared.splits.clone();
        let part = Split::to_judge(&splits);
        let source = prepared.source();
        let mut report = self.measure(&source, (part, part.of(&splits)), checkpoint)?;
        if self.config.baselines {
            let (train, judged) = ((&source as _, &splits.train[..]), (&source as _, part.of(&splits)));
            report.evaluation.baselines = compared(&self.session.objective, train, judged, &report.measured)?;
        }
        Ok(report)
    }

    /// The run's own data, with the losses made ready for them.
    pub(super) fn own_data(&mut self) -> Result<Prepared, TrainError> {
        let prepared = Prepared::open_again(&self.config, &self.reading)?;
        let unknown = prepared.check_same(self.identity, &self.config.data.source, None)?;
        self.warnings.clone_from(&prepared.set.warnings);
        self.warnings.extend(unknown);
        let choose = |head: &Head| self.config.loss_of(head);
        let objective = Objective::new(&prepared.source(), &prepared.splits.train, choose)?;
        self.session.set_objective(objective);
        Ok(prepared)
    }

    /// Measures new data: its own test part where it has one, else all of it. Class weights that were counted on the
    /// training samples are left out of the loss.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or does not fit the model.
    pub fn measure_new(&mut self, checkpoint: Kept) -> Result<Report, TrainError> {
        let (set, targets) = match self.reading.heads.is_empty() {
            true => (self.open_data(Needs::Targets)?, Vec::new()),
            false => self.open_heads()?,
        };
        self.warnings.clone_from(&set.warnings);
        let range = set.fixed_test.clone().unwrap_or(0..set.len());
        let indices: Vec<u32> = range.map(|i| i as u32).collect();
        self.warnings.extend(self.seen(&set, &indices)?);
        let source = self.reading.source(Arc::new(set), targets);
        // other targets may be missing than in training, and classes are not counted again
        let plain = without_counts(&self.config);
        self.session.set_objective(Objective::new(&source, &[], |head| plain.loss_of(head))?);
        self.measure(&source, (Split::Test, &indices), checkpoint)
    }

    /// What is said of samples that the model was trained on: by its own data, where they are still what they were,
    /// else by the checksum of all.
    fn seen(&self, set: &Dataset, samples: &[u32]) -> Result<Option<String>, TrainError> {
        let same = self.identity.is_some_and(|then| set.identities().of_version(then.version) == Some(then));
        let own = self.own.as_ref().and_then(|own| Prepared::open_again(own, &self.reading).ok());
        let own = own.filter(|own| {
            let now = self.identity.and_then(|then| own.identities.of_version(then.version));
            now.is_some() && now == self.identity
        });
        let by_row = match own {
            Some(own) => Seen::of(&own)?.warning(set, samples)?,
            None => None,
        };
        Ok(by_row.or(same.then(same_data)))
    }

    /// New data with the targets of each head.
    fn open_heads(&self) -> Result<(Dataset, heads::HeadTargets), TrainError> {
        let schemas: Vec<_> = self.reading.heads.iter().map(|head| head.schema.clone()).collect();
        let mut all = heads::open(&self.config, &schemas)?;
        if all.iter().flat_map(|set| &set.targets).all(|y| y.is_nan()) {
            return Err(TrainError::NoTargets);
        }
        let n = all[0].len();
        let measured: Vec<u32> = all[0].fixed_test.clone().unwrap_or(0..n).map(|i| i as u32).collect();
        let untold = heads::untold(&all, &measured);
        let said = untold.iter().map(|i| heads::without_figures(&self.reading.heads[*i].name, "these data"));
        all[0].warnings.extend(said);
        let targets = all.iter_mut().map(|set| std::mem::take(&mut set.targets).into()).collect();
        let mut set = all.swap_remove(0);
        set.targets = vec![f32::NAN; n * set.n_targets()];
        Ok((set, targets))
    }

    /// The model's buffers, and behind them the loss's.
    pub(super) fn all_buffers(&self) -> Vec<f32> {
        [&self.buffers[..], self.session.objective.buffers()].concat()
    }

    fn measure(
        &mut self,
        source: &Preprocessed,
        part: (Split, &[u32]),
        checkpoint: Kept,
    ) -> Result<Report, TrainError> {
        let buffers = self.all_buffers();
        let (batch, top_k) = (self.config.eval_batch, self.config.top_k.as_slice());
        let how = Measuring { part: part.0, batch, top_k, keep: true };
        let measured = self.session.measure((&self.params, &buffers), (source, part.1), how)?;
        let evaluation = evaluation_of(&measured, &self.session.objective, part.0, checkpoint);
        Ok(Report { measured, evaluation })
    }

    /// Answers for all samples of new data.
    ///
    /// # Errors
    /// Whatever is wrong with the data, or does not fit the model.
    pub fn answer(&mut self) -> Result<Answers, TrainError> {
        let set = self.open_data(Needs::Inputs)?;
        self.warnings.clone_from(&set.warnings);
        let indices: Vec<u32> = (0..set.len() as u32).collect();
        let buffers = self.all_buffers();
        let none = self.reading.heads.iter().map(|_| Arc::default()).collect();
        let source = self.reading.source(Arc::new(set), none);
        let weights = (&self.params[..], &buffers[..]);
        let outputs = self.session.answer(weights, (&source, &indices), self.config.eval_batch)?;
        Ok(match (&self.calibration, self.reading.task.classes()) {
            (Some(calibration), classes) if !classes.is_empty() => calibrated(classes, &outputs, calibration),
            _ => self.words(outputs),
        })
    }

    /// What the outputs mean.
    pub(super) fn words(&self, outputs: Vec<f32>) -> Answers {
        let terms = self.session.objective.terms();
        let width = terms.iter().map(|term| term.outputs.len()).sum::<usize>().max(1);
        let of_head = |term: &Term| {
            let own = outputs.chunks_exact(width).flat_map(|row| &row[term.outputs.clone()]);
            words(term, own.copied().collect())
        };
        match terms {
            [term] => words(term, outputs),
            _ => Answers::Heads(terms.iter().map(|t| (t.head.name.clone(), of_head(t))).collect()),
        }
    }
}

/// What the outputs of one head mean.
fn words(term: &Term, mut outputs: Vec<f32>) -> Answers {
    let probabilities = term.loss.probabilities();
    let width = term.outputs.len().max(1);
    match &term.head.task {
        Task::Classification { classes } => {
            let chosen = outputs.chunks_exact(width).map(argmax).collect();
            match probabilities {
                Probabilities::Softmax => outputs.chunks_exact_mut(width).for_each(softmax),
                Probabilities::Sigmoid => outputs.iter_mut().for_each(|x| *x = sigmoid(*x)),
                Probabilities::None => {}
            }
            Answers::Classes { classes: classes.clone(), chosen, scores: outputs }
        }
        Task::Regression { targets } => {
            let yes_or_no = probabilities == Probabilities::Sigmoid;
            // what f32 gives is rounded to it before the offset, so that it prints in few digits
            let number = |(j, x): (usize, &f32)| match yes_or_no {
                true => f64::from(sigmoid(*x)),
                false => term.head.offset(j) + f64::from(term.head.own_unit(j, *x) as f32),
            };
            let values =
                outputs.chunks_exact(width).flat_map(|row| row.iter().enumerate().map(number)).collect();
            Answers::Numbers { targets: targets.clone(), values }
        }
    }
}

/// What new data must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Samples to answer for.
    Inputs,
    /// Also what to compare with.
    Targets,
}

/// The losses without what is counted on training samples.
fn without_counts(config: &RunConfig) -> RunConfig {
    let mut config = config.clone();
    for loss in config.heads.iter_mut().map(|head| &mut head.loss).chain([&mut config.loss]) {
        if let LossConfig::CrossEntropy(c) = loss
            && c.class_weights == ClassWeights::Balanced
        {
            c.class_weights = ClassWeights::None;
        }
    }
    config
}

/// A set of no samples that has a model's task.
fn nothing(reading: &Reading) -> Dataset {
    Dataset {
        name: String::new(),
        input_shape: reading.input_shape.clone(),
        inputs: data::Values::F32(Vec::new()),
        targets: Vec::new(),
        task: reading.task.clone(),
        features: Vec::new(),
        origin: data::Origin::default(),
        fixed_valid: None,
        fixed_test: None,
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
    }
}

/// e^x / Σ e^x, in f64.
fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|x| libm::exp(f64::from(x - top))).sum();
    row.iter_mut().for_each(|x| *x = (libm::exp(f64::from(*x - top)) / sum) as f32);
}

fn sigmoid(x: f32) -> f32 {
    (1.0 / (1.0 + libm::exp(-f64::from(x)))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_probabilities() {
        let mut row = [1.0, 2.0, 3.0];
        softmax(&mut row);
        let expected = [0.09003057, 0.24472848, 0.66524094];
        row.iter().zip(expected).for_each(|(got, want)| assert!((got - want).abs() < 1e-7, "{row:?}"));
        let mut far = [1000.0, -1000.0];
        softmax(&mut far);
        assert_eq!(far, [1.0, 0.0]);
        assert_eq!((sigmoid(0.0), sigmoid(-200.0), sigmoid(200.0)), (0.5, 0.0, 1.0));
    }
}
