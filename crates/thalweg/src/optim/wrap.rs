//! Wrappers: what may be laid around any optimizer.

mod lookahead;
mod sam;

use std::sync::Arc;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{ElementStage, Outer};
use settings::{Entry, OutOfRange};

pub use lookahead::Lookahead;
pub use sam::Sam;

/// What a wrapper adds.
pub(super) enum Wrap {
    /// A stage behind the step.
    Element(Arc<dyn ElementStage>),
    /// A stage around the whole.
    Outer(Box<dyn Outer>),
}

/// Lists the wrappers: a module and a type each.
macro_rules! wrappers {
    ($($module:ident: $Type:ident),+ $(,)?) => {
        /// Every wrapper's facts.
        pub(super) const ALL: &[Entry] = &[$($module::ENTRY),+];

        /// A wrapper and its settings: `"sam"`, or a table such as `{ name = "sam", rho = 0.1 }`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        pub enum WrapConfig {
            $(#[allow(missing_docs)] $Type($Type)),+
        }

        #[derive(Deserialize)]
        #[serde(tag = "name", rename_all = "lowercase")]
        enum Table {
            $($Type($Type)),+
        }

        impl<'de> Deserialize<'de> for WrapConfig {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::registry::name_or_table::<D, Table>(from).map(|table| match table {
                    $(Table::$Type(config) => WrapConfig::$Type(config)),+
                })
            }
        }

        $(impl From<$Type> for WrapConfig {
            fn from(config: $Type) -> Self { WrapConfig::$Type(config) }
        })+

        impl WrapConfig {
            pub(super) fn check(&self) -> Result<(), OutOfRange> {
                match self { $(WrapConfig::$Type(config) => config.in_range()),+ }
            }

            pub(super) fn build(&self) -> Wrap {
                match self { $(WrapConfig::$Type(config) => config.build()),+ }
            }
        }
    };
}

wrappers! {
    lookahead: Lookahead,
    sam: Sam,
}

/// Wrappers in order, from the inside out: a list, or one text such as `"lookahead,sam"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Wrappers(pub Vec<WrapConfig>);

impl Wrappers {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn check(&self) -> Result<(), OutOfRange> {
        self.0.iter().try_for_each(WrapConfig::check)
    }
}

impl<'de> Deserialize<'de> for Wrappers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Wrappers;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a list of wrappers such as [\"lookahead\", { name = \"sam\", rho = 0.1 }], or one text",
                )
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Wrappers, E> {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
                let read = |name| WrapConfig::deserialize(serde::de::value::StrDeserializer::new(name));
                names.map(read).collect::<Result<_, E>>().map(Wrappers)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Wrappers, A::Error> {
                let mut list = Vec::new();
                while let Some(one) = seq.next_element()? {
                    list.push(one);
                }
                Ok(Wrappers(list))
            }
        }
        from.deserialize_any(Read)
    }
}
