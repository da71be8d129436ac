//! The config of a run: read from TOML and `key=value` words, checked, completed with every default, and written back.
//!
//! ```
//! use thalweg::config::RunConfig;
//! let config = RunConfig::load(None, &["data=two-moons".into(), "lr=0.01".into(), "epochs=5".into()])?;
//! assert_eq!((config.data.source.as_str(), config.epochs), ("two-moons", Some(5)));
//! let again = RunConfig::from_toml(&config.to_toml(), "run.toml".as_ref(), &[])?;
//! assert_eq!(again, config);
//! let error = RunConfig::load(None, &["epoch=5".into()]).unwrap_err();
//! assert_eq!(error.to_string(), "unknown key `epoch` on the command line");
//! assert_eq!(error.hint(), "did you mean `epochs`?");
//! # Ok::<(), thalweg::config::ConfigError>(())
//! ```

#[cfg(feature = "runs")]
mod check;
#[cfg(feature = "runs")]
mod complete;
mod data;
mod declare;
#[cfg(feature = "runs")]
mod differ;
mod error;
#[cfg(feature = "runs")]
pub mod field;
mod groups;
mod heads;
#[cfg(feature = "runs")]
mod idle;
mod keep;
#[cfg(feature = "runs")]
pub mod keys;
#[cfg(feature = "runs")]
mod lists;
mod memory;
#[cfg(feature = "runs")]
mod mend;
#[cfg(feature = "runs")]
mod model;
#[cfg(feature = "runs")]
mod read;
#[cfg(feature = "runs")]
mod recipe;
mod run;
#[cfg(feature = "runs")]
mod schema;
mod seeds;
mod time;
#[cfg(feature = "runs")]
mod tree;
#[cfg(feature = "runs")]
mod typed;
#[cfg(feature = "runs")]
mod write;

pub use crate::losses::{ClassWeights, LossConfig};
#[cfg(feature = "runs")]
pub use complete::typed_keys;
pub use data::{DataConfig, TestFold};
pub use error::{ConfigError, Good, Meant, Near, Place};
pub use groups::GroupConfig;
pub use heads::HeadConfig;
pub use keep::Keep;
pub use memory::{Memory, MemoryError};
pub(crate) use run::{BATCH, EPOCHS, MAX_SHARDS, n_threads};
pub use run::{RunConfig, SaveConfig};
#[cfg(feature = "runs")]
pub use schema::json_schema;
pub use seeds::Seeds;
pub use time::{Time, TimeError};

#[cfg(feature = "runs")]
/// Reads `key=value` words of something that has keys of its own, with the checks and messages of a config.
pub(crate) fn read_words(words: &[String], fields: &[field::Field]) -> Result<toml::Table, ConfigError> {
    let mut written = tree::Table::default();
    tree::lay_over(&mut written, words, fields)?;
    check::table(&written, fields, "")
}

#[cfg(feature = "runs")]
/// A value on the command line that its own reader refuses.
pub(crate) fn refused(key: &str, problem: &str) -> ConfigError {
    let problem = problem.lines().next().unwrap_or_default().to_owned();
    ConfigError::Refused { key: key.to_owned(), problem, place: Place::CommandLine }
}

#[cfg(feature = "runs")]
/// The key of a table that a single word stands for.
fn first_key(table: &str) -> &'static str {
    match keys::TOP.iter().find(|f| f.name == table).map(|f| f.kind) {
        Some(field::Kind::Table(fields)) => fields[0].name,
        _ => "name",
    }
}
