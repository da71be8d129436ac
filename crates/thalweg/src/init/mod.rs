//! Initial values of parameters: each a pure function of the seed, the parameter's index and the element's index.

mod quantile;
mod scaled;

use engine::rng::Rng;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use settings::{Entry, Key, OutOfRange, Range, Setting, Tag};
use std::fmt::Debug;

pub use scaled::{Gain, Mode};

/// What an initializer may look at besides the random numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Inputs of one unit.
    pub fan_in: usize,
    /// Units that one input reaches.
    pub fan_out: usize,
    /// Gain of the activation that follows, see [`Layer::gain`](crate::layers::Layer::gain); 1 where there is none.
    pub gain: f64,
}

impl Target {
    /// Fans of a tensor `[out, in, ..]` by PyTorch's rule; of one with fewer than two axes, its number of elements.
    pub fn of(shape: &[usize], gain: f64) -> Self {
        let (fan_out, fan_in) = match *shape {
            [out, inputs, ref kernel @ ..] => {
                let field = kernel.iter().product::<usize>();
                (out * field, inputs * field)
            }
            _ => (shape.iter().product(), shape.iter().product()),
        };
        Target { fan_in, fan_out, gain }
    }

    /// Of a convolution's weight in memory, `[KH, KW, I, O]`: KH·KW·I and KH·KW·O/groups.
    ///
    /// PyTorch does not divide by the groups. Of a transposed convolution `I` are the channels that a group gives, so
    /// its fans are the other way round, in PyTorch too.
    pub fn of_kernel(shape: &[usize], groups: usize, gain: f64) -> Self {
        let (field, channels) = shape.split_at(shape.len().saturating_sub(2));
        let field = field.iter().product::<usize>();
        let [i, o] = std::array::from_fn(|axis| field * channels.get(axis).unwrap_or(&1));
        Target { fan_in: i, fan_out: o / groups.max(1), gain }
    }
}

/// A way to fill a parameter before training.
pub trait Init: Send + Sync + Debug {
    /// Writes every element; element `i` may use draw `i` of `rng` and nothing else that is random.
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]);
}

/// Lists the initializers: a module and a type each.
macro_rules! inits {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every initializer's facts, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// An initializer and its settings: `"he_normal"`, or a table such as `{ name = "normal", std = 0.01 }`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "name", rename_all = "snake_case")]
        pub enum InitConfig {
            $(#[allow(missing_docs)] $Type($Type)),+
        }

        #[derive(Deserialize)]
        #[serde(tag = "name", rename_all = "snake_case")]
        enum Table {
            $($Type($Type)),+
        }

        impl From<Table> for InitConfig {
            fn from(table: Table) -> Self {
                match table { $(Table::$Type(config) => InitConfig::$Type(config)),+ }
            }
        }

        $(impl From<$Type> for InitConfig {
            fn from(config: $Type) -> Self { InitConfig::$Type(config) }
        })+

        impl InitConfig {
            /// Checks every value.
            ///
            /// # Errors
            /// Names the first key whose value is not allowed.
            pub fn check(&self) -> Result<(), OutOfRange> {
                match self { $(InitConfig::$Type(config) => config.check()),+ }
            }

            /// Facts about the chosen initializer.
            pub fn entry(&self) -> &'static Entry {
                match self { $(InitConfig::$Type(_) => &$module::ENTRY),+ }
            }
        }

        impl Init for InitConfig {
            fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
                match self { $(InitConfig::$Type(config) => config.fill(target, rng, out)),+ }
            }
        }
    };
}

inits! {
    zeros: Zeros,
    constant: Constant,
    normal: Normal,
    uniform: Uniform,
    trunc_normal: TruncNormal,
    xavier_normal: XavierNormal,
    xavier_uniform: XavierUniform,
    he_normal: HeNormal,
    he_uniform: HeUniform,
    lecun_normal: LecunNormal,
    torch_linear: TorchLinear,
}

const TAG: Tag = Tag { key: "name", what: "initializer" };

impl<'de> Deserialize<'de> for InitConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let table: Map<String, Value> = TAG.table(from)?;
        TAG.read::<Table>(table, ALL).map(Self::from).map_err(D::Error::custom)
    }
}

const STD_RANGE: Range = Range::AtLeast(0.0);
const ANY_NUMBER: Range = Range::Within(f32::MIN as f64, f32::MAX as f64);

const GAIN: Range = Range::Told(&Range::Above(0.0), "a number above 0, or \"auto\"");

impl Setting for InitConfig {
    fn check(&self, _: &'static str, _: &Key) -> Result<(), OutOfRange> {
        self.check()
    }
}
