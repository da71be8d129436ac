//! JSON lines, and arrays of objects: one object a row, its keys the columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Format, Reader, table};
use crate::tables::cells::Column;
use crate::tables::typed::Typed;
use crate::tables::{Table, decode, number};
use crate::{DataError, DataOptions, FilesError, Place};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "json",
    endings: &[".jsonl", ".ndjson", ".json"],
    summary: "JSON lines, or an array of objects: each object is a row and its keys are columns, `a.b` for objects inside objects",
    options: &[table::COLUMNS, table::MARKS],
    reader: Reader::Table(load),
};

/// Objects within objects that are followed.
const DEPTH: usize = 16;

/// Whether a text begins as objects or an array of them.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut start = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace());
    let begin = (start.next(), start.next());
    matches!(begin, (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{')))
}

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let (text, _) = decode::text(bytes, path, options)?;
    let bad = |error: &serde_json::Error| {
        let reason = error.to_string().to_lowercase();
        let reason = reason.split(" at line").next().unwrap_or_default().to_string();
        let place = Place::Line(error.line() as u64);
        DataError::from(FilesError::BadRecord { what: "valid JSON", place, reason, path: path.into() })
    };
    let mut rows = Rows::default();
    if text.trim_start().starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(&text).map_err(|e| bad(&e))?;
        for object in all {
            rows.add(object, path)?;
        }
    } else {
        for object in serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>() {
            rows.add(object.map_err(|e| bad(&e))?, path)?;
        }
    }
    let mut typed = rows.typed;
    typed.columns.iter_mut().for_each(|c| c.fill_to(rows.n));
    typed.finish(path, options)
}

/// Columns while objects are read.
#[derive(Default)]
struct Rows {
    typed: Typed,
    places: HashMap<String, usize>,
    /// Objects so far.
    n: usize,
}

impl Rows {
    fn add(&mut self, object: &RawValue, path: &Path) -> Result<(), DataError> {
        let place = Place::Row(self.n as u64 + 1);
        let bad = |reason: String| {
            DataError::Files(FilesError::BadRecord {
                what: "a JSON object",
                place,
                reason,
                path: path.into(),
            })
        };
        if !object.get().starts_with('{') {
            return Err(bad(format!(
                "it begins with `{}`",
                object.get().chars().take(10).collect::<String>()
            )));
        }
        self.fields(object, "", 0).map_err(|error| bad(error.to_string().to_lowercase()))?;
        self.n += 1;
        Ok(())
    }

    /// Adds the fields of an object under names that begin with `prefix`.
    fn fields(&mut self, object: &RawValue, prefix: &str, depth: usize) -> Result<(), serde_json::Error> {
        serde_json::Deserializer::from_str(object.get()).deserialize_map(Fields { rows: self, prefix, depth })
    }

    fn field(&mut self, name: &str, value: &RawValue, depth: usize) -> Result<(), serde_json::Error> {
        let text = value.get();
        if text.starts_with('{') && depth < DEPTH {
            return self.fields(value, &format!("{name}."), depth + 1);
        }
        let index = match self.places.get(name) {
            Some(index) => *index,
            None => {
                let index = self.typed.add(name);
                self.places.insert(name.into(), index);
                index
            }
        };
        let column = &mut self.typed.columns[index];
        if column.len() > self.n {
            // the last of equal keys counts, as everywhere in JSON
            column.pop();
        }
        column.fill_to(self.n);
        match text.as_bytes().first() {
            Some(b'n') => column.push_missing(),
            Some(b't' | b'f') => column.push_text(text),
            Some(b'"') => {
                let text: Cow<'_, str> = serde_json::from_str::<Text<'_>>(text)?.0;
                column.push_text(&text);
            }
            Some(b'[' | b'{') => {
                let what = if text.starts_with('[') { "lists" } else { "objects" };
                self.typed.unread[index].get_or_insert_with(|| what.into());
                column.push_missing();
            }
            _ => push_number(column, text),
        }
        Ok(())
    }
}

/// A number; as a text where f64 would make another whole number of it.
fn push_number(column: &mut Column, text: &str) {
    match (text.parse::<i128>(), number::whole(text)) {
        (Ok(whole), _) => column.push_whole(whole),
        (Err(_), Some(value)) if text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) => {
            column.push_number(value)
        }
        _ => column.push_text(text),
    }
}

/// A text without a copy where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Visits the fields of an object in their order.
struct Fields<'r, 'p> {
    rows: &'r mut Rows,
    prefix: &'p str,
    depth: usize,
}

impl<'de> Visitor<'de> for Fields<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &RawValue>()? {
            let added = match self.prefix {
                "" => self.rows.field(&key, value, self.depth),
                prefix => self.rows.field(&format!("{prefix}{key}"), value, self.depth),
            };
            added.map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}
