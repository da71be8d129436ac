//! Putting a trainer together from a model, data, a loss and an optimizer of one's own.

use std::ops::ControlFlow;
#[cfg(feature = "runs")]
use std::path::PathBuf;
use std::sync::Arc;

use engine::exec::MAX_WORKERS;

use super::about::About;
use super::error::TrainError;
use super::fit::{Callback, Event, check_samples, numbers_of};
use super::objective::Objective;
use super::parts::{Parts, Samples};
use super::settings::{Given, Settings, fitting_batch, run_length};
use super::trainer::{Ingredients, Trainer};
use crate::config::{BATCH, ConfigError, EPOCHS, Good, MAX_SHARDS, Place, RunConfig, n_threads};
use crate::losses::Loss;
use crate::model::Model;
use crate::optim::{AverageConfig, Recipe};
use crate::schedule::ScheduleConfig;
use crate::source::{Head, Source};

/// No bound but that of the type.
const MANY: usize = usize::MAX;

/// A trainer under construction; [`Trainer::builder`] begins one. Defaults are those of an empty config.
pub struct TrainerBuilder {
    model: Model,
    train: Arc<dyn Source>,
    valid: Option<Arc<dyn Source>>,
    loss: Arc<dyn Loss>,
    heads: Vec<(String, Arc<dyn Loss>, f64)>,
    recipe: Recipe,
    schedule: Option<ScheduleConfig>,
    momentum_schedule: Option<ScheduleConfig>,
    weight_decay_schedule: Option<ScheduleConfig>,
    average: Option<AverageConfig>,
    clip_norm: Option<f64>,
    batch: Option<usize>,
    settings: Settings,
    #[cfg(feature = "runs")]
    start_from: Option<PathBuf>,
    callback: Option<Box<Callback>>,
}

impl Trainer {
    /// Begins a trainer. The optimizer may be a whole [`Recipe`], with parameter groups, clipping and wrappers.
    ///
    /// ```
    /// use thalweg::layers::{Linear, Tanh};
    /// use thalweg::losses::CrossEntropy;
    /// use thalweg::model::Model;
    /// use thalweg::optim::Adam;
    /// use thalweg::source::Arrays;
    /// use thalweg::train::Trainer;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let xor = Arrays::new(vec![0., 0., 0., 1., 1., 0., 1., 1.], &[2]).classes([0, 1, 1, 0], 2);
    /// let model = Model::from_fn(&[2], |b, x| {
    ///     let x = b.layer("hidden", &Linear::new(8), x)?;
    ///     let x = b.layer("tanh", &Tanh::default(), x)?;
    ///     b.layer("head", &Linear::new(2), x)
    /// })?;
    /// let optimizer = Adam { lr: 0.05, ..Adam::default() };
    /// let mut trainer = Trainer::builder(model, xor, CrossEntropy::default(), optimizer)
    ///     .batch(4)
    ///     .epochs(200)
    ///     .build()?;
    /// let fitted = trainer.fit()?;
    /// assert_eq!(fitted.last("train_accuracy"), Some(1.0));
    /// let logits = trainer.predict(&[1.0, 0.0])?;
    /// assert!(logits[1] > logits[0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(
        model: Model,
        data: impl Source + 'static,
        loss: impl Loss + 'static,
        optimizer: impl Into<Recipe>,
    ) -> TrainerBuilder {
        TrainerBuilder {
            model,
            train: Arc::new(data),
            valid: None,
            loss: Arc::new(loss),
            heads: Vec::new(),
            recipe: optimizer.into(),
            schedule: None,
            momentum_schedule: None,
            weight_decay_schedule: None,
            average: None,
            clip_norm: None,
            batch: None,
            settings: Settings { epochs: None, threads: 0, ..Settings::of(&RunConfig::default()) },
            #[cfg(feature = "runs")]
            start_from: None,
            callback: None,
        }
    }
}

impl TrainerBuilder {
    /// Samples that are measured after each epoch; none.
    pub fn valid(self, source: impl Source + 'static) -> Self {
        TrainerBuilder { valid: Some(Arc::new(source)), ..self }
    }

    /// Another loss for the head of that name, and the weight of its mean in the sum that training makes small; else
    /// each head has the builder's loss with weight 1.
    pub fn head(mut self, name: &str, loss: impl Loss + 'static, weight: f64) -> Self {
        self.heads.push((name.to_owned(), Arc::new(loss), weight));
        self
    }

    /// Samples in one update; 64, or all of them where they are fewer. At least 1 and at most all of them. The last
    /// batch of an epoch may be smaller.
    pub fn batch(self, samples: usize) -> Self {
        TrainerBuilder { batch: Some(samples), ..self }
    }

    /// Batches of one update, whose gradients are averaged; 1, and at least that.
    pub fn accumulate(self, batches: usize) -> Self {
        self.with(|s| s.accumulate = batches)
    }

    /// Samples measured or answered at once; 256. At least 1.
    pub fn eval_batch(self, samples: usize) -> Self {
        self.with(|s| s.eval_batch = samples)
    }

    /// Passes over the training samples; 20, or as many as [`steps`](Self::steps) take.
    pub fn epochs(self, epochs: u64) -> Self {
        self.with(|s| s.epochs = Some(epochs))
    }

    /// Updates; as many as the epochs take. Where both are given, the run ends at whichever comes first.
    pub fn steps(self, steps: u64) -> Self {
        self.with(|s| s.steps = Some(steps))
    }

    /// Decides everything random: start, order, dropout; 0.
    pub fn seed(self, seed: u64) -> Self {
        self.with(|s| s.seed = seed)
    }

    /// Threads, at most 64; 0, one for each core. Never more than shards; results do not depend on it.
    pub fn threads(self, threads: usize) -> Self {
        self.with(|s| s.threads = threads)
    }

    /// Parts that a batch is cut into; 8. At least 1 and at most 1024. With the seed they define the numbers.
    pub fn shards(self, shards: usize) -> Self {
        self.with(|s| s.shards = shards)
    }

    /// Takes the samples of each epoch in their own order instead of a new one.
    pub fn in_order(self) -> Self {
        self.with(|s| s.shuffle = false)
    }

    /// Longest gradient, by its Euclidean norm over all parameters; as the recipe says, else none.
    pub fn clip_norm(self, max_norm: f64) -> Self {
        TrainerBuilder { clip_norm: Some(max_norm), ..self }
    }

    /// Also measures how often the true class is among the k likeliest; none.
    pub fn top_k(self, k: &[usize]) -> Self {
        self.with(|s| s.top_k = k.to_vec())
    }

    /// How the learning rate changes; as the recipe says, else constant.
    pub fn schedule(self, schedule: impl Into<ScheduleConfig>) -> Self {
        TrainerBuilder { schedule: Some(schedule.into()), ..self }
    }

    /// A factor of the momentum, and of Adam's first beta; as the recipe says, else 1.
    pub fn momentum_schedule(self, schedule: impl Into<ScheduleConfig>) -> Self {
        TrainerBuilder { momentum_schedule: Some(schedule.into()), ..self }
    }

    /// A factor of every weight decay; as the recipe says, else 1.
    pub fn weight_decay_schedule(self, schedule: impl Into<ScheduleConfig>) -> Self {
        TrainerBuilder { weight_decay_schedule: Some(schedule.into()), ..self }
    }

    /// An average of the weights that is kept beside them, and measured and answered with in their place; as the recipe
    /// says, else none.
    pub fn average(self, average: impl Into<AverageConfig>) -> Self {
        TrainerBuilder { average: Some(average.into()), ..self }
    }

    /// Weights to start from, in a safetensors file under the names of the model's parameters, such as PyTorch's; none.
    #[cfg(feature = "runs")]
    pub fn start_from(self, path: impl Into<PathBuf>) -> Self {
        TrainerBuilder { start_from: Some(path.into()), ..self }
    }

    /// Is called after each step of [`Trainer::fit`], and ends the run by [`ControlFlow::Break`].
    pub fn callback(self, f: impl FnMut(&Event<'_>) -> ControlFlow<()> + Send + 'static) -> Self {
        TrainerBuilder { callback: Some(Box::new(f)), ..self }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Checks that everything fits together, and compiles the programs of the run.
    ///
    /// # Errors
    /// When model, data, losses and settings do not fit together.
    pub fn build(self) -> Result<Trainer, TrainError> {
        let TrainerBuilder { model, train, heads: own, loss, mut settings, .. } = self;
        check_samples(&*train, &model)?;
        check_partners(&*train)?;
        check_heads(&model, train.heads(), &own)?;
        let numbers = numbers_of(&*train)?;
        let are_normed = !model.buffers().is_empty();
        let on = Given { n_train: numbers.len(), are_table: false, are_normed, decay: None };
        settings.batch = self.batch.unwrap_or_else(|| fitting_batch(BATCH, on));
        settings.check(numbers.len())?;
        let length = run_length(&settings, numbers.len());
        let mut recipe = self.recipe;
        if let Some(max_norm) = self.clip_norm {
            recipe = recipe.clip_norm(max_norm)?;
        }
        if let Some(average) = self.average {
            recipe = recipe.average(average, length)?;
        }
        // what the builder was told stands over what the recipe says
        let over = |schedule: Option<ScheduleConfig>, recipes| {
            schedule.map_or(Ok(recipes), |schedule| schedule.build(length).map(Some))
        };
        recipe.lr = over(self.schedule, recipe.lr)?;
        recipe.momentum = over(self.momentum_schedule, recipe.momentum)?;
        recipe.decay = over(self.weight_decay_schedule, recipe.decay)?;
        let objective = Objective::new(&*train, &numbers, |head| {
            let own = own.iter().find(|(name, ..)| *name == head.name);
            own.map_or((loss.clone(), 1.0), |(_, loss, weight)| (loss.clone(), *weight))
        })?;
        let none = Samples { source: train.clone(), numbers: Vec::new() };
        let valid = match self.valid {
            Some(source) => Samples { numbers: numbers_of(&*source)?, source },
            None => none.clone(),
        };
        let parts = Parts { train: Samples { source: train, numbers }, valid, test: none };
        let about = About::default();
        let mut trainer =
            Trainer::assemble(Ingredients { model, parts, objective, recipe, settings, about })?;
        trainer.check_like(&*trainer.parts.valid.source)?;
        #[cfg(feature = "runs")]
        if let Some(path) = &self.start_from {
            trainer.start_from(path)?;
        }
        trainer.callback = self.callback;
        trainer.make_programs()?;
        Ok(trainer)
    }
}

impl Settings {
    /// Completes the settings of a builder, and checks them against the number of training samples.
    fn check(&mut self, n_train: usize) -> Result<(), TrainError> {
        if n_train == 0 {
            return Err(TrainError::NoSamples);
        }
        self.in_range()?;
        if self.batch > n_train {
            return Err(ConfigError::BatchTooLarge { batch: self.batch, n_train }.into());
        }
        self.threads = n_threads(self.threads, self.shards);
        if self.epochs.is_none() && self.steps.is_none() {
            self.epochs = Some(EPOCHS);
        }
        Ok(())
    }

    /// Whether every number is one that a config may have.
    fn in_range(&self) -> Result<(), ConfigError> {
        let default = RunConfig::default();
        check_whole(("batch", self.batch), (1, MANY), BATCH)?;
        check_whole(("accumulate", self.accumulate), (1, MANY), default.accumulate)?;
        check_whole(("eval_batch", self.eval_batch), (1, MANY), default.eval_batch)?;
        check_whole(("shards", self.shards), (1, MAX_SHARDS), default.shards)?;
        check_whole(("threads", self.threads), (0, MAX_WORKERS), default.threads)
    }
}

/// Whether a number lies within its bounds, told as of a config's key.
fn check_whole(
    (key, got): (&str, usize),
    (least, most): (usize, usize),
    default: usize,
) -> Result<(), ConfigError> {
    if (least..=most).contains(&got) {
        return Ok(());
    }
    let expected = match most {
        MANY => format!("a whole number, {least} or more"),
        _ => format!("a whole number from {least} to {most}"),
    };
    Err(ConfigError::Value {
        key: key.to_owned(),
        got: got.to_string().into(),
        expected: expected.into(),
        good: Good::Default(default.to_string().into()),
        place: Place::Default,
    })
}

/// Whether samples are mixed with samples of the same source only.
fn check_partners(source: &dyn Source) -> Result<(), TrainError> {
    let (partners, n_samples) = (source.partners(), source.len());
    match partners.iter().filter(|partner| **partner as usize >= n_samples).count() {
        0 => Ok(()),
        n_foreign => Err(TrainError::Partners { n_partners: partners.len(), n_foreign, n_samples }),
    }
}

/// Whether heads can be told apart, have a loss each, and make up what the model gives.
fn check_heads(
    model: &Model,
    heads: &[Head],
    own: &[(String, Arc<dyn Loss>, f64)],
) -> Result<(), TrainError> {
    let problem = |problem: String| Err(TrainError::Heads { problem, hint: None });
    let (expected, got) = (model.n_outputs(), heads.iter().map(|head| head.task.n_outputs()).sum());
    if expected != got {
        return Err(TrainError::Targets { expected, got });
    }
    for (i, head) in heads.iter().enumerate() {
        let unclear = if heads.len() > 1 && head.name.is_empty() {
            format!("head {i} of {} has no name", heads.len())
        } else if heads[..i].iter().any(|other| other.name == head.name) {
            format!("two heads are called `{}`", head.name)
        } else {
            continue;
        };
        let hint = Some("each of several heads needs a name of its own".into());
        return Err(TrainError::Heads { problem: unclear, hint });
    }
    for (name, _, weight) in own {
        if !heads.iter().any(|head| head.name == *name) {
            let known: Vec<String> = heads.iter().map(|head| format!("`{}`", head.name)).collect();
            return problem(format!("the data have no head `{name}`, they have {}", known.join(", ")));
        }
        if !weight.is_finite() || *weight < 0.0 {
            return problem(format!("the weight of head `{name}` is {weight}, expected 0 or more"));
        }
    }
    Ok(())
}

impl std::fmt::Debug for TrainerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrainerBuilder")
            .field("model", &self.model)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
