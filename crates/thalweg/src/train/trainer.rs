//! One step after another: gradient, update, counters; nothing is allocated in a step after the first of its size.

use std::borrow::Cow;
use std::ops::Range;

use engine::{Draw, StepContext};

use super::choice::Split;
use super::error::TrainError;
use super::evaluate::Measured;
use super::memory::{self, Need};
use super::nonfinite::{culprit, first_bad_tensor};
use super::objective::Objective;
use super::prepared::Prepared;
use super::program::{Batch, Session, StepError, draw};
#[cfg(feature = "runs")]
use super::saved::{SavedModel, SavedState};
use super::state::{Counters, State};
use super::step::{Room, Samples};
use crate::config::RunConfig;
use crate::data;
use crate::data::Values;
use crate::data::augment::Pipeline;
use crate::model::{Mode, Model};
use crate::optim::{NamedState, Recipe, Stopped, Updater};
use crate::schedule::RunLength;

/// A run in progress: data, programs, optimizer, and the state that steps change.
#[derive(Debug)]
pub struct Trainer {
    config: RunConfig,
    /// the data
    pub data: Prepared,
    /// model and programs
    pub session: Session,
    augment: Option<Pipeline>,
    updater: Updater,
    length: RunLength,
    /// what steps change
    pub state: State,
    room: Room,
    /// samples of the epoch that is going on, in its order
    order: Vec<u32>,
    ordered_epoch: Option<u64>,
}

impl Trainer {
    /// A run from its start: initial weights from the seed, or from `init_from`.
    ///
    /// # Errors
    /// When the config does not fit the data or the model.
    pub fn new(config: &RunConfig, data: Prepared) -> Result<Self, TrainError> {
        let objective = Objective::new(&config.loss, &data)?;
        let model = Model::new(&config.model, &data.reading.input_shape, data.n_outputs())?;
        let length = run_length(config, data.splits.train.len());
        let updater = Updater::new(Recipe::from_config(config, length)?, model.params())?;
        let augment = Pipeline::new(&config.augment, &data.set, &data.splits.train, config.seed)?;
        let mut session = Session::new(model, objective, config.n_threads(), config.shards);
        if augment.as_ref().is_some_and(Pipeline::mixes) {
            session.mix();
        }
        session.freeze(updater.frozen());
        let need = need(config, &data, &mut session, length, &updater)?;
        if !need.can_be_had() {
            return Err(TrainError::Memory { need });
        }
        let (params, mut buffers) = session.model.init(config.seed);
        buffers.extend_from_slice(session.objective().buffers());
        let mut trainer = Trainer {
            room: Room::new(config.batch, session.model.n_outputs(), &buffers),
            session,
            augment,
            state: State { params, buffers, slots: Vec::new(), counters: Counters::default() },
            order: Vec::new(),
            ordered_epoch: None,
            config: config.clone(),
            updater,
            length,
            data,
        };
        #[cfg(feature = "runs")]
        if let Some(path) = &config.init_from {
            let file = crate::model::weights::WeightsFile::open(path)?;
            let (p, b) = trainer.session.model.layout();
            let own = b.len();
            file.load(&mut [(p, &mut trainer.state.params), (b, &mut trainer.state.buffers[..own])])?;
        }
        #[cfg(not(feature = "runs"))]
        if config.init_from.is_some() {
            let problem = "files of weights are read with the feature `runs` of the crate".into();
            let (key, place) = ("init_from".into(), crate::config::Place::Default);
            return Err(crate::config::ConfigError::Refused { key, problem, place }.into());
        }
        trainer.state.slots = trainer.updater.start(&trainer.state.params);
        for batch in train_batches(config, trainer.data.splits.train.len(), length) {
            trainer.session.program(Mode::Train, batch)?;
        }
        Ok(trainer)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, mut state: State) {
        state.buffers.extend_from_slice(self.session.objective().buffers());
        self.state = state;
    }

    /// Steps of the run and of an epoch.
    pub fn length(&self) -> RunLength {
        self.length
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.state.counters.step >= self.length.n_steps
    }

    /// The learning rate of the step that was done last.
    pub fn last_lr(&self) -> f64 {
        f64::from(self.updater.lr(self.state.counters.step.saturating_sub(1)))
    }

    /// What a checkpoint says of the model.
    #[cfg(feature = "runs")]
    pub fn saved(&self) -> SavedModel {
        let (model, optimizer) = (self.config.model.clone(), self.config.optimizer.clone());
        let states = SavedState::list(self.updater.states());
        let identity = self.data.identities.newest();
        SavedModel::new(model, self.data.reading.clone(), (optimizer, states), Some(identity))
    }

    /// The model's parameters and buffers.
    pub fn weights(&self) -> (&[f32], &[f32]) {
        (&self.state.params, &self.state.buffers)
    }

    /// What the optimizer keeps, in the order of the state's `slots`.
    pub fn states(&self) -> &[NamedState] {
        self.updater.states()
    }

    /// Parameters that are measured and kept: the averaged ones, where there are any.
    pub fn evaluated(&self) -> Cow<'_, [f32]> {
        let State { params, slots, counters, .. } = &self.state;
        self.updater.averaged(params, slots, counters.step).map_or(Cow::Borrowed(params), Cow::Owned)
    }

    /// What people should know of the updates: groups of parameters, and what averaged weights lack.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.updater.notes();
        if self.updater.averages() && !self.session.model.buffers().is_empty() {
            let text =
                "averaged weights are measured with the running statistics of the weights that are trained";
            notes.push(text.to_owned());
        }
        notes
    }

    /// One update. On an error the state is that before the step.
    ///
    /// # Errors
    /// When the loss is not finite.
    pub fn step(&mut self) -> Result<f32, StepError> {
        let step = self.state.counters.step;
        let epoch = step / self.length.steps_per_epoch;
        self.arrange(epoch);
        let indices = &self.order[self.of_step(step)];
        let state = &mut self.state;
        self.room.buffers.copy_from_slice(&state.buffers);
        let mut samples = Samples {
            session: &mut self.session,
            whole: Batch {
                set: &self.data.set,
                reading: &self.data.reading,
                indices,
                augment: self.augment.as_ref().map(|pipeline| (pipeline, epoch)),
            },
            batch: self.config.batch,
            draw: draw(self.config.seed, step),
            room: &mut self.room,
            sums: state.counters.sums,
            ran: 0,
            error: None,
        };
        let result = self.updater.step(step, &mut samples, &mut state.params, &mut state.slots);
        let (sums, error) = (samples.sums, samples.error);
        let loss = result.map_err(|Stopped| error.unwrap_or(StepError::NonFinite { loss: f32::NAN }))?;
        state.buffers.copy_from_slice(&self.room.buffers);
        state.counters.sums = sums;
        state.counters.step += 1;
        state.counters.samples += indices.len() as u64;
        Ok(loss)
    }

    /// Where the samples of a step are in the order of its epoch.
    fn of_step(&self, step: u64) -> Range<usize> {
        let n = self.config.batch.saturating_mul(self.config.accumulate);
        let first = ((step % self.length.steps_per_epoch) as usize).saturating_mul(n).min(self.order.len());
        first..first.saturating_add(n).min(self.order.len())
    }

    /// Puts the training samples in the order of an epoch.
    fn arrange(&mut self, epoch: u64) {
        if self.ordered_epoch == Some(epoch) {
            return;
        }
        let train = &self.data.splits.train;
        let order = data::order(train.len(), self.config.seed, epoch, self.config.shuffle);
        self.order.clear();
        self.order.extend(order.iter().map(|i| train[*i as usize]));
        self.ordered_epoch = Some(epoch);
    }

    /// Which layer made the loss of the next step not finite, in words.
    ///
    /// # Errors
    /// None after a step of this size was tried.
    pub fn blame(&mut self) -> Result<String, TrainError> {
        let step = self.state.counters.step;
        let epoch = step / self.length.steps_per_epoch;
        self.arrange(epoch);
        let samples = &self.order[self.of_step(step)];
        let augment = self.augment.as_ref().map(|pipeline| (pipeline, epoch));
        let mut found = None;
        for (i, indices) in samples.chunks(self.config.batch).enumerate() {
            let batch = Batch { set: &self.data.set, reading: &self.data.reading, indices, augment };
            let first_row = (i * self.config.batch) as u64;
            let context = StepContext {
                params: &self.state.params,
                buffers: &self.state.buffers,
                tangents: &[],
                draw: Draw { first_row, ..draw(self.config.seed, step) },
            };
            found = found.or(culprit(&self.session, context, &batch)?);
        }
        Ok(found.map_or_else(|| "the loss itself".to_owned(), |c| c.what))
    }

    /// The first tensor of the state that holds a number that is not finite, in words.
    pub fn spoilt(&self) -> Option<String> {
        first_bad_tensor(&self.session, &self.state.params, &self.state.buffers)
    }

    /// Figures of weights on a part of the data; none of a part without samples.
    ///
    /// # Errors
    /// None after the model trained.
    pub fn measure(
        &mut self,
        part: Split,
        weights: Option<(&[f32], &[f32])>,
        keep: bool,
    ) -> Result<Measured, TrainError> {
        let indices = part.of(&self.data.splits);
        let averaged = self.updater.averaged(&self.state.params, &self.state.slots, self.state.counters.step);
        let own = averaged.as_deref().unwrap_or(&self.state.params);
        let weights = weights.unwrap_or((own, &self.state.buffers));
        let how = (self.config.eval_batch, self.config.top_k.as_slice(), keep);
        self.session.measure_part(weights, &self.data, (part, indices), how)
    }
}

/// Sizes of the batches that the run trains on: the whole one, then the last one of an epoch where it is shorter.
fn train_batches(config: &RunConfig, n_train: usize, length: RunLength) -> Vec<usize> {
    let mut sizes = cut(n_train, config.batch);
    if length.n_steps < length.steps_per_epoch {
        sizes.truncate(1);
    }
    if length.n_steps == 0 { Vec::new() } else { sizes }
}

/// Sizes of the batches into which samples are cut.
fn cut(n: usize, batch: usize) -> Vec<usize> {
    let batch = batch.clamp(1, n.max(1));
    [if n > 0 { batch } else { 0 }, n % batch].into_iter().filter(|size| *size > 0).collect()
}

/// Compiles the programs of the run, which finds every layer that cannot work on a batch, and adds up what is kept in
/// memory at once.
fn need(
    config: &RunConfig,
    data: &Prepared,
    session: &mut Session,
    length: RunLength,
    updater: &Updater,
) -> Result<Need, TrainError> {
    let (n_train, batch) = (data.splits.train.len(), config.batch);
    let mut programs = 0usize;
    for size in train_batches(config, n_train, length) {
        let bytes = session.program_bytes(Mode::Train, size).map_err(|error| match size {
            1 if batch > 1 => TrainError::LastBatch { n_train, batch, error },
            _ => TrainError::Graph(error),
        })?;
        programs = programs.saturating_add(bytes);
    }
    let [valid, test] = [&data.splits.valid, &data.splits.test].map(Vec::len);
    let judged = [test, valid, n_train].into_iter().find(|n| *n > 0).unwrap_or(0);
    let mut measured = [cut(valid, config.eval_batch), cut(judged, config.eval_batch)].concat();
    measured.sort_unstable();
    measured.dedup();
    for size in &measured {
        programs = programs.saturating_add(session.program_bytes(Mode::Eval, *size)?);
    }
    let (params, buffers) = (session.model.params().len(), session.model.buffers().len());
    let (outputs, targets) = (session.model.n_outputs(), data.set.n_targets());
    let whole_gradient = config.clip_norm.is_some() || config.accumulate > 1 || !config.wrap.0.is_empty();
    let vectors = 1 + usize::from(whole_gradient);
    let states = updater.states().iter().map(|s| s.layout().len()).fold(0, usize::saturating_add);
    // at the end the best weights are read from their file, beside the last ones
    let saved = params.saturating_add(buffers).saturating_mul(2);
    let largest = measured.last().copied().unwrap_or(0);
    let rows = [batch, largest, judged].map(|n| n.saturating_mul(1 + outputs + targets));
    // each cell of a confusion matrix is a number of 8 bytes
    let cells = data.set.n_classes().map_or(0, |k| k.saturating_mul(k).saturating_mul(2));
    let data = match &data.set.inputs {
        Values::F32(values) => values.len(),
        // bytes may be a part of a file, which takes no memory that cannot be given up
        Values::U8(_) => 0,
    };
    Ok(Need {
        data: memory::floats(&[data]),
        state: memory::floats(&[params.saturating_mul(vectors), states, buffers, saved]),
        programs,
        answers: memory::floats(&[rows[0], rows[1], rows[2], cells]),
    })
}

fn run_length(config: &RunConfig, n_train: usize) -> RunLength {
    let per_step = config.batch.saturating_mul(config.accumulate);
    let steps_per_epoch = (n_train.div_ceil(per_step)).max(1) as u64;
    let by_epochs = config.epochs.map(|e| e.saturating_mul(steps_per_epoch));
    let n_steps = by_epochs.into_iter().chain(config.steps).min().unwrap_or(0);
    RunLength { steps_per_epoch, n_steps }
}
