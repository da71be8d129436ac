//! What a word of the command line that sets nothing was probably meant to be.

use std::path::Path;

use super::error::Meant;
use super::field::{Choice, Field, Kind};
use super::{RunConfig, check, error::ConfigError};
use crate::data::{formats, public, sets};

/// Endings of the files of data that people name, whether they are there or not.
fn is_data(word: &str) -> bool {
    let lower = word.to_lowercase();
    formats::ALL.iter().flat_map(|f| f.endings).any(|end| lower.ends_with(end) && lower.len() > end.len())
}

/// What a word without `=` was meant to be, by the words that come after it.
pub(super) fn meant(word: &str, after: &[String], fields: &[Field]) -> Option<Meant> {
    let path = Path::new(word);
    if path.extension().is_some_and(|e| e == "toml") && path.is_file() {
        return Some(Meant::Config(word.into()));
    }
    if let Some(setting) = setting(word, after, fields) {
        return Some(Meant::Setting(setting));
    }
    let is_set = sets::ALL.iter().any(|set| set.name == word) || public::by_name(word).is_some();
    let is_source = is_set || is_data(word) || path.exists();
    (is_source && check::kind_of(&["data".into()], fields).is_some()).then(|| Meant::Data(word.into()))
}

/// A key with its value behind a blank or a colon, or a name that a registry has.
fn setting(word: &str, after: &[String], fields: &[Field]) -> Option<String> {
    let (key, rest) = word.split_once([':', '=']).unwrap_or((word, ""));
    let path: Vec<String> = key.split('.').map(String::from).collect();
    if check::kind_of(&path, fields).is_some() {
        let next = after.iter().map(|w| w.trim_start_matches(['=', ':'])).find(|w| !w.is_empty());
        let value = if rest.is_empty() { next.filter(|w| !w.contains('=')) } else { Some(rest) };
        let shown = || check::example(&path, fields);
        return value.map(String::from).or_else(shown).map(|value| format!("{key}={value}"));
    }
    let has =
        |choice: &Choice| choice.entry(word).is_some() || choice.word.is_some_and(|read| read(word).is_ok());
    fields.iter().find_map(|f| match f.kind {
        Kind::Choice(choice) if has(choice) => Some(format!("{}={word}", f.name)),
        _ => None,
    })
}

impl RunConfig {
    /// The setting that a flag of another tool stands for: `--learning-rate 0.1` is `lr=0.1`. None where there is none.
    pub fn setting_of(flag: &str, value: &str) -> Option<String> {
        let key = flag.trim_start_matches('-').replace('-', "_");
        let setting = |key: &str| format!("{key}={value}");
        match RunConfig::load(None, &[setting(&key)]) {
            Ok(_) => Some(setting(&key)),
            Err(ConfigError::UnknownKey { nearest: Some(near), .. }) => {
                RunConfig::load(None, &[setting(&near.key)]).is_ok().then(|| setting(&near.key))
            }
            Err(_) => None,
        }
    }
}
