//! Reads tables of a config by their tag, so that a wrong word or key is met with the nearest right one.

use crate::{Entry, Key, Range, nearest};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::fmt;

/// The key that says which entry a table is of, and what such entries are called.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// The key: `type`.
    pub key: &'static str,
    /// What an entry is called: `layer`.
    pub what: &'static str,
}

impl Tag {
    /// A table as it is, or a lone word as the table `{ tag = word }`.
    pub fn table<'de, D: Deserializer<'de>>(self, from: D) -> Result<Map<String, Value>, D::Error> {
        from.deserialize_any(WordOrTable(self))
    }

    /// Checks a table against the entry that its tag names, then reads it.
    pub fn read<T: DeserializeOwned>(
        self,
        table: Map<String, Value>,
        entries: &[Entry],
    ) -> Result<T, String> {
        let entry = self.entry(&table, entries)?;
        let of = format!("{} `{}`", self.what, entry.name);
        for (key, value) in table.iter().filter(|(key, _)| *key != self.key) {
            let known = entry.keys.iter().find(|k| k.name == key);
            let known = known.ok_or_else(|| {
                format!("{of} has no key `{key}`{}", did_you_mean(key, entry.keys.iter().map(|k| k.name)))
            })?;
            if !fits(known, value) {
                return Err(format!("{of}: `{key}` is {value}, expected {}", known.range));
            }
        }
        if let Some(key) = entry.keys.iter().find(|k| k.default.is_empty() && !table.contains_key(k.name)) {
            return Err(format!("{of} needs the key `{}`: {}", key.name, key.help));
        }
        T::deserialize(Value::Object(table.clone())).map_err(|error| match culprit::<T>(&table, entry) {
            Some(key) => format!("{of}: `{key}`: {error}"),
            None => format!("{of}: {error}"),
        })
    }

    /// `a layer`, `an initializer`
    fn one(self) -> String {
        format!("a{} {}", if self.what.starts_with(['a', 'e', 'i', 'o', 'u']) { "n" } else { "" }, self.what)
    }

    fn entry<'e>(self, table: &Map<String, Value>, entries: &'e [Entry]) -> Result<&'e Entry, String> {
        let names = || entries.iter().map(|e| e.name);
        match table.get(self.key) {
            Some(Value::String(name)) => entries
                .iter()
                .find(|e| e.name == name)
                .ok_or_else(|| format!("unknown {} `{name}`{}", self.what, did_you_mean(name, names()))),
            Some(other) => Err(format!("`{}` is {other}, expected the name of {}", self.key, self.one())),
            None => Err(format!("{} needs the key `{}`", self.one(), self.key)),
        }
    }
}

/// Whether a value is of the kind and in the range that its key allows; ranges in words are left to the reader.
fn fits(key: &Key, value: &Value) -> bool {
    match (key.range, value) {
        (Range::Told(..) | Range::Other(_), _) => true,
        (Range::Switch, value) => value.is_boolean(),
        (Range::Words(words), Value::String(word)) => words.contains(&word.as_str()),
        (range, value) => value.as_f64().is_some_and(|x| range.allows(x)),
    }
}

/// The key without which the table could be read.
fn culprit<T: DeserializeOwned>(table: &Map<String, Value>, entry: &Entry) -> Option<&'static str> {
    entry.keys.iter().map(|k| k.name).find(|key| {
        let mut rest = table.clone();
        rest.remove(*key).is_some() && T::deserialize(Value::Object(rest)).is_ok()
    })
}

/// `, did you mean ...?` with the nearest name, or the list of all where none is near.
pub fn did_you_mean<'a>(word: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, names.clone()) {
        Some(name) => format!(", did you mean `{name}`?"),
        None => match &names.collect::<Vec<&str>>()[..] {
            [] => String::new(),
            all => format!(", expected one of `{}`", all.join("`, `")),
        },
    }
}

struct WordOrTable(Tag);

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of {}, or a table with the key `{}`", self.0.one(), self.0.key)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
        Ok(Map::from_iter([(self.0.key.to_owned(), Value::from(word))]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Map::deserialize(MapAccessDeserializer::new(map)).map_err(A::Error::custom)
    }
}
