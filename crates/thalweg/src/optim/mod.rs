//! Optimisers: each is one fused pass over the flat parameter vector and its state vectors.

mod clip;
mod decay;

pub use clip::ClipNorm;
pub use decay::{Decay, DecayRule, UnmatchedPattern};

use crate::registry::{Entry, Key, OutOfRange, Range};
use kernels::update::Scale;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Debug;

/// What every piece of one update has in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// The number of this update, from 1.
    pub step: u64,
    /// Step size α of this update: the optimiser's `lr` times the schedule's factor.
    pub lr: f32,
    /// Factor of the gradient: 1, or what [`ClipNorm::factor`] says.
    pub grad_scale: f32,
}

/// A stretch of the flat vectors, cut anywhere; all slices are equally long.
#[derive(Debug)]
pub struct Piece<'a, 's> {
    /// Parameters θ.
    pub param: &'a mut [f32],
    /// Gradient g of the loss, before scaling.
    pub grad: &'a [f32],
    /// State vectors in the order of [`Optimizer::slots`], zero before the first update.
    pub slots: &'a mut [&'s mut [f32]],
    /// Whether weight decay applies here; [`DecayRule::apply`] says.
    pub decays: bool,
}

/// An update rule; all of its state is in the slots and the step number.
pub trait Optimizer: Send + Sync + Debug {
    /// The word in a config.
    fn name(&self) -> &'static str;
    /// Names of the state vectors, PyTorch's words; each is as long as the parameter vector and starts at zero.
    fn slots(&self) -> &'static [&'static str];
    /// The base step size, which a schedule multiplies.
    fn lr(&self) -> f64;
    /// Which parameters decay.
    fn decay_on(&self) -> &DecayRule;
    /// Moves the piece and its state by one step: one pass, no allocation. Elements do not depend on one another, so
    /// cutting a vector otherwise does not change the result.
    fn update(&self, info: &StepInfo, piece: Piece<'_, '_>);
}

/// Lists the optimisers: a module and a type each.
macro_rules! optimisers {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every optimiser's facts, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// An optimiser and its settings: `"adam"`, or a table such as `{ name = "adam", lr = 0.002 }`.
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
            /// Checks every value, then makes the optimiser.
            ///
            /// # Errors
            /// Names the first key whose value is not allowed.
            pub fn build(&self) -> Result<Box<dyn Optimizer>, OutOfRange> {
                match self {
                    $(OptimConfig::$Type(config) => {
                        config.check()?;
                        Ok(Box::new(config.clone()))
                    })+
                }
            }

            /// The base step size.
            pub fn lr_mut(&mut self) -> &mut f64 {
                match self { $(OptimConfig::$Type(config) => &mut config.lr),+ }
            }

            /// Facts about the chosen optimiser.
            pub fn entry(&self) -> &'static Entry {
                match self { $(OptimConfig::$Type(_) => &$module::ENTRY),+ }
            }
        }
    };
}

optimisers! {
    sgd: Sgd,
    momentum: Momentum,
    nesterov: Nesterov,
    adam: Adam,
    adamw: AdamW,
}

impl<'de> Deserialize<'de> for OptimConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::registry::name_or_table::<D, Table>(from).map(Self::from)
    }
}

/// Keys that every optimiser has; `lr` and `weight_decay` differ in their defaults.
const fn lr_key(default: &'static str) -> Key {
    let help = "base step size; the schedule multiplies it";
    Key { name: "lr", default, unit: "", range: Range::AtLeast(0.0), help }
}

const fn weight_decay_key(default: &'static str) -> Key {
    let help = "strength of the weight decay (gradient λθ, of the penalty ½λ|θ|²)";
    Key { name: "weight_decay", default, unit: "", range: Range::AtLeast(0.0), help }
}

const fn decay_key(default: &'static str) -> Key {
    let help = "l2 adds λθ to the gradient; decoupled shrinks θ by lr·λ beside the step";
    Key { name: "decay", default, unit: "", range: Range::Words(&["l2", "decoupled"]), help }
}

const DECAY_ON_KEY: Key = Key {
    name: "decay_on",
    default: "\"weights\"",
    unit: "",
    range: Range::Other(
        "`weights` (not biases, not norm gains), `all`, `none`, or a list of name patterns with `*`",
    ),
    help: "which parameters decay",
};

const MOMENTUM_KEY: Key = Key {
    name: "momentum",
    default: "0.9",
    unit: "",
    range: Range::Below(0.0, 1.0),
    help: "share of the last step that goes on, μ",
};

const BETAS_KEY: Key = Key {
    name: "betas",
    default: "[0.9, 0.999]",
    unit: "",
    range: Range::Below(0.0, 1.0),
    help: "decay of the averages of the gradient and of its square, β₁ and β₂",
};

const EPS_KEY: Key = Key {
    name: "eps",
    default: "1e-8",
    unit: "",
    // The average of g² loses gradients below about 1e-16 (in f32, and passes flush it at 1e-35); m must not outweigh
    // ε there.
    range: Range::AtLeast(1e-16),
    help: "added to the root of the average square",
};

const BIAS_CORRECTION_KEY: Key = Key {
    name: "bias_correction",
    default: "true",
    unit: "",
    range: Range::Switch,
    help: "divide both averages by 1 − βᵗ, as they start at 0",
};

/// The scalars of a pass; `decay` is the optimiser's strength and kind.
fn scale(info: &StepInfo, decay: (f64, Decay), decays: bool) -> Scale {
    let plain = Scale { lr: info.lr, grad: info.grad_scale, l2: 0.0, keep: 1.0 };
    match decay {
        _ if !decays => plain,
        (lambda, Decay::L2) => Scale { l2: lambda as f32, ..plain },
        (lambda, Decay::Decoupled) => Scale { keep: (1.0 - f64::from(info.lr) * lambda) as f32, ..plain },
    }
}
