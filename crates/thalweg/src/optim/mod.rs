//! Optimizers: chains of stages that edit an update, compiled to one pass over the flat vectors where they can be.
//!
//! An optimizer of one's own is [`Optimizer::stages`] over the stages there are, or over one's own:
//!
//! ```
//! use std::sync::Arc;
//! use thalweg::optim::{Block, ElementStage, Optimizer, Stage, StepInfo};
//!
//! /// Steps of one size, in the direction of each gradient's sign.
//! #[derive(Debug)]
//! struct SignDescent;
//!
//! #[derive(Debug)]
//! struct Sign;
//!
//! impl ElementStage for Sign {
//!     fn apply(&self, _info: &StepInfo, block: &mut Block) {
//!         block.update.iter_mut().for_each(|u| *u = u.signum());
//!     }
//! }
//!
//! impl Optimizer for SignDescent {
//!     fn lr(&self) -> f64 {
//!         0.001
//!     }
//!
//!     fn stages(&self, _decay: f64) -> Vec<Stage> {
//!         vec![Stage::Element(Arc::new(Sign)), Stage::Step]
//!     }
//! }
//! ```

mod average;
mod chain;
mod clip;
mod decay;
mod groups;
mod named;
mod outer;
mod recipe;
mod stage;
mod updater;
mod wrap;

pub use average::{AverageConfig, Ema, Mean};
pub use clip::{ClipNorm, ClipValue};
#[cfg(feature = "runs")]
pub(crate) use decay::matches;
pub use decay::{Decay, DecayRule, UnmatchedPattern};
pub use groups::{Group, GroupError};
pub use named::NamedState;
pub use outer::{Level, Outer, OuterMemory};
pub use recipe::{Factors, Recipe, RecipeError};
pub use stage::{Block, ElementStage, Stage, Start, StateSpec, Tensor, TensorStage};
pub use updater::{Part, Slope, Stopped, Updater};
pub use wrap::{Lookahead, Sam, WrapConfig, Wrappers};

/// Every average of weights' facts.
pub const AVERAGES: &[Entry] = average::ALL;
/// Every wrapper's facts.
pub const WRAPPERS: &[Entry] = wrap::ALL;

use serde::{Deserialize, Deserializer, Serialize};
use settings::{Entry, OutOfRange, Range};
use std::fmt::Debug;

/// What every piece of one update has in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// The number of this update, from 1.
    pub step: u64,
    /// Step size α of this update: the optimizer's `lr` times the group's and the schedule's factor.
    pub lr: f32,
    /// What a schedule says of momentum: a factor of μ and of β₁; 1.
    pub momentum: f64,
    /// What a schedule says of weight decay: a factor of λ; 1.
    pub decay: f64,
    /// Factor of the gradient: 1, or what [`ClipNorm::factor`] says. Stages need not care: the update that they see
    /// has it already.
    pub grad_scale: f32,
}

/// An update rule; all of its state is in what its stages keep, and in the step number.
pub trait Optimizer: Send + Sync + Debug {
    /// The base step size, which schedules and groups multiply.
    fn lr(&self) -> f64;

    /// What is done to a parameter in one update, in order. `decay` is the strength λ of weight decay that it has: 0
    /// for one that does not decay.
    fn stages(&self, decay: f64) -> Vec<Stage>;

    /// Strength λ of weight decay; 0.
    fn weight_decay(&self) -> f64 {
        0.0
    }

    /// Which parameters decay; weights, and neither biases nor norm gains.
    fn decay_on(&self) -> &DecayRule {
        &DecayRule::Weights
    }
}

/// Lists the optimizers: a module and a type each.
macro_rules! optimizers {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every optimizer's facts, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// An optimizer and its settings: `"adam"`, or a table such as `{ name = "adam", lr = 0.002 }`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        pub enum OptimConfig {
            $(#[allow(missing_docs)] $Type($Type)),+
        }

        #[derive(Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        enum Table {
            $($Type($Type)),+
        }

        impl From<Table> for OptimConfig {
            fn from(table: Table) -> Self {
                match table { $(Table::$Type(config) => OptimConfig::$Type(config)),+ }
            }
        }

        impl OptimConfig {
            /// Checks every value, then makes the optimizer.
            ///
            /// # Errors
            /// Names the first key whose value is not allowed.
            pub fn build(&self) -> Result<Box<dyn Optimizer>, OutOfRange> {
                match self {
                    $(OptimConfig::$Type(config) => {
                        config.in_range()?;
                        Ok(Box::new(config.clone()))
                    })+
                }
            }

            /// The base step size.
            pub fn lr_mut(&mut self) -> &mut f64 {
                match self { $(OptimConfig::$Type(config) => &mut config.lr),+ }
            }

            /// Facts about the chosen optimizer.
            pub fn entry(&self) -> &'static Entry {
                match self { $(OptimConfig::$Type(_) => &$module::ENTRY),+ }
            }
        }
    };
}

optimizers! {
    sgd: Sgd,
    momentum: Momentum,
    nesterov: Nesterov,
    adam: Adam,
    adamw: AdamW,
    lamb: Lamb,
}

impl OptimConfig {
    /// The strength of weight decay where it is left open, for whoever knows the data; none for optimizers that have a
    /// default of their own.
    pub(crate) fn open_decay(&mut self) -> Option<&mut Option<f64>> {
        let decay = match self {
            OptimConfig::Sgd(own) => &mut own.weight_decay,
            OptimConfig::Momentum(own) => &mut own.weight_decay,
            OptimConfig::Nesterov(own) => &mut own.weight_decay,
            OptimConfig::Adam(own) => &mut own.weight_decay,
            OptimConfig::AdamW(_) | OptimConfig::Lamb(_) => return None,
        };
        decay.is_none().then_some(decay)
    }
}

impl<'de> Deserialize<'de> for OptimConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::registry::name_or_table::<D, Table>(from).map(Self::from)
    }
}

/// What ε may be. The average of g² loses gradients below about 1e-16 (in f32, and passes flush it at 1e-35); m must
/// not outweigh ε there.
const EPS_RANGE: Range = Range::AtLeast(1e-16);

/// A stage of weight decay, where there is any.
fn decay_stage(kind: Decay, decay: f64) -> Option<Stage> {
    match kind {
        _ if decay == 0.0 => None,
        Decay::L2 => Some(Stage::L2(decay)),
        Decay::Decoupled => Some(Stage::Decay(decay)),
    }
}

/// The chain of all optimizers that go along one direction: decay of its kind, the direction, the step.
fn plain_chain(kind: Decay, decay: f64, direction: Option<Stage>) -> Vec<Stage> {
    let decay = decay_stage(kind, decay);
    let (before, beside) = if kind == Decay::L2 { (decay, None) } else { (None, decay) };
    before.into_iter().chain(direction).chain(beside).chain([Stage::Step]).collect()
}
