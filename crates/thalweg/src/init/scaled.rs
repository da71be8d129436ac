//! What the variance-scaling initializers share: variance = gain² / n, with n inputs, outputs or their mean.

use super::Target;
use engine::rng::Rng;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use settings::{Key, OutOfRange, Setting, words};
use std::fmt;

words! {
    /// The n of the formula.
    pub enum Mode {
        /// Inputs of a unit: keeps the scale of values going forward.
        FanIn = "fan_in",
        /// Units that an input reaches: keeps the scale of gradients going back.
        FanOut = "fan_out",
        /// The mean of both.
        FanAvg = "fan_avg",
    }
}

impl Mode {
    fn n(self, target: &Target) -> f64 {
        match self {
            Mode::FanIn => target.fan_in as f64,
            Mode::FanOut => target.fan_out as f64,
            Mode::FanAvg => (target.fan_in + target.fan_out) as f64 / 2.0,
        }
    }
}

/// Factor of the standard deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gain {
    /// That of the activation that follows.
    #[default]
    Auto,
    /// This number.
    Fixed(f64),
}

impl Setting for Gain {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        match self {
            Gain::Auto => Ok(()),
            // The words say that it may be `auto`, too.
            Gain::Fixed(value) => {
                key.check(of, *value).map_err(|error| OutOfRange { allowed: key.range, ..error })
            }
        }
    }
}

/// gain/√n; 0 for an empty tensor.
pub(super) fn std(target: &Target, mode: Mode, gain: Gain) -> f64 {
    let gain = match gain {
        Gain::Auto => target.gain,
        Gain::Fixed(value) => value,
    };
    match mode.n(target) {
        0.0 => 0.0,
        n => gain / n.sqrt(),
    }
}

/// Normal draws of mean 0.
pub(super) fn fill_normal(std: f64, rng: Rng, out: &mut [f32]) {
    for (i, x) in (0..).zip(out) {
        *x = (std * f64::from(rng.normal(i))) as f32;
    }
}

/// Uniform draws in [low, high).
pub(super) fn fill_uniform(low: f64, high: f64, rng: Rng, out: &mut [f32]) {
    for (i, x) in (0..).zip(out) {
        *x = (low + (high - low) * f64::from(rng.uniform(i))) as f32;
    }
}

impl Serialize for Gain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Gain::Auto => to.serialize_str("auto"),
            Gain::Fixed(value) => to.serialize_f64(*value),
        }
    }
}

impl<'de> Deserialize<'de> for Gain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AutoOrNumber;
        impl Visitor<'_> for AutoOrNumber {
            type Value = Gain;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", super::GAIN)
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Gain, E> {
                let wrong = || E::invalid_value(serde::de::Unexpected::Str(word), &self);
                (word == "auto").then_some(Gain::Auto).ok_or_else(wrong)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Gain, E> {
                Ok(Gain::Fixed(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Gain, E> {
                Ok(Gain::Fixed(value as f64))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Gain, E> {
                Ok(Gain::Fixed(value as f64))
            }
        }
        from.deserialize_any(AutoOrNumber)
    }
}
