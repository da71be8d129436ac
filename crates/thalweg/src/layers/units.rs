//! The width of a layer: a number, or as many as the model has outputs.

use crate::model::Builder;
use engine::Fault;
use engine::graph::Built;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use settings::{Key, OutOfRange, Setting};
use std::fmt;

/// Largest width of a layer: 2²⁴.
pub const MAX_UNITS: usize = 1 << 24;

/// How many values a layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// This many.
    Count(usize),
    /// As many as the data has classes or targets; in a config the word `outputs`.
    Outputs,
}

impl Units {
    /// The number; `key` is the layer's word for it.
    pub(super) fn count(self, b: &Builder<'_>, op: &'static str, key: &'static str) -> Built<usize> {
        match (self, b.outputs()) {
            (Units::Count(n), _) | (Units::Outputs, Some(n)) => Ok(n),
            (Units::Outputs, None) => {
                let range = "a number, because the model does not know its outputs";
                Err(b.error(op, Fault::Range { key, range, value: f64::NAN }))
            }
        }
    }
}

impl Setting for Units {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        match self {
            Units::Count(n) => n.check(of, key),
            Units::Outputs => Ok(()),
        }
    }
}

impl From<usize> for Units {
    fn from(n: usize) -> Self {
        Units::Count(n)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Units::Count(n) => write!(f, "{n}"),
            Units::Outputs => f.write_str("outputs"),
        }
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Units::Count(n) => to.serialize_u64(*n as u64),
            Units::Outputs => to.serialize_str("outputs"),
        }
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct CountOrWord;
        impl Visitor<'_> for CountOrWord {
            type Value = Units;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from 1 to {MAX_UNITS}, or \"outputs\"")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Units, E> {
                match usize::try_from(n) {
                    Ok(n) if (1..=MAX_UNITS).contains(&n) => Ok(Units::Count(n)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(n), &self)),
                }
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Units, E> {
                u64::try_from(n)
                    .map_err(|_| E::invalid_value(Unexpected::Signed(n), &self))
                    .and_then(|n| self.visit_u64(n))
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Units, E> {
                let wrong = || E::invalid_value(Unexpected::Str(word), &self);
                (word == "outputs").then_some(Units::Outputs).ok_or_else(wrong)
            }
        }
        from.deserialize_any(CountOrWord)
    }
}
