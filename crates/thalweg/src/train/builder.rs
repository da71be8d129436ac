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
use super::settings::{Settings, run_length};
use super::trainer::{Ingredients, Trainer};
use crate::config::{ConfigError, MAX_SHARDS, RunConfig};
use crate::losses::Loss;
use crate::model::Model;
use crate::optim::{ClipNorm, Optimizer, Recipe};
use crate::schedule::ScheduleConfig;
use crate::source::{Head, Source};

/// A trainer under construction; [`Trainer::builder`] begins one. Defaults are those of an empty config.
pub struct TrainerBuilder {
    model: Model,
    train: Arc<dyn Source>,
    valid: Option<Arc<dyn Source>>,
    loss: Arc<dyn Loss>,
    heads: Vec<(String, Arc<dyn Loss>, f64)>,
    optimizer: Arc<dyn Optimizer>,
    schedule: ScheduleConfig,
    settings: Settings,
    clip_norm: Option<f64>,
    #[cfg(feature = "runs")]
    start_from: Option<PathBuf>,
    callback: Option<Box<Callback>>,
}

impl Trainer {
    /// Begins a trainer.
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
        optimizer: impl Optimizer + 'static,
    ) -> TrainerBuilder {
        TrainerBuilder {
            model,
            train: Arc::new(data),
            valid: None,
            loss: Arc::new(loss),
            heads: Vec::new(),
            optimizer: Arc::new(optimizer),
            schedule: ScheduleConfig::default(),
            settings: Settings { epochs: None, ..Settings::of(&RunConfig::default()) },
            clip_norm: None,
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

    /// Samples in one update; 64. At least 1 and at most all of them. The last batch of an epoch may be smaller.
    pub fn batch(self, samples: usize) -> Self {
        self.with(|s| s.batch = samples)
    }

    /// Batches of one update, whose gradients are averaged; 1.
    pub fn accumulate(self, batches: usize) -> Self {
        self.with(|s| s.accumulate = batches.max(1))
    }

    /// Samples measured or answered at once; 256.
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

    /// Threads; one for each core. Never more than shards; results do not depend on it.
    pub fn threads(self, threads: usize) -> Self {
        self.with(|s| s.threads = threads)
    }

    /// Parts that a batch is cut into; 8. With the seed they define the numbers.
    pub fn shards(self, shards: usize) -> Self {
        self.with(|s| s.shards = shards)
    }

    /// Takes the samples of each epoch in their own order instead of a new one.
    pub fn in_order(self) -> Self {
        self.with(|s| s.shuffle = false)
    }

    /// Longest gradient, by its Euclidean norm over all parameters; none.
    pub fn clip_norm(self, max_norm: f64) -> Self {
        TrainerBuilder { clip_norm: Some(max_norm), ..self }
    }

    /// Also measures how often the true class is among the k likeliest; none.
    pub fn top_k(self, k: &[usize]) -> Self {
        self.with(|s| s.top_k = k.to_vec())
    }

    /// How the learning rate changes; constant.
    pub fn schedule(self, schedule: impl Into<ScheduleConfig>) -> Self {
        TrainerBuilder { schedule: schedule.into(), ..self }
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
        check_heads(&model, train.heads(), &own)?;
        let numbers = numbers_of(&*train)?;
        settings.check(numbers.len())?;
        let clip_norm = self.clip_norm.map(ClipNorm::new).transpose()?;
        let length = run_length(&settings, numbers.len());
        let mut recipe = Recipe::new(self.optimizer);
        (recipe.clip_norm, recipe.lr) = (clip_norm, Some(self.schedule.build(length)?));
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
        self.batch = self.batch.max(1);
        if self.batch > n_train {
            return Err(ConfigError::BatchTooLarge { batch: self.batch, n_train }.into());
        }
        self.shards = self.shards.clamp(1, MAX_SHARDS);
        self.threads = self.threads.clamp(1, self.shards.min(MAX_WORKERS));
        self.eval_batch = self.eval_batch.max(1);
        if self.epochs.is_none() && self.steps.is_none() {
            self.epochs = RunConfig::default().epochs;
        }
        Ok(())
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
