//! Learning rate schedules: the factor of the optimizer's `lr`, a pure function of the step.
//!
//! A linear warm-up may precede any of them; the schedule then counts its steps from the end of the warm-up, and
//! lengths that are shares are shares of the whole run. The update with [`StepInfo::step`](crate::optim::StepInfo) =
//! s (from 1) uses [`Schedule::at`]`(s - 1)`.

mod span;

pub use span::{RunLength, Span, SpanError};

use crate::registry::{Entry, OutOfRange, Range};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use settings::settings;
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
    /// What comes before it.
    #[serde(flatten)]
    pub rise: Warmup,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        CurveConfig::Constant(Constant::default()).into()
    }
}

settings! {
    /// A linear rise before any curve: factor(0)·(from + (1 − from)·t/n) for t < n.
    ///
    /// Goyal et al., Accurate, large minibatch SGD, 2017, arxiv.org/abs/1706.02677.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Warmup of "warmup" {
        /// length of a linear rise before the curve starts
        pub warmup: Span = Span::Steps(0) => "\"0st\"", in SPAN_RANGE;
        /// where the rise starts
        ///
        /// PyTorch's `LinearLR`: 1/3.
        pub warmup_from: f64 = 0.01, unit "share of lr", in Range::Within(0.0, 1.0);
    }
}

pub(crate) const SPAN_RANGE: Range =
    Range::Other("a length: \"10ep\" (or 10) epochs, \"500st\" steps, \"0.1dur\" share of the run");

/// Lists the schedules: a module and a type each.
macro_rules! schedules {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$Type;)+

        /// Every schedule's facts, in the order of the docs; the keys of [`Warmup`] go with each.
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
    coslog: Coslog,
}

impl From<CurveConfig> for ScheduleConfig {
    /// Without warm-up.
    fn from(curve: CurveConfig) -> Self {
        ScheduleConfig { curve, rise: Warmup::default() }
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
        self.rise.in_range()?;
        let warmup_steps = self.rise.warmup.steps(run);
        if warmup_steps > 0 && matches!(self.curve, CurveConfig::Coslog(_)) {
            return Err(ScheduleError::Rises { of: self.curve.entry().name, warmup: self.rise.warmup });
        }
        let n_steps = run.n_steps.saturating_sub(warmup_steps);
        let curve = self.curve.build(&Room { run, n_steps })?;
        Ok(Schedule { warmup_steps, warmup_from: self.rise.warmup_from, curve })
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
        /// The table that it stands in.
        table: &'static str,
        /// Its value.
        span: Span,
        /// Steps in the run.
        n_steps: u64,
    },
    /// A warm-up before a curve that rises by itself.
    #[error("`{of}` rises from 0 by itself, and `schedule.warmup` is {warmup}")]
    Rises {
        /// The schedule's name.
        of: &'static str,
        /// What was set.
        warmup: Span,
    },
}

impl ScheduleError {
    /// What to type instead.
    pub fn hint(&self) -> String {
        match self {
            ScheduleError::OutOfRange(error) => error.hint(),
            ScheduleError::NoSteps { key, table, .. } => format!("`{table}.{key}=1st` is the shortest"),
            ScheduleError::Rises { .. } => "`schedule.warmup=0` leaves the rise to it".into(),
        }
    }

    /// The same of a schedule that stands in another table than `schedule`.
    pub(crate) fn within(self, name: &'static str) -> Self {
        match self {
            ScheduleError::NoSteps { of, key, span, n_steps, .. } => {
                ScheduleError::NoSteps { of, key, table: name, span, n_steps }
            }
            other => other,
        }
    }
}

impl<'de> Deserialize<'de> for ScheduleConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // the curve takes what is left of the keys, and refuses those that it does not know
        let table: Map<String, Value> = crate::registry::name_or_table(from)?;
        let rises = |key: &String| Warmup::KEYS.iter().any(|k| k.name == key);
        let (rise, curve): (Map<_, _>, Map<_, _>) = table.into_iter().partition(|(key, _)| rises(key));
        Ok(ScheduleConfig {
            curve: CurveConfig::deserialize(Value::Object(curve)).map_err(D::Error::custom)?,
            rise: Warmup::deserialize(Value::Object(rise)).map_err(D::Error::custom)?,
        })
    }
}
