//! A recipe: an optimizer with all that goes around it, before it meets a model.

use std::sync::Arc;

use super::average::Average;
use super::wrap::Wrap;
use super::{ClipNorm, ClipValue, ElementStage, Group, GroupError, Optimizer, Outer, UnmatchedPattern};
use crate::config::RunConfig;
use crate::registry::OutOfRange;
use crate::schedule::{RunLength, Schedule, ScheduleError};

/// An optimizer, parameter groups, clipping, wrappers, an average, schedules. [`Updater::new`](super::Updater::new)
/// makes it ready for a model.
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
        let mut recipe = Recipe {
            groups: config.groups.iter().map(|g| g.build()).collect::<Result<_, _>>()?,
            clip_norm: config.clip_norm,
            clip_value: config.clip_value,
            average: config
                .average
                .map(|average| average.check().map(|()| average.build(run)))
                .transpose()?,
            lr: Some(config.schedule.build(run)?),
            momentum: config.momentum_schedule.as_ref().map(|s| s.build(run)).transpose()?,
            decay: config.weight_decay_schedule.as_ref().map(|s| s.build(run)).transpose()?,
            ..Recipe::new(Arc::from(config.optimizer.build()?))
        };
        config.wrap.check()?;
        for wrap in &config.wrap.0 {
            match wrap.build() {
                Wrap::Element(stage) => recipe.behind.push(stage),
                Wrap::Outer(outer) => recipe.outers.push(outer),
            }
        }
        Ok(recipe)
    }

    /// What the schedules say of the update that follows `done` updates.
    pub fn factors(&self, done: u64) -> Factors {
        let at = |schedule: &Option<Schedule>| schedule.as_ref().map_or(1.0, |s| s.at(done));
        Factors { lr: at(&self.lr), momentum: at(&self.momentum), decay: at(&self.decay) }
    }
}
