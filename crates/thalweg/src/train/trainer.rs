//! One step after another: gradient, update, counters; nothing is allocated in a step after the first of its size.

use std::borrow::Cow;
use std::ops::Range;

use engine::{Draw, StepContext};

use super::error::TrainError;
use super::evaluate::Measured;
use super::nonfinite::{culprit, first_bad_tensor};
use super::objective::Objective;
use super::prepared::Prepared;
use super::program::{Batch, Session, StepError, draw};
use super::saved::{SavedModel, SavedState};
use super::state::{Counters, State};
use super::step::{Room, Samples};
use crate::config::RunConfig;
use crate::data;
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
        let (params, mut buffers) = model.init(config.seed);
        buffers.extend_from_slice(objective.buffers());
        let length = run_length(config, data.splits.train.len());
        let updater = Updater::new(Recipe::from_config(config, length)?, model.params())?;
        let augment = Pipeline::new(&config.augment, &data.set, &data.splits.train, config.seed)?;
        let mut trainer = Trainer {
            room: Room::new(config.batch, model.n_outputs(), &buffers),
            session: Session::new(model, objective, config.n_threads(), config.shards),
            augment,
            state: State { params, buffers, slots: Vec::new(), counters: Counters::default() },
            order: Vec::new(),
            ordered_epoch: None,
            config: config.clone(),
            updater,
            length,
            data,
        };
        if trainer.augment.as_ref().is_some_and(Pipeline::mixes) {
            trainer.session.mix();
        }
        trainer.session.freeze(trainer.updater.frozen());
        if let Some(path) = &config.init_from {
            let file = crate::model::weights::WeightsFile::open(path)?;
            let (p, b) = trainer.session.model.layout();
            let own = b.len();
            file.load(&mut [(p, &mut trainer.state.params), (b, &mut trainer.state.buffers[..own])])?;
        }
        trainer.state.slots = trainer.updater.start(&trainer.state.params);
        trainer.check_batches()?;
        Ok(trainer)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, mut state: State) {
        state.buffers.extend_from_slice(self.session.objective.buffers());
        self.state = state;
    }

    /// Compiles the programs of the run, which finds every layer that cannot train on a batch.
    fn check_batches(&mut self) -> Result<(), TrainError> {
        if self.length.n_steps == 0 {
            return Ok(());
        }
        let (n_train, batch) = (self.data.splits.train.len(), self.config.batch);
        self.session.program(Mode::Train, batch.min(n_train))?;
        let rest = n_train % batch;
        if rest > 0 && self.length.n_steps >= self.length.steps_per_epoch {
            let result = self.session.program(Mode::Train, rest);
            result.map_err(|error| match rest {
                1 => TrainError::LastBatch { n_train, batch, error },
                _ => TrainError::Graph(error),
            })?;
        }
        Ok(())
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
    pub fn saved(&self) -> SavedModel {
        SavedModel {
            model: self.config.model.clone(),
            reading: self.data.reading.clone(),
            optimizer: self.config.optimizer.clone(),
            states: Some(SavedState::list(self.updater.states())),
            data_crc32: Some(self.data.crc32),
        }
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

    /// Figures of weights on a part of the data: `train`, `valid` or `test`.
    ///
    /// # Errors
    /// None after the model trained.
    pub fn measure(
        &mut self,
        part: &str,
        weights: Option<(&[f32], &[f32])>,
        keep: bool,
    ) -> Result<Measured, TrainError> {
        let indices = match part {
            "train" => &self.data.splits.train,
            "valid" => &self.data.splits.valid,
            _ => &self.data.splits.test,
        };
        let averaged = self.updater.averaged(&self.state.params, &self.state.slots, self.state.counters.step);
        let own = averaged.as_deref().unwrap_or(&self.state.params);
        let weights = weights.unwrap_or((own, &self.state.buffers));
        let how = (self.config.eval_batch, self.config.top_k.as_slice(), keep);
        self.session.measure_part(weights, &self.data, (part, indices), how)
    }
}

fn run_length(config: &RunConfig, n_train: usize) -> RunLength {
    let per_step = config.batch.saturating_mul(config.accumulate);
    let steps_per_epoch = (n_train.div_ceil(per_step)).max(1) as u64;
    let by_epochs = config.epochs.map(|e| e.saturating_mul(steps_per_epoch));
    let n_steps = by_epochs.into_iter().chain(config.steps).min().unwrap_or(0);
    RunLength { steps_per_epoch, n_steps }
}
