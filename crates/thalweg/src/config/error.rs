//! What can be wrong with a config, as values: each names the key, where it was written, and what to type instead.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a value was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A line of a file, from 1.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line.
        line: usize,
    },
    /// A word of the command line.
    CommandLine,
    /// Nowhere: a default, or set by a program.
    #[default]
    Default,
}

impl fmt::Display for Place {
    /// With a leading blank, to stand behind a message; empty for a default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line } => write!(f, " at {}:{line}", path.display()),
            Place::CommandLine => f.write_str(" on the command line"),
            Place::Default => Ok(()),
        }
    }
}

/// A key that would have been right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The whole key, as it can be typed.
    pub key: String,
    /// Its default; empty where it has none.
    pub default: String,
}

/// A value that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Good {
    /// The key's default.
    Default(Box<str>),
    /// One of many.
    Example(Box<str>),
    /// None is known.
    Unknown,
}

/// What a word that sets nothing was probably meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The file of a config.
    Config(String),
    /// A source of data.
    Data(String),
    /// A setting, as it is typed.
    Setting(String),
}

/// A problem with a config. `Display` is the message; [`ConfigError::hint`] says what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config: {problem}: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        problem: String,
    },
    /// The file is not TOML.
    #[error("not TOML{place}: {problem}")]
    Syntax {
        /// The parser's words.
        problem: String,
        /// A line, from 1, as it was probably meant; none where nobody can tell.
        meant: Option<(usize, String)>,
        /// Where.
        place: Place,
    },
    /// A word that is not of the form `key=value`.
    #[error("`{word}` is not of the form `key=value`")]
    NotAnOverride {
        /// The word.
        word: String,
        /// What was probably meant.
        meant: Option<Meant>,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}`{place}")]
    UnknownKey {
        /// The whole key.
        key: String,
        /// The closest key.
        nearest: Option<Box<Near>>,
        /// The keys that the same table has, where they are few.
        known: Vec<&'static str>,
        /// What else could be chosen that has this key: `loss=cross_entropy`.
        with: Option<String>,
        /// Where it was written.
        place: Place,
    },
    /// A name that a registry does not have.
    #[error("unknown {what} `{name}`{place}")]
    UnknownName {
        /// `optimizer`, `schedule` and the like.
        what: &'static str,
        /// The same in the plural, as the registry is called.
        list: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
        /// The closest name.
        nearest: Option<String>,
        /// Where it was written.
        place: Place,
    },
    /// A value of another type, or out of its range.
    #[error("`{key}` is {got}{place}, expected {expected}")]
    Value {
        /// The whole key.
        key: String,
        /// What it is.
        got: Box<str>,
        /// What it may be.
        expected: Box<str>,
        /// A value that is right.
        good: Good,
        /// Where it was written.
        place: Place,
    },
    /// A value that only its own reader can judge.
    #[error("`{key}`{place}: {problem}")]
    Refused {
        /// The whole key.
        key: String,
        /// The reader's words.
        problem: String,
        /// Where it was written.
        place: Place,
    },
    /// Two keys of which only one may be set.
    #[error("`{one}` and `{other}` are both set{place}")]
    Both {
        /// One key.
        one: String,
        /// The other.
        other: String,
        /// Where the second was written.
        place: Place,
    },
    /// A key with one value that is set twice on the command line.
    #[error("`{key}` is set twice on the command line: to {first} and to {second}")]
    Twice {
        /// The key.
        key: String,
        /// Its first value as it was typed.
        first: String,
        /// Its second value.
        second: String,
    },
    /// More samples in a batch than there are.
    #[error("`batch` is {batch}, more than the {n_train} training samples")]
    BatchTooLarge {
        /// Samples asked for in one batch.
        batch: usize,
        /// Samples to train on.
        n_train: usize,
    },
}

impl ConfigError {
    /// What to type instead, one line.
    pub fn hint(&self) -> String {
        match self {
            ConfigError::Read { .. } => "check that the path is right and that you may read it".into(),
            ConfigError::Syntax { problem, .. } if problem.contains("duplicate key") => {
                "remove this line, or the one above it that sets the same key".into()
            }
            ConfigError::Syntax { meant: Some((n, line)), .. } => format!("write line {n} as `{line}`"),
            ConfigError::Syntax { .. } => {
                "a line is `key = value`, with text in quotes: `data = \"digits\"`".into()
            }
            ConfigError::NotAnOverride { meant: Some(Meant::Config(path)), .. } => {
                format!("`{path}` is a file of settings: read it as one")
            }
            ConfigError::NotAnOverride { meant: Some(Meant::Data(path)), .. } => {
                format!("did you mean `data={path}`?")
            }
            ConfigError::NotAnOverride { meant: Some(Meant::Setting(word)), .. } => {
                format!("did you mean `{word}`?")
            }
            ConfigError::NotAnOverride { .. } => {
                "settings are written without spaces, as in `epochs=10 lr=0.01`".into()
            }
            ConfigError::UnknownKey { with: Some(with), .. } => {
                format!("it belongs to `{with}`: set that as well")
            }
            ConfigError::UnknownKey { nearest: Some(near), .. } if near.default.is_empty() => {
                format!("did you mean `{}`?", near.key)
            }
            ConfigError::UnknownKey { nearest: Some(near), .. } => {
                format!("did you mean `{}` (default {})?", near.key, near.default)
            }
            ConfigError::UnknownKey { known, .. } if !known.is_empty() => {
                format!("the keys here are `{}`", known.join("`, `"))
            }
            ConfigError::UnknownKey { .. } => "the keys are the fields of `RunConfig`".into(),
            ConfigError::UnknownName { nearest: Some(near), .. } => format!("did you mean `{near}`?"),
            ConfigError::UnknownName { known, .. } => format!("there are {}", known.join(", ")),
            ConfigError::Value { key, good: Good::Default(value) | Good::Example(value), .. }
                if key.contains('[') =>
            {
                let (table, own) = key.rsplit_once('.').unwrap_or(("", key));
                format!(
                    "write `{own} = {value}` in that table of `{}`",
                    table.split('[').next().unwrap_or(table)
                )
            }
            ConfigError::Value { key, good: Good::Default(value), .. } => {
                format!("the default is `{key}={value}`")
            }
            ConfigError::Value { key, good: Good::Example(value), .. } => {
                format!("for example `{key}={value}`")
            }
            ConfigError::Value { key, .. } | ConfigError::Refused { key, .. } => {
                let table = key.split('.').next().unwrap_or(key);
                format!("the documentation of `{table}` says what it takes")
            }
            ConfigError::Both { one, .. } => format!("remove `{one}`"),
            ConfigError::Twice { key, second, .. } => format!("keep one of them, such as `{key}={second}`"),
            ConfigError::BatchTooLarge { n_train, .. } => format!("lower it: `batch={n_train}` or less"),
        }
    }

    /// The same without a place, for a config that was never written.
    #[cfg(feature = "runs")]
    pub(super) fn without_place(mut self) -> ConfigError {
        match &mut self {
            ConfigError::Syntax { place, .. }
            | ConfigError::UnknownKey { place, .. }
            | ConfigError::UnknownName { place, .. }
            | ConfigError::Value { place, .. }
            | ConfigError::Refused { place, .. }
            | ConfigError::Both { place, .. } => *place = Place::Default,
            _ => {}
        }
        self
    }
}
