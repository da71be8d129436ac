//! One step after another: gradient, update, counters; nothing is allocated in a step after the first of its size.

use std::sync::Arc;

use engine::kernels::update::sum_squares;
use engine::{Piece, Update};

use super::error::TrainError;
use super::evaluate::{Evaluator, Measured, Measuring};
use super::measure::n_correct;
use super::nonfinite::{culprit, first_bad_tensor};
use super::norms::Estimate;
use super::objective::Objective;
use super::prepared::Prepared;
use super::program::{Batch, Output, Program, ProgramKey, StepError, Work, draw};
use super::saved::SavedModel;
use super::session::Session;
use super::state::{Counters, State};
use crate::config::RunConfig;
use crate::data;
use crate::data::augment::Pipeline;
use crate::model::Model;
use crate::optim::{self, Optimizer, StepInfo};
use crate::schedule::{RunLength, Schedule};
use crate::source::{Pass, Preprocessed, Source};

/// A run in progress: data, programs, optimiser, and the state that steps change.
#[derive(Debug)]
pub struct Trainer {
    config: RunConfig,
    /// the data
    pub data: Prepared,
    /// model and programs
    pub session: Session,
    source: Arc<Preprocessed>,
    optimizer: Box<dyn Optimizer>,
    decays: Vec<bool>,
    schedule: Schedule,
    length: RunLength,
    /// what steps change
    pub state: State,
    /// the whole gradient, where its length is to be limited
    gradient: Vec<f32>,
    labels: Vec<f32>,
    /// samples of the epoch that is going on, in its order
    order: Vec<u32>,
    ordered_epoch: Option<u64>,
}

/// One update, with all that it depends on besides the slices of a piece.
struct Move<'a> {
    optimizer: &'a dyn Optimizer,
    info: StepInfo,
    decays: &'a [bool],
}

impl Update for Move<'_> {
    fn apply(&self, piece: Piece) {
        let decays = self.decays[piece.param];
        let piece = optim::Piece { param: piece.values, grad: piece.gradient, slots: piece.states, decays };
        self.optimizer.update(&self.info, piece);
    }
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
        let optimizer = config.optimizer.build()?;
        let decays = optimizer.decay_on().apply(&model.param_infos())?;
        let slots = vec![vec![0.0; params.len()]; optimizer.slots().len()];
        let length = run_length(config, data.splits.train.len());
        let augment = Pipeline::new(&config.augment, &data.set, &data.splits.train, config.seed)?;
        let mut trainer = Trainer {
            schedule: config.schedule.build(length)?,
            gradient: vec![0.0; if config.clip_norm.is_some() { params.len() } else { 0 }],
            labels: vec![0.0; config.batch],
            session: Session::new(model, objective, config.n_threads(), config.shards),
            source: Arc::new(data.source().augmented(augment)),
            state: State { params, buffers, slots, counters: Counters::default() },
            order: Vec::new(),
            ordered_epoch: None,
            config: config.clone(),
            optimizer,
            decays,
            length,
            data,
        };
        if trainer.source.mixes() {
            trainer.session.mix();
        }
        if let Some(path) = &config.init_from {
            let file = crate::model::weights::WeightsFile::open(path)?;
            let (p, b) = trainer.session.model.layout();
            let own = b.len();
            file.load(&mut [(p, &mut trainer.state.params), (b, &mut trainer.state.buffers[..own])])?;
        }
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
        self.session.program(&ProgramKey::train(batch.min(n_train)))?;
        let rest = n_train % batch;
        if rest > 0 && self.length.n_steps >= self.length.steps_per_epoch {
            let result = self.session.program(&ProgramKey::train(rest));
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
        f64::from(self.schedule.lr(self.optimizer.lr(), self.state.counters.step.saturating_sub(1)))
    }

    /// What a checkpoint says of the model.
    pub fn saved(&self) -> SavedModel {
        SavedModel {
            model: self.config.model.clone(),
            reading: self.data.reading.clone(),
            optimizer: self.config.optimizer.clone(),
            data_crc32: Some(self.data.crc32),
        }
    }

    /// The model's parameters and buffers.
    pub fn weights(&self) -> (&[f32], &[f32]) {
        (&self.state.params, &self.state.buffers)
    }

    /// One update. On an error the state is that before the step.
    ///
    /// # Errors
    /// When the loss is not finite.
    pub fn step(&mut self) -> Result<f32, StepError> {
        let step = self.state.counters.step;
        let epoch = step / self.length.steps_per_epoch;
        self.arrange(epoch);
        let first = (step % self.length.steps_per_epoch) as usize * self.config.batch;
        let indices = &self.order[first..(first + self.config.batch).min(self.order.len())];
        let n = indices.len();
        let program = self.session.program(&ProgramKey::train(n)).map_err(StepError::Graph)?;
        let mut batch = Batch::new(&*self.source, indices, Pass::Train { epoch });
        let state = &mut self.state;
        program.run((&state.params, &state.buffers), draw(self.config.seed, step), &batch);
        batch.fault().map_err(StepError::Source)?;
        let loss = program.loss();
        if !loss.is_finite() {
            return Err(StepError::NonFinite { loss });
        }
        let mut slots: [&mut [f32]; 4] = std::array::from_fn(|_| &mut [][..]);
        let n_slots = state.slots.len();
        slots.iter_mut().zip(&mut state.slots).for_each(|(s, own)| *s = own);
        let slots = &mut slots[..n_slots];
        let lr = self.schedule.lr(self.optimizer.lr(), step);
        let mut change = Move {
            optimizer: &*self.optimizer,
            info: StepInfo { step: step + 1, lr, grad_scale: 1.0 },
            decays: &self.decays,
        };
        match &self.config.clip_norm {
            None => program.update(&mut state.params, slots, &change),
            Some(clip) => {
                program.gradients(&mut self.gradient);
                change.info.grad_scale = clip.factor(sum_squares(&self.gradient).sqrt());
                program.apply(&mut state.params, &mut self.gradient, slots, &change);
            }
        }
        program.assign(&mut state.buffers);
        let sums = &mut state.counters.sums;
        sums.loss += f64::from(loss) * n as f64;
        sums.samples += n as u64;
        if self.data.set.n_classes().is_some() {
            let labels = &mut self.labels[..n];
            labels.iter_mut().zip(indices).for_each(|(l, i)| *l = label(&self.source, *i, epoch));
            let outputs = program.output(&Output::Outputs).unwrap_or_default();
            sums.correct += n_correct(outputs, labels, outputs.len() / n);
        }
        state.counters.step += 1;
        state.counters.samples += n as u64;
        Ok(loss)
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
        let first = (step % self.length.steps_per_epoch) as usize * self.config.batch;
        let indices = &self.order[first..(first + self.config.batch).min(self.order.len())];
        let batch = Batch::new(&*self.source, indices, Pass::Train { epoch });
        let draw = draw(self.config.seed, step);
        let found = culprit(&self.session, self.weights(), draw, &batch)?;
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
        let how = Measuring { part, batch: self.config.eval_batch, top_k: &self.config.top_k, keep };
        let samples = (&*self.source as &dyn Source, part_of(&self.data, part));
        let weights = weights.unwrap_or((&self.state.params, &self.state.buffers));
        self.session.measure(weights, samples, how)
    }

    /// A way to measure a part at weights that change, for which its samples are read and preprocessed once, as far as
    /// `budget_bytes` hold them.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples.
    pub fn evaluator(&self, part: &str, budget_bytes: usize) -> Result<Evaluator, TrainError> {
        let how = Measuring { part, batch: self.config.eval_batch, top_k: &self.config.top_k, keep: false };
        Evaluator::new(self.source.clone(), part_of(&self.data, part).to_vec(), how, budget_bytes)
    }

    /// Runs a program on `key.batch` samples, by their numbers in the source, at the weights as they are, and changes
    /// nothing: for probes. Random masks are those of the next step, random changes of samples those of its epoch where
    /// the program trains.
    ///
    /// # Errors
    /// When a probe names a layer that there is not, or the batch does not fit the layers.
    pub fn run(&mut self, key: &ProgramKey, samples: &[u32]) -> Result<&mut Program, TrainError> {
        let step = self.state.counters.step;
        let pass = match key.work {
            Work::Train => Pass::Train { epoch: step / self.length.steps_per_epoch },
            Work::Measure | Work::Answer => Pass::Measure,
        };
        let (weights, draw) =
            ((&self.state.params[..], &self.state.buffers[..]), draw(self.config.seed, step));
        self.session.run(key, weights, draw, (&*self.source, samples, pass))
    }

    /// Replaces the running averages of batch norms by statistics over a whole part of the data at the weights as they
    /// are, as [`Session::reestimate_norms`] does it.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples, or a layer from running on them.
    pub fn reestimate_norms(&mut self, part: &str, how: Estimate) -> Result<(), TrainError> {
        let State { params, buffers, .. } = &mut self.state;
        let samples = (&*self.source as &dyn Source, part_of(&self.data, part), Pass::Measure);
        self.session.reestimate_norms((params, buffers), samples, self.config.eval_batch, how)
    }
}

/// Indices of a part's samples.
fn part_of<'a>(data: &'a Prepared, part: &str) -> &'a [u32] {
    match part {
        "train" => &data.splits.train,
        "valid" => &data.splits.valid,
        _ => &data.splits.test,
    }
}

/// The class of a training sample; of a mixed one, that with the larger share.
fn label(source: &Preprocessed, sample: u32, epoch: u64) -> f32 {
    let mixed = source.mixed(sample, epoch);
    let sample = if mixed.own < 0.5 { mixed.partner } else { sample };
    source.set().targets[sample as usize]
}

fn run_length(config: &RunConfig, n_train: usize) -> RunLength {
    let steps_per_epoch = (n_train.div_ceil(config.batch)).max(1) as u64;
    let by_epochs = config.epochs.map(|e| e.saturating_mul(steps_per_epoch));
    let n_steps = by_epochs.into_iter().chain(config.steps).min().unwrap_or(0);
    RunLength { steps_per_epoch, n_steps }
}
