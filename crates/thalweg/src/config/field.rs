//! What the config's keys are: one description for checks, messages, the written config and the JSON schema.

use crate::registry::{Entry, Key, Range};
use crate::settings::american;

/// One key of a table of the config.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its default as TOML; empty for a key that is not set unless asked for.
    pub default: &'static str,
    /// A value to show where there is no default, as TOML.
    pub example: &'static str,
    /// One line, no full stop.
    pub help: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number between the bounds.
    Whole(u64, u64),
    /// A number.
    Number(Range),
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these words, or `true` or `false`.
    WordsOrSwitch(&'static [&'static str]),
    /// Any text.
    Text,
    /// One text or a list of texts.
    Texts,
    /// A list of whole numbers, each from the bound on.
    Wholes(u64),
    /// A length of training: `"1ep"`, `"500st"`, `"0.1dur"`, or a number of epochs.
    Length,
    /// One name of a registry, or a table with `name` and that entry's keys.
    Choice(&'static Choice),
    /// A table, or the value of its first key.
    Table(&'static [Field]),
    /// A list of tables with these keys, in words.
    Tables(&'static [Field], &'static str),
    /// What its own reader says, in words.
    Free(&'static str),
}

/// The key of a field whose name is a word of Rust, `r#match`.
pub(super) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// No bound but that of the type.
pub(super) const MANY: u64 = u64::MAX;

/// The most that the 32-bit sample indices can count.
pub(super) const SAMPLES: u64 = u32::MAX as u64;

/// Of a seed: TOML's whole numbers have a sign.
pub(super) const SEED: Kind = Kind::Whole(0, i64::MAX as u64);

/// A registry to choose from.
#[derive(Debug)]
pub struct Choice {
    /// What each entry is: `optimizer`.
    pub what: &'static str,
    /// The same in the plural, as the registry is called.
    pub list: &'static str,
    /// The entries.
    pub entries: &'static [Entry],
    /// Keys that go with every entry.
    pub common: &'static [Key],
    /// The entry taken where no name is given.
    pub default: &'static str,
    /// What a word means that is no entry's name, as `mlp-64-32`.
    pub word: Option<ReadWord>,
    /// The key of a table that has no name because it is made of parts.
    pub parts: Option<Field>,
}

/// Reads a word that stands for a whole table.
pub type ReadWord = fn(&str) -> Result<toml::Table, WordError>;

/// Why a word cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordError {
    /// It is nobody's.
    Unknown,
    /// It is understood, and wrong.
    Refused(String),
}

impl Choice {
    /// The entry of a name, which may be spelled the British way.
    pub fn entry(&self, name: &str) -> Option<&'static Entry> {
        let named = |name: &str| self.entries.iter().find(|e| e.name == name);
        named(name).or_else(|| named(american(name, self.entries.iter().map(|e| e.name))?))
    }

    /// The keys of an entry as fields, `name` left aside.
    pub fn fields(&self, entry: &'static Entry) -> Vec<Field> {
        entry.keys.iter().chain(self.common).map(from_key).collect()
    }
}

/// A registry's key as a field; the type is told by the range and the default.
fn from_key(key: &Key) -> Field {
    let kind = match key.range {
        Range::Switch => Kind::Switch,
        Range::Words(words) => Kind::Words(words),
        Range::Told(_, text) | Range::Other(text) => Kind::Free(text),
        _ if key.default.starts_with('[') => Kind::Free("a list of numbers"),
        range => Kind::Number(range),
    };
    let default = if key.default == "null" { "" } else { key.default };
    Field { name: key.name, kind, default, example: "", help: key.help }
}

impl Kind {
    /// Whether it may be a list: `a,b`, `[a,b]`, or the key several times. What is told in words says so there.
    pub fn takes_list(self) -> bool {
        match self {
            Kind::Texts | Kind::Wholes(_) | Kind::Tables(..) => true,
            Kind::Free(text) => text.contains("list") || text.contains('['),
            _ => false,
        }
    }

    /// Whether it is a list in any case, so that a lone number or table is one item of it.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Kind::Tables(..)) || matches!(self, Kind::Free(text) if text.starts_with("a list of"))
    }

    /// What is expected, in words that complete "expected ...".
    pub fn words(&self) -> String {
        match self {
            // Bounds of a size that nobody means are told only to those who cross them.
            Kind::Whole(min, max) if *max >= u64::from(u32::MAX) => format!("a whole number, {min} or more"),
            Kind::Whole(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Number(range) => format!("a number, {range}"),
            Kind::Switch => "`true` or `false`".into(),
            Kind::Words(words) => format!("one of `{}`", words.join("`, `")),
            Kind::WordsOrSwitch(words) => format!("`{}`, `true` or `false`", words.join("`, `")),
            Kind::Text => "text".into(),
            Kind::Texts => "text, or a list of texts".into(),
            Kind::Wholes(min) => format!("a list of whole numbers, each {min} or more"),
            Kind::Length => {
                "a length: \"10ep\" (or 10) epochs, \"500st\" steps, \"0.1dur\" share of the run".into()
            }
            Kind::Choice(choice) => format!("the name of one of the {}, or a table with it", choice.list),
            Kind::Table(fields) => format!("a table, or the value of its key `{}`", fields[0].name),
            Kind::Tables(_, text) | Kind::Free(text) => (*text).into(),
        }
    }
}
