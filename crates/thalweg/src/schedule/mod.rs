//! Learning rate schedules: the factor of the optimiser's `lr`, a pure function of the step.
//!
//! A linear warm-up may precede any of them; the schedule then counts its steps from the end of the warm-up, and
//! lengths that are shares are shares of the whole run. The update with [`StepInfo::step`](crate::optim::StepInfo) =
//! s (from 1) uses [`Schedule::at`]`(s - 1)`.

mod span;

pub use span::{RunLength, Span, SpanError};

use crate::registry::{Entry, Key, OutOfRange, Range};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Debug;

/// A curve over the steps after the warm-up.
trait Curve: Send + Sync + Debug {
    /// The factor of `lr` after `step` updates; from 0.
    fn at(&self, step: u64) -> f64;
}

/// What a curve is built for.
struct Room {
    run: RunLength,
    /// Updates after the warm-up.
    n_steps: u64,
}

/// A schedule ready for one run.
#[derive(Debug)]
pub struct Schedule {
    warmup_steps: u64,
    warmup_from: f64,
    curve: Box<dyn Curve>,
}

impl Schedule {
    /// The factor of the base `lr` for the update that follows `done` updates: 0 for the first one.
    ///
    /// PyTorch's count: its schedulers, stepped after every update, give the same factors.
    pub fn at(&self, done: u64) -> f64 {
        let now = self.curve.at(done.saturating_sub(self.warmup_steps));
        if done >= self.warmup_steps {
            return now;
        }
        let share = done as f64 / self.warmup_steps as f64;
        now * (self.warmup_from + (1.0 - self.warmup_from) * share)
    }

    /// The step size itself, for a base `lr`.
    pub fn lr(&self, base: f64, done: u64) -> f32 {
        (base * self.at(done)) as f32
    }
}

/// A schedule's settings: `"cosine"`, or a table such as `{ name = "cosine", warmup = "5ep" }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScheduleConfig {
    /// The curve and its keys.
    #[serde(flatten)]
    pub curve: CurveConfig,
    /// Length of the linear warm-up before the curve; none.
    pub warmup: Span,
    /// Factor at which the warm-up starts; 0.01 (PyTorch's `LinearLR`: 1/3).
    pub warmup_from: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        CurveConfig::Constant(Constant::default()).into()
    }
}

/// The keys that go with any curve.
pub const WARMUP_KEYS: [Key; 2] = [
    Key {
        name: "warmup",
        default: "\"0st\"",
        unit: "",
        range: SPAN_RANGE,
        help: "length of a linear rise before the curve starts",
    },
    Key {
        name: "warmup_from",
        default: "0.01",
        unit: "share of lr",
        range: Range::Within(0.0, 1.0),
        help: "where the rise starts",
    },
];

pub(crate) const SPAN_RANGE: Range =
    Range::Other("a length: \"10ep\" (or 10) epochs, \"500st\" steps, \"0.1dur\" share of the run");

const WARMUP: Entry = Entry {
    name: "warmup",
    summary: "linear rise before any schedule",
    formula: "factor(0) · (from + (1 − from)·t/n), t < n",
    source: "Goyal et al., Accurate, large minibatch SGD, 2017, arxiv.org/abs/1706.02677",
    keys: &WARMUP_KEYS,
};

/// Lists the schedules: a module and a type each.
macro_rules! schedules {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every schedule's facts, in the order of the docs; [`WARMUP_KEYS`] go with each.
        pub const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// A curve and its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        pub enum CurveConfig {
            $(#[allow(missing_docs)] $Type($Type)),+
        }

        $(impl From<$Type> for ScheduleConfig {
            /// Without warm-up.
            fn from(curve: $Type) -> Self { CurveConfig::$Type(curve).into() }
        })+

        impl CurveConfig {
            /// Facts about the chosen curve.
            pub fn entry(&self) -> &'static Entry {
                match self { $(CurveConfig::$Type(_) => &$module::ENTRY),+ }
            }

            fn build(&self, room: &Room) -> Result<Box<dyn Curve>, ScheduleError> {
                match self { $(CurveConfig::$Type(config) => Ok(Box::new(config.build(room)?))),+ }
            }
        }
    };
}

schedules! {
    constant: Constant,
    step: Step,
    cosine: Cosine,
}

impl From<CurveConfig> for ScheduleConfig {
    /// Without warm-up.
    fn from(curve: CurveConfig) -> Self {
        ScheduleConfig { curve, warmup: Span::Steps(0), warmup_from: 0.01 }
    }
}

impl ScheduleConfig {
    /// Checks every value, turns lengths into steps, and makes the schedule for one run.
    ///
    /// A warm-up as long as the run or longer is allowed: the run then ends within it.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn build(&self, run: RunLength) -> Result<Schedule, ScheduleError> {
        WARMUP.check("warmup_from", self.warmup_from)?;
        let warmup_steps = self.warmup.steps(run);
        let n_steps = run.n_steps.saturating_sub(warmup_steps);
        let curve = self.curve.build(&Room { run, n_steps })?;
        Ok(Schedule { warmup_steps, warmup_from: self.warmup_from, curve })
    }
}

/// Why a schedule cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A number outside of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A length that comes to no step at all.
    #[error("{of}: `{key}` is {span}, which is 0 of the run's {n_steps} steps, expected 1 step or more")]
    NoSteps {
        /// The schedule's name.
        of: &'static str,
        /// The key.
        key: &'static str,
        /// Its value.
        span: Span,
        /// Steps in the run.
        n_steps: u64,
    },
}

impl ScheduleError {
    /// What to type instead.
    pub fn hint(&self) -> String {
        match self {
            ScheduleError::OutOfRange(error) => error.hint(),
            ScheduleError::NoSteps { key, .. } => format!("`{key} = \"1st\"` is the shortest"),
        }
    }
}

impl<'de> Deserialize<'de> for ScheduleConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// The curve takes what is left of the keys, and refuses those that it does not know.
        #[derive(Deserialize)]
        struct Table {
            #[serde(default)]
            warmup: Option<Span>,
            #[serde(default)]
            warmup_from: Option<f64>,
            #[serde(flatten)]
            curve: CurveConfig,
        }
        let table: Table = crate::registry::name_or_table(from)?;
        let plain = ScheduleConfig::from(table.curve);
        Ok(ScheduleConfig {
            warmup: table.warmup.unwrap_or(plain.warmup),
            warmup_from: table.warmup_from.unwrap_or(plain.warmup_from),
            ..plain
        })
    }
}
