//! One step after another: gradient, update, counters; nothing is allocated in a step after the first of its size.

#[cfg(feature = "runs")]
use std::path::Path;
use std::sync::Arc;

use engine::kernels::update::sum_squares;
use engine::{Piece, Update};

use super::about::About;
use super::choice::Split;
use super::error::TrainError;
use super::evaluate::{Evaluator, Measured, Measuring};
use super::fit::Callback;
use super::measure::n_correct;
use super::memory::{self, Need};
use super::nonfinite::{culprit, first_bad_tensor};
use super::norms::Estimate;
use super::objective::Objective;
use super::prepared::Prepared;
use super::program::{Batch, Output, Program, ProgramKey, StepError, Work, draw};
use super::session::Session;
use super::state::{Counters, State};
use crate::config::RunConfig;
use crate::data;
use crate::data::augment::Pipeline;
use crate::data::{Task, Values};
use crate::model::Model;
use crate::optim::{self, ClipNorm, Optimizer, StepInfo};
use crate::schedule::{RunLength, Schedule, ScheduleConfig};
use crate::source::{Head, Pass, Source, SourceError};

/// Samples of one part of the data: some or all of a source.
#[derive(Clone)]
pub(super) struct Samples {
    pub source: Arc<dyn Source>,
    /// their numbers in the source
    pub numbers: Vec<u32>,
}

/// What is trained on and what is measured.
#[derive(Clone)]
pub(super) struct Parts {
    pub train: Samples,
    pub valid: Samples,
    pub test: Samples,
}

impl Parts {
    fn of(&self, part: Split) -> &Samples {
        match part {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    /// The part that a finished run is judged by: the test part, or the next best that has samples.
    #[cfg(feature = "runs")]
    pub fn to_judge(&self) -> Split {
        let all = [Split::Test, Split::Valid, Split::Train];
        all.into_iter().find(|part| !self.of(*part).numbers.is_empty()).unwrap_or(Split::Train)
    }
}

/// How a run goes, besides what it learns.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub batch: usize,
    pub eval_batch: usize,
    pub epochs: Option<u64>,
    pub steps: Option<u64>,
    pub shuffle: bool,
    pub seed: u64,
    pub shards: usize,
    pub threads: usize,
    pub clip_norm: Option<ClipNorm>,
    pub top_k: Vec<usize>,
    pub schedule: ScheduleConfig,
}

impl Settings {
    pub fn of(config: &RunConfig) -> Self {
        Settings {
            batch: config.batch,
            eval_batch: config.eval_batch,
            epochs: config.epochs,
            steps: config.steps,
            shuffle: config.shuffle,
            seed: config.seed,
            shards: config.shards,
            threads: config.n_threads(),
            clip_norm: config.clip_norm,
            top_k: config.top_k.clone(),
            schedule: config.schedule.clone(),
        }
    }
}

/// What a trainer is put together from.
pub(super) struct Ingredients {
    pub model: Model,
    pub parts: Parts,
    pub objective: Objective,
    pub optimizer: Box<dyn Optimizer>,
    pub settings: Settings,
    pub about: About,
}

/// A run in progress: data, programs, optimiser, and the state that steps change.
pub struct Trainer {
    pub(super) settings: Settings,
    pub(super) parts: Parts,
    pub(super) about: About,
    pub(super) callback: Option<Box<Callback>>,
    /// model and programs
    pub session: Session,
    pub(super) optimizer: Box<dyn Optimizer>,
    decays: Vec<bool>,
    schedule: Schedule,
    length: RunLength,
    /// whether training counts how many classes were right
    pub(super) tells_classes: bool,
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
    /// A run of a config from its start: initial weights from the seed, or from `init_from`.
    ///
    /// # Errors
    /// When the config does not fit the data or the model.
    pub fn new(config: &RunConfig, data: Prepared) -> Result<Self, TrainError> {
        let model = Model::new(&config.model, &data.reading.input_shape, data.n_outputs())?;
        let augment = Pipeline::new(&config.augment, &data.set, &data.splits.train, config.seed)?;
        let source: Arc<dyn Source> = Arc::new(data.source().augmented(augment));
        let objective = Objective::new(&*source, &data.splits.train, |head| config.loss_of(head))?;
        let part = |numbers: &[u32]| Samples { source: source.clone(), numbers: numbers.to_vec() };
        let splits = &data.splits;
        let parts =
            Parts { train: part(&splits.train), valid: part(&splits.valid), test: part(&splits.test) };
        let mut trainer = Trainer::assemble(Ingredients {
            model,
            parts,
            objective,
            optimizer: config.optimizer.build()?,
            settings: Settings::of(config),
            about: About::of(config, Arc::new(data)),
        })?;
        #[cfg(feature = "runs")]
        if let Some(path) = &config.init_from {
            trainer.start_from(path)?;
        }
        #[cfg(not(feature = "runs"))]
        if config.init_from.is_some() {
            let problem = "files of weights are read with the feature `runs` of the crate".into();
            let (key, place) = ("init_from".into(), crate::config::Place::Default);
            return Err(crate::config::ConfigError::Refused { key, problem, place }.into());
        }
        trainer.make_programs()?;
        Ok(trainer)
    }

    /// Puts a trainer together, at initial weights from the seed.
    pub(super) fn assemble(from: Ingredients) -> Result<Self, TrainError> {
        let Ingredients { model, parts, objective, optimizer, settings, about } = from;
        let decays = optimizer.decay_on().apply(&model.param_infos())?;
        let length = run_length(&settings, parts.train.numbers.len());
        let schedule = settings.schedule.build(length)?;
        let classes = |head: &Head| matches!(head.task, Task::Classification { .. });
        let tells_classes = objective.only().is_some_and(|term| classes(&term.head));
        let mut session = Session::new(model, objective, settings.threads, settings.shards);
        if parts.train.source.mixes() {
            session.mix();
        }
        let need = need(&settings, (&parts, &about), &mut session, length, optimizer.slots().len())?;
        if !need.can_be_had() {
            return Err(TrainError::Memory { need });
        }
        let (params, mut buffers) = session.model.init(settings.seed);
        buffers.extend_from_slice(session.objective.buffers());
        let slots = vec![vec![0.0; params.len()]; optimizer.slots().len()];
        Ok(Trainer {
            schedule,
            gradient: vec![0.0; if settings.clip_norm.is_some() { params.len() } else { 0 }],
            labels: vec![0.0; settings.batch],
            session,
            state: State { params, buffers, slots, counters: Counters::default() },
            order: Vec::new(),
            ordered_epoch: None,
            callback: None,
            settings,
            parts,
            about,
            optimizer,
            decays,
            length,
            tells_classes,
        })
    }

    /// Takes the weights of a safetensors file, such as PyTorch's, instead of those from the seed.
    ///
    /// # Errors
    /// When the file cannot be read, or its tensors are not the model's.
    #[cfg(feature = "runs")]
    pub fn start_from(&mut self, path: &Path) -> Result<(), TrainError> {
        let file = crate::model::weights::WeightsFile::open(path)?;
        let (p, b) = self.session.model.layout();
        let own = b.len();
        file.load(&mut [(p, &mut self.state.params), (b, &mut self.state.buffers[..own])])?;
        Ok(())
    }

    /// Goes on from a state.
    pub fn restore(&mut self, mut state: State) {
        state.buffers.extend_from_slice(self.session.objective.buffers());
        self.state = state;
    }

    /// Takes the memory of the programs that the run trains with.
    pub(super) fn make_programs(&mut self) -> Result<(), TrainError> {
        for batch in train_batches(&self.settings, self.parts.train.numbers.len(), self.length) {
            self.session.program(&ProgramKey::train(batch))?;
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

    /// The data of a config's run; none where the data are a source of one's own.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.about.prepared.as_deref()
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
        let first = (step % self.length.steps_per_epoch) as usize * self.settings.batch;
        let samples = &self.order[first..(first + self.settings.batch).min(self.order.len())];
        let n = samples.len();
        let program = self.session.program(&ProgramKey::train(n)).map_err(StepError::Graph)?;
        let source = &*self.parts.train.source;
        let batch = Batch::new(source, samples, Pass::Train { epoch });
        let state = &mut self.state;
        let weights = (&state.params[..], &state.buffers[..]);
        program.pull(weights, draw(self.settings.seed, step), batch).map_err(StepError::Source)?;
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
        match &self.settings.clip_norm {
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
        if self.tells_classes {
            let labels = &mut self.labels[..n];
            read_labels(source, samples, epoch, labels).map_err(StepError::Source)?;
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
        let train = &self.parts.train.numbers;
        let order = data::order(train.len(), self.settings.seed, epoch, self.settings.shuffle);
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
        let first = (step % self.length.steps_per_epoch) as usize * self.settings.batch;
        let samples = &self.order[first..(first + self.settings.batch).min(self.order.len())];
        let batch = Batch::new(&*self.parts.train.source, samples, Pass::Train { epoch });
        let draw = draw(self.settings.seed, step);
        let found = culprit(&self.session, self.weights(), draw, batch)?;
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
        let Settings { eval_batch: batch, top_k, .. } = &self.settings;
        let how = Measuring { part, batch: *batch, top_k, keep };
        let Samples { source, numbers } = self.parts.of(part);
        let weights = weights.unwrap_or((&self.state.params, &self.state.buffers));
        self.session.measure(weights, (&**source, numbers), how)
    }

    pub(super) fn measuring(&self, part: Split, keep: bool) -> Measuring<'_> {
        Measuring { part, batch: self.settings.eval_batch, top_k: &self.settings.top_k, keep }
    }

    /// A way to measure a part at weights that change, for which its samples are read and preprocessed once, as far as
    /// `budget_bytes` hold them.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples.
    pub fn evaluator(&self, part: Split, budget_bytes: usize) -> Result<Evaluator, TrainError> {
        let Samples { source, numbers } = self.parts.of(part).clone();
        Evaluator::new(source, numbers, self.measuring(part, false), budget_bytes)
    }

    /// Runs a program on `key.batch` samples, by their numbers in the training data's source, at the weights as they are, and changes
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
            ((&self.state.params[..], &self.state.buffers[..]), draw(self.settings.seed, step));
        self.session.run(key, weights, draw, (&*self.parts.train.source, samples, pass))
    }

    /// Replaces the running averages of batch norms by statistics over a whole part of the data at the weights as they
    /// are, as [`Session::reestimate_norms`] does it.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples, or a layer from running on them.
    pub fn reestimate_norms(&mut self, part: Split, how: Estimate) -> Result<(), TrainError> {
        let State { params, buffers, .. } = &mut self.state;
        let Samples { source, numbers } = self.parts.of(part);
        let samples = (&**source, &numbers[..], Pass::Measure);
        self.session.reestimate_norms((params, buffers), samples, self.settings.eval_batch, how)
    }
}

/// Classes of training samples; of a mixed one, that with the larger share.
fn read_labels(
    source: &dyn Source,
    samples: &[u32],
    epoch: u64,
    labels: &mut [f32],
) -> Result<(), SourceError> {
    if !source.mixes() {
        return source.targets(samples, labels);
    }
    samples.iter().zip(labels.chunks_exact_mut(1)).try_for_each(|(&sample, label)| {
        let mixed = source.mixed(sample, epoch);
        source.targets(&[if mixed.own < 0.5 { mixed.partner } else { sample }], label)
    })
}

/// Sizes of the batches that the run trains on: the whole one, then the last one of an epoch where it is shorter.
fn train_batches(settings: &Settings, n_train: usize, length: RunLength) -> Vec<usize> {
    let mut sizes = cut(n_train, settings.batch);
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
    settings: &Settings,
    (parts, about): (&Parts, &About),
    session: &mut Session,
    length: RunLength,
    n_slots: usize,
) -> Result<Need, TrainError> {
    let (n_train, batch) = (parts.train.numbers.len(), settings.batch);
    let mut programs = 0usize;
    for size in train_batches(settings, n_train, length) {
        let bytes = session.program_bytes(&ProgramKey::train(size)).map_err(|error| match size {
            1 if batch > 1 => TrainError::LastBatch { n_train, batch, error },
            _ => TrainError::Graph(error),
        })?;
        programs = programs.saturating_add(bytes);
    }
    let [valid, test] = [&parts.valid, &parts.test].map(|part| part.numbers.len());
    let judged = [test, valid, n_train].into_iter().find(|n| *n > 0).unwrap_or(0);
    let mut measured = [cut(valid, settings.eval_batch), cut(judged, settings.eval_batch)].concat();
    measured.sort_unstable();
    measured.dedup();
    for size in &measured {
        programs = programs.saturating_add(session.program_bytes(&ProgramKey::measure(*size))?);
    }
    let (params, buffers) = (session.model.params().len(), session.model.buffers().len());
    let tasks = || session.objective.terms().iter().map(|term| &term.head.task);
    let (outputs, targets) = (session.model.n_outputs(), tasks().map(Task::n_targets).sum::<usize>());
    let vectors = 1 + n_slots + usize::from(settings.clip_norm.is_some());
    // at the end the best weights are read from their file, beside the last ones
    let saved = params.saturating_add(buffers).saturating_mul(2);
    let largest = measured.last().copied().unwrap_or(0);
    let rows = [batch, largest, judged].map(|n| n.saturating_mul(1 + outputs + targets));
    // each cell of a confusion matrix is a number of 8 bytes
    let cells = |task: &Task| task.classes().len().saturating_pow(2).saturating_mul(2);
    let cells = tasks().map(cells).fold(0, usize::saturating_add);
    let data = match about.prepared.as_ref().map(|data| &data.set.inputs) {
        Some(Values::F32(values)) => values.len(),
        // bytes may be a part of a file, which takes no memory that cannot be given up
        Some(Values::U8(_)) | None => 0,
    };
    Ok(Need {
        data: memory::floats(&[data]),
        state: memory::floats(&[params.saturating_mul(vectors), buffers, saved]),
        programs,
        answers: memory::floats(&[rows[0], rows[1], rows[2], cells]),
    })
}

fn run_length(settings: &Settings, n_train: usize) -> RunLength {
    let steps_per_epoch = (n_train.div_ceil(settings.batch)).max(1) as u64;
    let by_epochs = settings.epochs.map(|e| e.saturating_mul(steps_per_epoch));
    let n_steps = by_epochs.into_iter().chain(settings.steps).min().unwrap_or(0);
    RunLength { steps_per_epoch, n_steps }
}
