//! One step after another: gradient, update, counters; nothing is allocated in a step after the first of its size.

use std::borrow::Cow;
use std::ops::Range;
#[cfg(feature = "runs")]
use std::path::Path;
use std::sync::Arc;

use engine::{Draw, StateVec};

use super::about::About;
#[cfg(feature = "runs")]
use super::best::Judge;
use super::choice::Split;
use super::error::TrainError;
use super::evaluate::{Evaluator, Measured};
use super::fit::Callback;
use super::memory::need;
use super::nonfinite::{culprit, first_bad_tensor};
use super::norms::Estimate;
use super::objective::Objective;
use super::parts::{Parts, Samples};
use super::prepared::Prepared;
use super::program::{Batch, Program, ProgramKey, StepError, Work, draw};
#[cfg(feature = "runs")]
use super::saved::SavedState;
use super::session::Session;
use super::settings::{Given, Settings, blocks, run_length, train_batches};
use super::state::{Counters, State};
use super::step::{Room, StepSamples};
use crate::config::RunConfig;
use crate::data::augment::Pipeline;
use crate::data::{Order, Task};
use crate::model::Model;
#[cfg(feature = "runs")]
use crate::model::weights::{Matched, Taking, WeightsFile};
use crate::optim::{NamedState, Recipe, Stopped, Updater};
use crate::schedule::RunLength;
use crate::source::{Head, Pass, Source, SourceError};

/// What a trainer is put together from.
pub(super) struct Ingredients {
    pub model: Model,
    pub parts: Parts,
    pub objective: Objective,
    pub recipe: Recipe,
    pub settings: Settings,
    pub about: About,
}

/// A run in progress: data, programs, optimizer, and the state that steps change.
pub struct Trainer {
    pub(super) settings: Settings,
    pub(super) parts: Parts,
    pub(super) about: About,
    pub(super) callback: Option<Box<Callback>>,
    /// model and programs
    pub session: Session,
    pub(super) updater: Updater,
    length: RunLength,
    /// whether training counts how many classes were right
    pub(super) tells_classes: bool,
    /// what steps change
    pub state: State,
    room: Room,
    /// of the training samples
    order: Order,
}

impl Trainer {
    /// A run of a config from its start: initial weights from the seed, or from `init_from`.
    ///
    /// # Errors
    /// When the config does not fit the data or the model.
    pub fn new(config: &RunConfig, data: Prepared) -> Result<Self, TrainError> {
        config.check_set()?;
        let decay = config.optimizer.clone().open_decay().and_then(|_| data.weight_decay());
        let config = &data.suited(config);
        let model = Model::new(&config.model, &data.reading.input_shape, data.n_outputs())?;
        let augment = Pipeline::new(&config.augment, &data.set, &data.splits.train, config.seed)?;
        let source: Arc<dyn Source> = Arc::new(data.source().augmented(augment));
        let objective = Objective::new(&*source, &data.splits.train, |head| config.loss_of(head))?;
        let part = |numbers: &[u32]| Samples { source: source.clone(), numbers: numbers.to_vec() };
        let splits = &data.splits;
        let parts =
            Parts { train: part(&splits.train), valid: part(&splits.valid), test: part(&splits.test) };
        let on = Given {
            n_train: splits.train.len(),
            are_table: data.set.schema.is_some(),
            are_normed: !model.buffers().is_empty(),
            decay,
        };
        let (mut settings, said) = Settings::chosen(config, on);
        settings.blocks = blocks(config, &data.set);
        // who holds more than that in memory does so knowingly
        settings.memory =
            config.data.memory.filter(|_| config.data.stream != Some(false)).map(|memory| memory.0);
        let length = run_length(&settings, on.n_train);
        let mut trainer = Trainer::assemble(Ingredients {
            model,
            parts,
            objective,
            recipe: Recipe::from_config(config, length)?,
            settings,
            about: About::of(config, Arc::new(data), said),
        })?;
        #[cfg(feature = "runs")]
        trainer.about.warnings.extend(config.idle(length));
        #[cfg(feature = "runs")]
        if let Some(note) = Judge::said(config, &trainer) {
            trainer.about.notes.push(note);
        }
        #[cfg(feature = "runs")]
        if let Some(saved) = &mut trainer.about.saved {
            saved.states = Some(SavedState::list(trainer.updater.states()));
        }
        #[cfg(feature = "runs")]
        if let Some(path) = &config.init_from {
            let what = Taking { prefix: config.init_prefix.clone(), skip: config.init_skip.clone() };
            let matched = trainer.start_from_part(path, &what)?;
            trainer.about.notes.push(format!("weights of {}: {}", path.display(), matched.words()));
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
        let Ingredients { model, parts, objective, recipe, settings, about } = from;
        let length = run_length(&settings, parts.train.numbers.len());
        let updater = Updater::new(recipe, model.params())?;
        let classes = |head: &Head| matches!(head.task, Task::Classification { .. });
        let tells_classes = objective.only().is_some_and(|term| classes(&term.head));
        let mut session = Session::new(model, objective, settings.threads, settings.shards);
        if parts.train.source.mixes() {
            session.mix();
        }
        if let Some(factor) = parts.weight_factor()? {
            session.weigh(factor);
        }
        session.freeze(updater.frozen());
        let need = need(&settings, (&parts, &about), &mut session, length, &updater)?;
        if !need.can_be_had() {
            return Err(TrainError::Memory { need });
        }
        if let Some(memory) = settings.memory {
            need.check_budget(memory)?;
        }
        let (params, mut buffers) = session.model.init(settings.seed);
        buffers.extend_from_slice(session.objective.buffers());
        let slots = updater.start(&params);
        Ok(Trainer {
            room: Room::new(settings.batch, &buffers),
            session,
            state: State { params, buffers, slots, counters: Counters::default() },
            order: Order::new(settings.seed, settings.shuffle, settings.blocks),
            callback: None,
            settings,
            parts,
            about,
            updater,
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
        self.start_from_part(path, &Taking::default()).map(|_| ())
    }

    /// Takes a part of the weights of a safetensors file, such as all but the last layer; what is skipped keeps its
    /// start. Tells what was taken, left and passed over.
    ///
    /// # Errors
    /// When the file cannot be read, or what is to be taken does not fit.
    #[cfg(feature = "runs")]
    pub fn start_from_part(&mut self, path: &Path, what: &Taking) -> Result<Matched, TrainError> {
        let model = &self.session.model;
        let own = model.buffers().len();
        let State { params, buffers, .. } = &mut self.state;
        let mut sets = [(model.params(), &mut params[..]), (model.buffers(), &mut buffers[..own])];
        let matched = WeightsFile::open(path)?.take(&mut sets, what)?;
        self.state.slots = self.updater.start(&self.state.params);
        Ok(matched)
    }

    /// Goes on from a state of this model and optimizer. Its buffers are the model's, whatever stands behind them: the
    /// loss's are this trainer's own.
    ///
    /// # Errors
    /// [`TrainError::State`] where it is another model's or optimizer's; nothing is changed then.
    pub fn restore(&mut self, mut state: State) -> Result<(), TrainError> {
        if let Some(problem) = self.misfit(&state) {
            return Err(TrainError::State { problem });
        }
        state.buffers.truncate(self.session.model.buffers().len());
        state.buffers.extend_from_slice(self.session.objective.buffers());
        let own = |(named, given): (&NamedState, StateVec)| {
            let mut own = named.zeros();
            own.values_mut().copy_from_slice(given.values());
            own
        };
        state.slots = self.updater.states().iter().zip(state.slots).map(own).collect();
        self.state = state;
        Ok(())
    }

    /// What keeps a state from being one of this trainer, in words.
    fn misfit(&self, state: &State) -> Option<String> {
        let (model, of_loss) = (&self.session.model, self.session.objective.buffers().len());
        let (params, own, states) = (model.params().len(), model.buffers().len(), self.states());
        let got = state.params.len();
        if got != params {
            return Some(format!("{got} parameters, expected {params}"));
        }
        let got = state.buffers.len();
        if got != own && got != own + of_loss {
            return Some(format!("{got} numbers in buffers, expected {}", own + of_loss));
        }
        let got = state.slots.len();
        if got != states.len() {
            return Some(format!("{got} states of the optimizer, expected {}", states.len()));
        }
        let wrong = states.iter().zip(&state.slots).find_map(|(named, given)| {
            let (got, expected) = (given.values().len(), named.layout().len());
            let text = || format!("`{}` holds {got} numbers, expected {expected}", named.name);
            (got != expected).then(text)
        });
        wrong.or_else(|| state.counters.problem())
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

    /// The config with what it left open as this trainer has it: `batch`, `epochs` where it has no `steps`, and what
    /// the model took from the columns of a table.
    pub fn settled(&self, config: &RunConfig) -> RunConfig {
        let config = self.prepared().map_or_else(|| config.clone(), |data| data.suited(config));
        RunConfig { batch: Some(self.settings.batch), epochs: self.settings.epochs, ..config }
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.state.counters.step >= self.length.n_steps
    }

    /// The learning rate of the step that was done last.
    pub fn last_lr(&self) -> f64 {
        f64::from(self.updater.lr(self.state.counters.step.saturating_sub(1)))
    }

    /// The data of a config's run; none where the data are a source of one's own.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.about.prepared.as_deref()
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
        self.state.evaluated(&self.updater)
    }

    /// What people should know of the updates: groups of parameters, and what averaged weights lack.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.updater.notes();
        if self.updater.averages() && !self.session.model.buffers().is_empty() {
            let text =
                "averaged weights are evaluated with the running statistics of the weights that are trained";
            notes.push(text.to_owned());
        }
        notes
    }

    /// One update. On an error the state is that before the step.
    ///
    /// # Errors
    /// When the loss is not finite, or the source cannot give the samples.
    pub fn step(&mut self) -> Result<f32, StepError> {
        let step = self.state.counters.step;
        let epoch = step / self.length.steps_per_epoch;
        let places = self.of_step(step);
        self.reach(epoch, places.clone()).map_err(StepError::Source)?;
        let numbers = self.order.at(places);
        let state = &mut self.state;
        self.room.buffers.copy_from_slice(&state.buffers);
        let mut samples = StepSamples {
            session: &mut self.session,
            source: &*self.parts.train.source,
            numbers,
            epoch,
            batch: self.settings.batch,
            draw: draw(self.settings.seed, step),
            room: &mut self.room,
            tells_classes: self.tells_classes,
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
        state.counters.samples += numbers.len() as u64;
        Ok(loss)
    }

    /// Where the samples of a step are in the order of its epoch.
    fn of_step(&self, step: u64) -> Range<usize> {
        let n = self.settings.batch.saturating_mul(self.settings.accumulate);
        let all = self.parts.train.numbers.len();
        let first = ((step % self.length.steps_per_epoch) as usize).saturating_mul(n).min(all);
        first..first.saturating_add(n).min(all)
    }

    /// Makes training samples ready by their places in the order of an epoch.
    fn reach(&mut self, epoch: u64, places: Range<usize>) -> Result<(), SourceError> {
        let Samples { source, numbers } = &self.parts.train;
        self.order.reach(numbers, epoch, places, |group, next| source.make_ready(group, next))
    }

    /// Which layer made the loss of the next step not finite, in words.
    ///
    /// # Errors
    /// None after a step of this size was tried.
    pub fn blame(&mut self) -> Result<String, TrainError> {
        let step = self.state.counters.step;
        let epoch = step / self.length.steps_per_epoch;
        let places = self.of_step(step);
        self.reach(epoch, places.clone()).map_err(TrainError::of_source)?;
        let mut found = None;
        for (i, samples) in self.order.at(places).chunks(self.settings.batch).enumerate() {
            let batch = Batch::new(&*self.parts.train.source, samples, Pass::Train { epoch });
            let first_row = (i * self.settings.batch) as u64;
            let draw = Draw { first_row, ..draw(self.settings.seed, step) };
            found = found.or(culprit(&self.session, self.weights(), draw, batch)?);
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
        let Samples { source, numbers } = self.parts.of(part);
        let own = self.state.evaluated(&self.updater);
        let weights = weights.unwrap_or((&own, &self.state.buffers));
        self.session.measure(weights, (&**source, numbers), self.settings.measuring(part, keep))
    }

    /// A way to measure a part at weights that change, for which its samples are read and preprocessed once, as far as
    /// `budget_bytes` hold them.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the samples.
    pub fn evaluator(&self, part: Split, budget_bytes: usize) -> Result<Evaluator, TrainError> {
        let Samples { source, numbers } = self.parts.of(part).clone();
        let how = self.settings.measuring(part, false);
        Evaluator::new(&self.session, (source, numbers), how, budget_bytes)
    }

    /// Runs a program on `key.batch` samples, by their numbers in the training data's source, at the weights as they
    /// are, and changes nothing: for probes. Random masks are those of the next step, random changes of samples those
    /// of its epoch where the program trains.
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

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer")
            .field("session", &self.session)
            .field("settings", &self.settings)
            .field("length", &self.length)
            .field("step", &self.state.counters.step)
            .finish_non_exhaustive()
    }
}
