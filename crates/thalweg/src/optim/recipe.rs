//! A recipe: an optimizer with all that goes around it, before it meets a model.

use std::sync::Arc;

use super::average::Average;
use super::wrap::Wrap;
use super::{
    AverageConfig, ClipNorm, ClipValue, ElementStage, Group, GroupError, Optimizer, Outer, UnmatchedPattern,
    WrapConfig,
};
use crate::config::{GroupConfig, RunConfig};
use crate::registry::OutOfRange;
use crate::schedule::{RunLength, Schedule, ScheduleConfig, ScheduleError};

/// An optimizer, parameter groups, clipping, wrappers, an average, schedules: a trainer takes one in the place of an
/// optimizer, and [`Updater::new`](super::Updater::new) makes it ready for a loop of one's own.
///
/// ```
/// use thalweg::config::GroupConfig;
/// use thalweg::optim::{Adam, Recipe, Sam};
/// let slow = GroupConfig { lr_factor: 0.1, ..GroupConfig::new("0.*") };
/// let recipe = Recipe::from(Adam::default()).group(&slow)?.clip_value(0.5)?.wrap(Sam::default())?;
/// assert_eq!((recipe.groups.len(), recipe.outers.len()), (1, 1));
/// # Ok::<(), thalweg::registry::OutOfRange>(())
/// ```
#[derive(Debug)]
pub struct Recipe {
    /// How weights move.
    pub optimizer: Arc<dyn Optimizer>,
    /// Parameters with settings of their own; none.
    pub groups: Vec<Group>,
    /// Longest gradient, over all parameters; none.
    pub clip_norm: Option<ClipNorm>,
    /// Largest element of the gradient, after that; none.
    pub clip_value: Option<ClipValue>,
    /// Stages behind the optimizer's own; none.
    pub behind: Vec<Arc<dyn ElementStage>>,
    /// Stages around the whole, from the inside out; none.
    pub outers: Vec<Box<dyn Outer>>,
    /// The average that is kept beside the weights.
    pub(super) average: Option<Average>,
    /// Factor of every step size; 1.
    pub lr: Option<Schedule>,
    /// Factor of momentum and of β₁; 1.
    pub momentum: Option<Schedule>,
    /// Factor of every weight decay; 1.
    pub decay: Option<Schedule>,
}

/// What schedules say of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Of every step size.
    pub lr: f64,
    /// Of momentum and of β₁.
    pub momentum: f64,
    /// Of every weight decay.
    pub decay: f64,
}

/// Why a recipe does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A number out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The rule of weight decay.
    #[error(transparent)]
    Decay(#[from] UnmatchedPattern),
    /// Groups that do not fit the model.
    #[error(transparent)]
    Group(#[from] GroupError),
}

impl RecipeError {
    /// What to type instead.
    pub fn hint(&self) -> String {
        match self {
            RecipeError::OutOfRange(error) => error.hint(),
            RecipeError::Schedule(error) => error.hint(),
            RecipeError::Decay(error) => error.hint(),
            RecipeError::Group(error) => error.hint(),
        }
    }
}

impl<O: Optimizer + 'static> From<O> for Recipe {
    /// The optimizer and nothing around it.
    fn from(optimizer: O) -> Self {
        Recipe::new(Arc::new(optimizer))
    }
}

impl Recipe {
    /// An optimizer and nothing around it.
    pub fn new(optimizer: Arc<dyn Optimizer>) -> Self {
        Recipe {
            optimizer,
            groups: Vec::new(),
            clip_norm: None,
            clip_value: None,
            behind: Vec::new(),
            outers: Vec::new(),
            average: None,
            lr: None,
            momentum: None,
            decay: None,
        }
    }

    /// What a config says.
    ///
    /// # Errors
    /// When a number is out of its range.
    pub fn from_config(config: &RunConfig, run: RunLength) -> Result<Self, RecipeError> {
        let schedule = |name: &'static str, of: &Option<ScheduleConfig>| {
            of.as_ref().map(|s| s.build(run).map_err(|e| e.within(name))).transpose()
        };
        let mut recipe = Recipe {
            groups: config.groups.iter().map(|g| g.build()).collect::<Result<_, _>>()?,
            clip_norm: config.clip_norm,
            clip_value: config.clip_value,
            average: config
                .average
                .map(|average| average.check().map(|()| average.build(run)))
                .transpose()?,
            lr: Some(config.schedule.build(run)?),
            momentum: schedule("momentum_schedule", &config.momentum_schedule)?,
            decay: schedule("weight_decay_schedule", &config.weight_decay_schedule)?,
            ..Recipe::new(Arc::from(config.optimizer.build()?))
        };
        config.wrap.check()?;
        config.wrap.0.iter().for_each(|wrap| recipe.lay_around(wrap));
        Ok(recipe)
    }

    fn lay_around(&mut self, wrap: &WrapConfig) {
        match wrap.build() {
            Wrap::Element(stage) => self.behind.push(stage),
            Wrap::Outer(outer) => self.outers.push(outer),
        }
    }

    /// With settings of their own for some parameters, behind the groups that there are: the first that matches a
    /// parameter has it.
    ///
    /// # Errors
    /// Names the first key of the group whose value is not allowed.
    pub fn group(mut self, group: &GroupConfig) -> Result<Self, OutOfRange> {
        self.groups.push(group.build()?);
        Ok(self)
    }

    /// With a limit for the length of the gradient over all parameters.
    ///
    /// # Errors
    /// When it is not a finite number above 0.
    pub fn clip_norm(self, max_norm: f64) -> Result<Self, OutOfRange> {
        Ok(Recipe { clip_norm: Some(ClipNorm::new(max_norm)?), ..self })
    }

    /// With a limit for each element of the gradient.
    ///
    /// # Errors
    /// When it is not a finite number above 0.
    pub fn clip_value(self, limit: f64) -> Result<Self, OutOfRange> {
        Ok(Recipe { clip_value: Some(ClipValue::new(limit)?), ..self })
    }

    /// With a wrapper around what there is, such as [`Sam`](super::Sam) or [`Lookahead`](super::Lookahead).
    ///
    /// # Errors
    /// Names the first key of the wrapper whose value is not allowed.
    pub fn wrap(mut self, wrap: impl Into<WrapConfig>) -> Result<Self, OutOfRange> {
        let wrap = wrap.into();
        wrap.check()?;
        self.lay_around(&wrap);
        Ok(self)
    }

    /// With a stage of one's own around what there is.
    pub fn outer(mut self, outer: impl Outer + 'static) -> Self {
        self.outers.push(Box::new(outer));
        self
    }

    /// With an average of the weights that is kept beside them, for a run of that length;
    /// [`TrainerBuilder::average`](crate::train::TrainerBuilder::average) knows the length itself.
    ///
    /// # Errors
    /// Names the first key of the average whose value is not allowed.
    pub fn average(self, average: impl Into<AverageConfig>, run: RunLength) -> Result<Self, OutOfRange> {
        let average = average.into();
        average.check()?;
        Ok(Recipe { average: Some(average.build(run)), ..self })
    }

    /// What the schedules say of the update that follows `done` updates.
    pub fn factors(&self, done: u64) -> Factors {
        let at = |schedule: &Option<Schedule>| schedule.as_ref().map_or(1.0, |s| s.at(done));
        Factors { lr: at(&self.lr), momentum: at(&self.momentum), decay: at(&self.decay) }
    }
}
