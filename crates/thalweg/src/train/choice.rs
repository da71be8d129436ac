//! What is measured, and with which weights: words of the command line and the record as values.

use std::fmt;
use std::str::FromStr;

use crate::data::Splits;

/// A word that names neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`: expected {}", names.join(" or "))]
pub struct UnknownWord {
    /// What was to be named.
    pub what: &'static str,
    /// What was written.
    pub word: String,
    /// What may be written.
    pub names: &'static [&'static str],
}

macro_rules! words {
    ($(#[$doc:meta])* $Type:ident, $what:literal, $($(#[$help:meta])* $Name:ident = $word:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $Type {
            $($(#[$help])* $Name),+
        }

        impl $Type {
            /// The words, in order.
            pub const NAMES: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub fn name(self) -> &'static str {
                match self {
                    $($Type::$Name => $word),+
                }
            }
        }

        impl FromStr for $Type {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($Type::$Name),)+
                    _ => Err(UnknownWord { what: $what, word: word.to_owned(), names: Self::NAMES }),
                }
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

words! {
    /// One of the three parts that the samples are split into.
    Split, "part of the data",
    /// What the optimizer sees.
    Train = "train",
    /// What tells the best epoch.
    Valid = "valid",
    /// What is looked at once, at the end.
    Test = "test"
}

words! {
    /// One of the two sets of weights that a run keeps.
    Kept, "checkpoint",
    /// Those of the epoch with the best figure.
    Best = "best",
    /// Those of the last step.
    Last = "last"
}

impl Split {
    /// The word for the part in a sentence.
    pub(super) fn long(self) -> &'static str {
        match self {
            Split::Train => "training",
            Split::Valid => "validation",
            Split::Test => "test",
        }
    }

    /// The indices of the part's samples.
    pub fn of(self, splits: &Splits) -> &[u32] {
        match self {
            Split::Train => &splits.train,
            Split::Valid => &splits.valid,
            Split::Test => &splits.test,
        }
    }

    /// The part that a finished run is judged by: the test part, or the next best that has samples.
    pub fn to_judge(splits: &Splits) -> Split {
        let all = [Split::Test, Split::Valid, Split::Train];
        all.into_iter().find(|split| !split.of(splits).is_empty()).unwrap_or(Split::Train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_exactly() {
        for name in Split::NAMES {
            assert_eq!(name.parse::<Split>().unwrap().to_string(), *name);
        }
        assert_eq!("last".parse(), Ok(Kept::Last));
        let text = "validation".parse::<Split>().unwrap_err().to_string();
        assert_eq!(text, "unknown part of the data `validation`: expected train or valid or test");
        assert_eq!(
            "Best".parse::<Kept>().unwrap_err().to_string(),
            "unknown checkpoint `Best`: expected best or last"
        );
    }
}
