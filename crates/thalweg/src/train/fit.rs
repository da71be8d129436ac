//! A whole run of a trainer: training with figures after each epoch, evaluation, answers, saving and loading.

use std::ops::ControlFlow;
#[cfg(feature = "runs")]
use std::path::Path;

use record::{Figures, Metrics};

use super::choice::Split;
use super::error::TrainError;
use super::predictor::answer;
use super::program::StepError;
use super::trainer::Trainer;
#[cfg(feature = "runs")]
use super::{preprocessing::Preprocessing, saved};
use crate::data::Task;
use crate::model::Model;
use crate::source::{Head, Source};

/// What a callback sees after each step.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// updates done, from 1
    pub step: u64,
    /// mean loss of the batch, before the update
    pub loss: f32,
    /// figures of the epoch that this step ended: `train_loss`, `valid_loss` and so on
    pub epoch: Option<&'a Figures>,
    /// flat parameters; [`crate::model::Model::params`] names the views on them
    pub params: &'a [f32],
    /// flat buffers: the model's, then the loss's
    pub buffers: &'a [f32],
}

/// Is called after each step, and may end the run.
pub type Callback = dyn FnMut(&Event<'_>) -> ControlFlow<()> + Send;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Fitted {
    /// the figures of each epoch
    pub epochs: Vec<Figures>,
    /// whether a callback ended the run before its last step
    pub stopped: bool,
}

impl Fitted {
    /// A figure after the last epoch, such as `valid_accuracy`.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.epochs.last()?.metrics.get(name)
    }
}

impl Trainer {
    /// Trains to the end, or until a callback stops it.
    ///
    /// # Errors
    /// When the loss is not finite, or the source cannot give its samples. The state is then that before the step.
    pub fn fit(&mut self) -> Result<Fitted, TrainError> {
        let mut fitted = Fitted::default();
        while !self.is_done() {
            let loss = match self.step() {
                Ok(loss) => loss,
                Err(StepError::NonFinite { loss }) => {
                    let culprit = self.blame()?;
                    return Err(TrainError::NonFinite { loss, step: self.state.counters.step + 1, culprit });
                }
                Err(StepError::Graph(error)) => return Err(error.into()),
                Err(StepError::Source(error)) => return Err(TrainError::of_source(error)),
            };
            let step = self.state.counters.step;
            let length = self.length();
            let ends = step.is_multiple_of(length.steps_per_epoch) || step == length.n_steps;
            if ends {
                fitted.epochs.push(self.end_epoch()?);
            }
            let Some(callback) = &mut self.callback else { continue };
            let epoch = if ends { fitted.epochs.last() } else { None };
            let (params, buffers) = (&self.state.params[..], &self.state.buffers[..]);
            if callback(&Event { step, loss, epoch, params, buffers }).is_break() {
                fitted.stopped = !self.is_done();
                break;
            }
        }
        Ok(fitted)
    }

    /// Figures of the epoch that ends here: of training so far, and of the validation part. Sums over the epoch start
    /// again.
    ///
    /// # Errors
    /// When the validation part cannot be read.
    pub fn end_epoch(&mut self) -> Result<Figures, TrainError> {
        let sums = std::mem::take(&mut self.state.counters.sums);
        let mut metrics = Metrics::new();
        if sums.samples > 0 {
            metrics.set("train_loss", sums.mean_loss());
            if self.tells_classes {
                metrics.set("train_accuracy", sums.correct as f64 / sums.samples as f64);
            }
        }
        let valid = self.measure(Split::Valid, None, false)?;
        valid.metrics.iter().for_each(|(name, value)| metrics.set(name, value));
        let step = self.state.counters.step;
        let figures = Figures { epoch: step.div_ceil(self.length().steps_per_epoch), step, metrics };
        self.state.counters.last = Some(figures.clone());
        Ok(figures)
    }

    /// Figures of the weights as they are on other samples: `test_loss`, `test_accuracy` and so on.
    ///
    /// # Errors
    /// When the samples are not of the model's shape or heads, or cannot be read.
    pub fn evaluate(&mut self, source: &dyn Source) -> Result<Metrics, TrainError> {
        self.check_like(source)?;
        let all = numbers_of(source)?;
        let params = self.state.evaluated(&self.updater);
        let how = self.settings.measuring(Split::Test, false);
        Ok(self.session.measure((&params, &self.state.buffers), (source, &all), how)?.metrics)
    }

    /// What the model gives for samples, `[n, n_outputs]`: for classes the logits. `inputs` is `[n, input_shape..]`, as
    /// the model is to see them.
    ///
    /// # Errors
    /// When `inputs` is not a number of whole samples.
    pub fn predict(&mut self, inputs: &[f32]) -> Result<Vec<f32>, TrainError> {
        let params = self.state.evaluated(&self.updater);
        answer(&mut self.session, (&params, &self.state.buffers), inputs, self.settings.eval_batch)
    }

    /// Writes the weights, the optimizer's state and the step to a safetensors file, from which [`Trainer::load`] goes
    /// on. Other programs find the weights in it under PyTorch's names.
    ///
    /// # Errors
    /// When the file cannot be written; one that was there stays.
    #[cfg(feature = "runs")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        self.save_as(path.as_ref(), true)
    }

    /// Goes on where the trainer was that wrote a file. This one must have the same model and optimizer; with the same
    /// data and settings too, the rest of the run is bit for bit that of the one that was saved.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or holds another model or weights only.
    #[cfg(feature = "runs")]
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        let state = saved::read_state(path.as_ref(), &self.session.model, self.states())?;
        self.restore(state)
    }

    /// Writes a checkpoint: weights alone, or the whole state.
    #[cfg(feature = "runs")]
    pub(super) fn save_as(&self, path: &Path, whole: bool) -> Result<(), TrainError> {
        let (model, state) = (&self.session.model, &self.state);
        let terms = self.session.objective.terms();
        let own = self.about.saved.as_ref();
        let preprocessing = own.map(|saved| Preprocessing::new(&saved.reading, terms));
        let saved = own.zip(preprocessing.as_ref());
        if whole {
            let weights = (&state.params[..], &state.buffers[..]);
            return saved::write(path, saved, model, weights, Some((state, self.states())));
        }
        saved::write(path, saved, model, (&self.evaluated(), &state.buffers), None)
    }

    /// Whether samples are like those that are trained on.
    pub(super) fn check_like(&self, source: &dyn Source) -> Result<(), TrainError> {
        check_samples(source, &self.session.model)?;
        let words = |heads: &mut dyn Iterator<Item = &Head>| {
            let kind = |head: &Head| match &head.task {
                Task::Classification { classes } => format!("`{}`: {} classes", head.name, classes.len()),
                Task::Regression { targets } => format!("`{}`: {} numbers", head.name, targets.len()),
            };
            heads.map(kind).collect::<Vec<_>>().join(", ")
        };
        let expected = words(&mut self.session.objective.terms().iter().map(|term| &term.head));
        let got = words(&mut source.heads().iter());
        if got != expected {
            let problem = format!("the samples have targets {got}, expected {expected}");
            return Err(TrainError::Heads { problem, hint: None });
        }
        let terms = self.session.objective.terms();
        let pairs = || terms.iter().map(|term| &term.head).zip(source.heads());
        if let Some(error) = pairs().find_map(|(own, other)| other_class(own, other)) {
            return Err(error);
        }
        let partial = source
            .heads()
            .iter()
            .find(|head| head.may_miss && terms.iter().any(|t| t.head.name == head.name && !t.head.may_miss));
        match partial {
            Some(head) => {
                let problem = format!(
                    "targets of head `{}` are missing here, but none were missing in the training data",
                    head.name
                );
                let hint = "leave out the samples without that target, or train on data that lack some too";
                Err(TrainError::Heads { problem, hint: Some(hint.into()) })
            }
            None => Ok(()),
        }
    }
}

/// The error of a head whose classes are others than those that were learned, or in another order.
fn other_class(own: &Head, other: &Head) -> Option<TrainError> {
    let (learned, got) = (own.task.classes(), other.task.classes());
    let at = learned.iter().zip(got).position(|(a, b)| a != b)?;
    let of = if own.name.is_empty() { String::new() } else { format!(" in head `{}`", own.name) };
    let problem = format!("class {at} of the samples is `{}`{of}, expected `{}`", got[at], learned[at]);
    let names = learned.iter().take(8).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let more = if learned.len() > 8 { ", .." } else { "" };
    let hint =
        format!("number the samples' classes as in training: `named_classes(labels, [{names}{more}])`");
    Some(TrainError::Heads { problem, hint: Some(hint) })
}

/// Whether a source is whole, and its samples are of the model's shape.
pub(super) fn check_samples(source: &dyn Source, model: &Model) -> Result<(), TrainError> {
    source.check().map_err(TrainError::of_source)?;
    if source.input_shape() != model.input_shape() {
        let (expected, got) = (model.input_shape().to_vec(), source.input_shape().to_vec());
        return Err(TrainError::SampleShape { expected, got });
    }
    let mut weights = (0..source.len() as u32).map(|i| (i, source.weight(i)));
    let no_weight = |(_, w): &(u32, f64)| !(w.is_finite() && *w >= 0.0);
    match source.is_weighted().then(|| weights.find(no_weight)).flatten() {
        Some((i, w)) => {
            Err(TrainError::Source(format!("the weight of sample {i} is {w}, expected 0 or more").into()))
        }
        None => Ok(()),
    }
}

/// The numbers of all samples.
pub(super) fn numbers_of(source: &dyn Source) -> Result<Vec<u32>, TrainError> {
    let most = u32::MAX as usize;
    match u32::try_from(source.len()) {
        Ok(n) => Ok((0..n).collect()),
        Err(_) => {
            Err(TrainError::Source(format!("{} samples, expected at most {most}", source.len()).into()))
        }
    }
}
