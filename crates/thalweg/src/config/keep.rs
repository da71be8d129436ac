//! How many of a run's checkpoints stay.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// How many of the checkpoints that `save.every` writes stay beside the best and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Every one.
    All,
    /// The newest ones.
    Newest(u64),
}

impl Keep {
    /// The most that stay; none for all.
    pub fn most(self) -> Option<u64> {
        match self {
            Keep::All => None,
            Keep::Newest(n) => Some(n),
        }
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Keep::All => to.serialize_str("all"),
            Keep::Newest(n) => to.serialize_u64(*n),
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Keep;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`all`, or how many checkpoints to keep, 0 or more")
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Keep, E> {
        let wrong = || E::custom(format!("expected `all`, or how many checkpoints to keep, got {n}"));
        u64::try_from(n).map(Keep::Newest).map_err(|_| wrong())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Keep, E> {
        match text {
            "all" => Ok(Keep::All),
            _ => Err(E::custom(format!("expected `all`, or how many checkpoints to keep, got \"{text}\""))),
        }
    }
}
