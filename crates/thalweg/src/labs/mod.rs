//! Experiments with one form: what is claimed, beside which control, measured how, and what the figures say.
//!
//! A lab measures and gives a [`LabRecord`]; figure, page and files are made from that alone. Verdicts follow from the
//! figures by the rule that stands beside each claim, never from what is expected.
//!
//! To add one: a file with its `ENTRY`, and its name in `labs! { ... }`.

use std::sync::atomic::AtomicBool;

use record::LabRecord;

use crate::config::field::{Field, Kind};
use crate::config::{self, ConfigError};
use crate::runs::Seeds;
use crate::train::TrainError;

/// An experiment that can be made.
#[derive(Clone, Copy, Debug)]
pub struct Lab {
    /// Its word on the command line.
    pub name: &'static str,
    /// What it is about, in a line, no full stop.
    pub title: &'static str,
    /// Where the claims come from.
    pub source: &'static str,
    /// Its own keys; [`COMMON`] go with every lab.
    pub keys: &'static [Field],
    /// Measures.
    pub run: fn(&Request<'_>) -> Result<LabRecord, LabError>,
}

/// What a lab is asked for.
pub struct Request<'a> {
    /// Checked settings, its own and the common ones; those that were not given are not there.
    pub settings: toml::Table,
    /// The words that were given, for the command that repeats it.
    pub words: &'a [String],
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Threads to use; they do not change a number.
    pub threads: usize,
    /// Ends the work when it is set.
    pub stop: &'a AtomicBool,
    /// Is told what is being measured.
    pub say: &'a dyn Fn(&str),
}

/// Why a lab has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A network that does not fit together, or training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Stopped before all was measured.
    #[error("stopped before all was measured; nothing is written")]
    Stopped,
}

/// Seeds where none are asked for: as many as a spread needs.
const SEEDS: u64 = 5;

/// Keys of every lab.
pub const COMMON: &[Field] = &[
    Field {
        name: "seeds",
        kind: Kind::Free("how many seeds, or a list of them such as [0, 1, 2]"),
        default: "5",
        example: "",
        help: "this many, counted from 0, or a list of seeds",
    },
    Field {
        name: "threads",
        kind: Kind::Whole(0, 1024),
        default: "0",
        example: "",
        help: "0: one for each core; never changes the numbers",
    },
];

/// Lists the labs: a module each.
macro_rules! labs {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every lab, in the order of the book.
        pub const ALL: &[Lab] = &[$($module::ENTRY),+];
    };
}

labs! {
    init,
}

impl Lab {
    /// Its keys and the common ones.
    pub fn fields(&self) -> Vec<Field> {
        self.keys.iter().chain(COMMON).copied().collect()
    }

    /// Checks `key=value` words and measures.
    ///
    /// # Errors
    /// When a setting is refused, a network does not build, or `stop` was set.
    pub fn measure(
        &self,
        words: &[String],
        stop: &AtomicBool,
        say: &dyn Fn(&str),
    ) -> Result<LabRecord, LabError> {
        let mut settings = config::read_words(words, &self.fields())?;
        let seeds: Seeds = take(&mut settings, "seeds")?.unwrap_or(Seeds::Count(SEEDS));
        let threads: usize = take(&mut settings, "threads")?.unwrap_or(0);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores } else { threads };
        let request = Request { settings, words, seeds: seeds.all(0), threads, stop, say };
        (self.run)(&request)
    }
}

impl Request<'_> {
    /// The command that makes the same record again.
    fn command(&self, lab: &Lab) -> String {
        let quoted = |word: &String| match word.contains(['{', '[', ' ', '"', ';', '*', '(']) {
            true => format!(" '{word}'"),
            false => format!(" {word}"),
        };
        format!("thalweg lab {}{}", lab.name, self.words.iter().map(quoted).collect::<String>())
    }

    /// A setting of the lab's own in its own type.
    fn setting<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LabError> {
        read(key, self.settings.get(key).cloned())
    }
}

fn take<T: serde::de::DeserializeOwned>(table: &mut toml::Table, key: &str) -> Result<Option<T>, LabError> {
    read(key, table.remove(key))
}

fn read<T: serde::de::DeserializeOwned>(
    key: &str,
    value: Option<toml::Value>,
) -> Result<Option<T>, LabError> {
    let refused = |error: toml::de::Error| config::refused(key, error.message());
    Ok(value.map(T::deserialize).transpose().map_err(refused)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lab_has_a_name_of_its_own_and_says_what_it_is() {
        for (i, lab) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|other| other.name != lab.name), "{}", lab.name);
            assert!(!lab.title.is_empty() && !lab.title.ends_with('.') && !lab.source.is_empty());
            let fields = lab.fields();
            for (i, field) in fields.iter().enumerate() {
                assert!(fields[..i].iter().all(|other| other.name != field.name), "{}", field.name);
            }
        }
    }

    #[test]
    fn settings_are_checked_before_anything_is_measured() {
        let stopped = AtomicBool::new(true);
        let error =
            |word: &str| ALL[0].measure(&[word.to_owned()], &stopped, &|_| ()).unwrap_err().to_string();
        assert!(error("dept=3").starts_with("unknown key `dept`"), "{}", error("dept=3"));
        assert!(error("seeds=0").contains("seeds"), "{}", error("seeds=0"));
        assert!(error("depth=0").contains("depth"), "{}", error("depth=0"));
        assert_eq!(error("depth=3"), LabError::Stopped.to_string());
    }
}
