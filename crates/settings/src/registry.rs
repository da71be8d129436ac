//! What a registry says about each thing in it: help texts, config errors, the schema and the docs' tables come from
//! here.

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// One named thing that a config can ask for.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The word in a config.
    pub name: &'static str,
    /// One line, no full stop.
    pub summary: &'static str,
    /// What it computes, in one line.
    pub formula: &'static str,
    /// Authors, title, year; and where the formula is not PyTorch's.
    pub source: &'static str,
    /// Its keys, in the order in which they are written.
    pub keys: &'static [Key],
}

/// One key of a config table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key itself.
    pub name: &'static str,
    /// Its default, as JSON.
    pub default: &'static str,
    /// The unit, empty where there is none.
    pub unit: &'static str,
    /// What it may be.
    pub range: Range,
    /// One line, no full stop.
    pub help: &'static str,
}

/// The values that a key allows; numbers must be finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// x ≥ the bound.
    AtLeast(f64),
    /// x > the bound.
    Above(f64),
    /// Both bounds allowed.
    Within(f64, f64),
    /// The upper bound is not allowed.
    Below(f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// Numbers of a range that is told in words, since they may come as a list, or beside words.
    Told(&'static Range, &'static str),
    /// Something else, in words.
    Other(&'static str),
}

impl Range {
    /// Whether a number is allowed; a range of no numbers allows none.
    pub fn allows(&self, x: f64) -> bool {
        x.is_finite()
            && match *self {
                Range::AtLeast(min) => x >= min,
                Range::Above(min) => x > min,
                Range::Within(min, max) => (min..=max).contains(&x),
                Range::Below(min, max) => (min..max).contains(&x),
                Range::Told(range, _) => range.allows(x),
                Range::Words(_) | Range::Switch | Range::Other(_) => false,
            }
    }

    /// The range without the words in which it is told.
    pub fn plain(self) -> Range {
        match self {
            Range::Told(range, _) => range.plain(),
            other => other,
        }
    }

    /// The allowed number nearest to one that is not; none where there is no such thing.
    fn nearest(self, x: f64) -> Option<f64> {
        match self.plain() {
            Range::AtLeast(min) => Some(x.max(min)),
            Range::Within(min, max) => Some(x.clamp(min, max)),
            Range::Below(min, _) if x < min => Some(min),
            _ => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Range::AtLeast(min) if min != 0.0 && min.abs() < 1e-4 => write!(f, "{min:e} or more"),
            Range::AtLeast(min) => write!(f, "{min} or more"),
            Range::Above(min) => write!(f, "more than {min}"),
            Range::Within(min, max) => write!(f, "from {min} to {max}"),
            Range::Below(min, max) => write!(f, "from {min} to below {max}"),
            Range::Words(words) => write!(f, "one of `{}`", words.join("`, `")),
            Range::Switch => write!(f, "`true` or `false`"),
            Range::Told(_, text) | Range::Other(text) => f.write_str(text),
        }
    }
}

/// A number outside of what its key allows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{of}: `{key}` is {value}, expected {allowed}")]
pub struct OutOfRange {
    /// The entry's name.
    pub of: &'static str,
    /// The key.
    pub key: &'static str,
    /// What it was.
    pub value: f64,
    /// What it may be.
    pub allowed: Range,
    /// Its default, as JSON.
    pub default: &'static str,
}

impl OutOfRange {
    /// What to type instead.
    pub fn hint(&self) -> String {
        match (self.default, self.allowed.nearest(self.value)) {
            ("" | "null", Some(near)) => format!("the nearest that is allowed is `{} = {near}`", self.key),
            ("" | "null", None) => format!("`{}` may be {}", self.key, self.allowed),
            (default, _) => format!("the default is `{} = {default}`", self.key),
        }
    }
}

impl Entry {
    /// Checks a number against the range of the key.
    pub fn check(&self, key: &'static str, value: f64) -> Result<(), OutOfRange> {
        self.keys.iter().find(|k| k.name == key).map_or(Ok(()), |k| k.check(self.name, value))
    }
}

/// Reads `"adam"` as `{ name = "adam" }`, and a table as it is.
pub fn name_or_table<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    struct Either<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name, or a table with the key `name`")
        }
        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            T::deserialize(MapDeserializer::new(std::iter::once(("name", name))))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_any(Either(PhantomData))
}
