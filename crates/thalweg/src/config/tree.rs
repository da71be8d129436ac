//! What was written, with the place of every value: a file's tables, then the words of the command line over them.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::field::{Field, Kind};
use super::{check, lists, mend, typed};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Anything but a table; the text is that of a command line, which may have meant a text.
    Leaf(toml::Value, Option<String>),
    Table(Table),
}

/// Keys in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(pub Vec<(String, Node)>);

impl Table {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(at).1)
    }

    pub fn set(&mut self, key: &str, node: Node) {
        match self.0.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = node,
            None => self.0.push((key.into(), node)),
        }
    }
}

impl Node {
    /// A plain value, all of it written at one place.
    pub fn of(value: &toml::Value, place: &Place) -> Node {
        let value = match value {
            toml::Value::Table(table) => {
                Value::Table(Table(table.iter().map(|(k, v)| (k.clone(), Node::of(v, place))).collect()))
            }
            other => Value::Leaf(other.clone(), None),
        };
        Node { place: place.clone(), value }
    }

    /// The value without its places.
    pub fn plain(&self) -> toml::Value {
        match &self.value {
            Value::Leaf(value, _) => value.clone(),
            Value::Table(table) => {
                toml::Value::Table(table.0.iter().map(|(k, n)| (k.clone(), n.plain())).collect())
            }
        }
    }

    /// The place of the value at a dotted path below this one, or of the closest one above it.
    pub fn place_of(&self, path: &[&str]) -> &Place {
        match (&self.value, path) {
            (Value::Table(table), [key, rest @ ..]) => {
                table.get(key).map_or(&self.place, |n| n.place_of(rest))
            }
            _ => &self.place,
        }
    }
}

/// Reads a file's text.
pub(super) fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    let path: Arc<Path> = path.into();
    let at = |offset: usize| {
        let line = text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1;
        Place::File { path: path.clone(), line }
    };
    let parsed = DeTable::parse(text).map_err(|error| {
        let start = error.span().map(|span| span.start.min(text.len()));
        let line = start.and_then(|at| text.get(..at)).map(|before| before.matches('\n').count() + 1);
        ConfigError::Syntax {
            problem: error.message().replace('\n', ", "),
            meant: line.and_then(|n| mend::before(text, n)),
            place: start.map_or(Place::Default, at),
        }
    })?;
    Ok(table(parsed.get_ref(), &at))
}

fn table(from: &DeTable<'_>, at: &dyn Fn(usize) -> Place) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.to_string(), node(value, at))
    };
    Table(from.iter().map(entry).collect())
}

fn node(from: &Spanned<DeValue<'_>>, at: &dyn Fn(usize) -> Place) -> Node {
    let value = match from.get_ref() {
        DeValue::Table(inner) => Value::Table(table(inner, at)),
        other => Value::Leaf(leaf(other), None),
    };
    Node { place: at(from.span().start), value }
}

/// A parsed value without its places; a number too large for 64 bits stays text, which no number's check accepts.
pub(super) fn leaf(from: &DeValue<'_>) -> toml::Value {
    match from {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(n) => whole(n.as_str(), n.radix())
            .map_or_else(|| toml::Value::String(n.to_string()), toml::Value::Integer),
        DeValue::Float(x) => {
            x.as_str().parse().map_or_else(|_| toml::Value::String(x.to_string()), toml::Value::Float)
        }
        DeValue::Boolean(b) => toml::Value::Boolean(*b),
        DeValue::Datetime(d) => toml::Value::Datetime(*d),
        DeValue::Array(items) => toml::Value::Array(items.iter().map(|i| leaf(i.get_ref())).collect()),
        DeValue::Table(inner) => {
            let entries = inner.iter().map(|(k, v)| (k.get_ref().to_string(), leaf(v.get_ref())));
            toml::Value::Table(entries.collect())
        }
    }
}

fn whole(digits: &str, radix: u32) -> Option<i64> {
    i64::from_str_radix(digits, radix).ok()
}

/// Lays `key=value` words over the table, names before the keys that belong to them. The lists of one key are joined;
/// of all else one value is enough.
pub(super) fn lay_over(table: &mut Table, words: &[String], fields: &[Field]) -> Result<(), ConfigError> {
    let mut parts: Vec<Word> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let mut word = split(word).ok_or_else(|| {
            let meant = typed::meant(word, words.get(i + 1..).unwrap_or_default(), fields);
            ConfigError::NotAnOverride { word: word.clone(), meant }
        })?;
        check::spelled_path(&mut word.path, fields);
        let kind = check::kind_of(&word.path, fields);
        let whole = |path: &[String]| check::whole_path(path, fields);
        match parts.iter_mut().find(|old| whole(&old.path) == whole(&word.path)) {
            Some(old) if kind.is_some_and(Kind::takes_list) => {
                old.text = lists::joined(&old.text, &word.text)
            }
            Some(old) => {
                let (key, first, second) = (word.path.join("."), old.text.clone(), word.text);
                return Err(ConfigError::Twice { key, first, second });
            }
            None => parts.push(word),
        }
    }
    parts.sort_by_key(|word| word.path.len());
    for word in parts {
        lay(table, &word.path, read(&word.text));
    }
    Ok(())
}

/// A word of the command line.
struct Word {
    path: Vec<String>,
    text: String,
}

/// A word as its key's parts and the text of its value; none where it is not of that form.
fn split(word: &str) -> Option<Word> {
    let good = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let (key, text) = word.split_once('=').filter(|(k, _)| !k.is_empty() && k.chars().all(good))?;
    Some(Word { path: key.split('.').map(String::from).collect(), text: text.into() })
}

/// A TOML value, or else a text.
fn read(text: &str) -> Node {
    let place = Place::CommandLine;
    let value = match DeValue::parse(text) {
        Ok(parsed) => {
            let mut parsed = node(&parsed, &|_| place.clone());
            if let Value::Leaf(_, raw) = &mut parsed.value {
                *raw = Some(text.trim().into());
            }
            parsed.value
        }
        Err(_) => Value::Leaf(toml::Value::String(text.into()), Some(text.into())),
    };
    Node { place, value }
}

/// Sets the value at a path. A table that stands as a single word (`optimizer = "adam"`) becomes one with that word.
fn lay(table: &mut Table, path: &[String], node: Node) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        return put(table, key, node);
    }
    let mut inner = match table.remove(key) {
        Some(Node { value: Value::Table(inner), .. }) => inner,
        Some(word) => Table(vec![(super::first_key(key).into(), word)]),
        None => Table::default(),
    };
    let place = node.place.clone();
    lay(&mut inner, rest, node);
    table.set(key, Node { place, value: Value::Table(inner) });
}

/// Puts a value in the place of another. A source leaves the other keys of `data` as they are; a name leaves those that
/// were set for the same name.
fn put(table: &mut Table, key: &str, node: Node) {
    let (Value::Leaf(value, _), Some(Node { value: Value::Table(old), .. })) = (&node.value, table.get(key))
    else {
        return table.set(key, node);
    };
    let first = super::first_key(key);
    let same = old.get(first).is_some_and(|n| n.plain() == *value);
    if same || first != "name" {
        let mut kept = old.clone();
        let place = node.place.clone();
        kept.set(first, node);
        return table.set(key, Node { place, value: Value::Table(kept) });
    }
    table.set(key, node);
}
