//! Holds what was written to the keys there are: names, types and ranges, with the place of whatever is wrong.

use super::error::{ConfigError, Good, Near, Place};
use super::field::{Choice, Field, Kind, WordError};
use super::keys::SYNONYMS;
use super::lists;
use super::tree::{Node, Table, Value};
use crate::registry::Entry;
use crate::schedule::Span;
use crate::settings::{american, nearest};

/// The table with every value of the right type, keys in the order in which they are written. `prefix` ends with a dot.
pub(super) fn table(table: &Table, fields: &[Field], prefix: &str) -> Result<toml::Table, ConfigError> {
    let table = &spelled(table.clone(), fields);
    if let Some((key, node)) = table.0.iter().find(|(key, _)| !fields.iter().any(|f| f.name == key)) {
        return Err(unknown(key, node, fields, prefix));
    }
    let mut out = toml::Table::new();
    for field in fields {
        let Some(node) = table.get(field.name) else { continue };
        if field.default.is_empty() && is_none(node) {
            continue;
        }
        out.insert(field.name.into(), value(node, field, prefix)?);
    }
    Ok(out)
}

/// The table with keys that are spelled the British way under their own names, in the tables inside too.
pub(super) fn spelled(table: Table, fields: &[Field]) -> Table {
    let has: Vec<String> = table.0.iter().map(|(key, _)| key.clone()).collect();
    let one = |(key, mut node): (String, Node)| {
        let name = name_of(&key, fields).filter(|name| !has.iter().any(|key| key == name));
        let key = name.map_or(key, String::from);
        let inner = fields.iter().find(|f| f.name == key).map_or(Vec::new(), inner_fields);
        if let Value::Table(table) = node.value {
            node.value = Value::Table(if inner.is_empty() { table } else { spelled(table, &inner) });
        }
        (key, node)
    };
    Table(table.0.into_iter().map(one).collect())
}

/// The same for the parts of one key.
pub(super) fn spelled_path(path: &mut [String], fields: &[Field]) {
    let [top, rest @ ..] = path else { return };
    if let Some(name) = name_of(top, fields) {
        *top = name.into();
    }
    if let Some(field) = fields.iter().find(|f| f.name == top) {
        spelled_path(rest, &inner_fields(field));
    }
}

/// The key that `key` spells the British way.
fn name_of(key: &str, fields: &[Field]) -> Option<&'static str> {
    american(key, fields.iter().map(|f| f.name))
}

/// `clip_norm=none` takes back what a file sets.
fn is_none(node: &Node) -> bool {
    matches!(&node.value, Value::Leaf(toml::Value::String(text), _) if text.is_empty() || text == "none")
}

fn value(node: &Node, field: &Field, prefix: &str) -> Result<toml::Value, ConfigError> {
    let path = format!("{prefix}{}", field.name);
    let node = &listed(node, field.kind);
    match (field.kind, &node.value) {
        (Kind::Choice(choice), _) => choose(node, choice, &path),
        (Kind::Table(fields), Value::Table(inner)) => {
            Ok(toml::Value::Table(table(inner, fields, &format!("{path}."))?))
        }
        (Kind::Table(fields), Value::Leaf(..)) => {
            let inner = Table(vec![(fields[0].name.into(), node.clone())]);
            let checked = table(&inner, fields, &format!("{path}.")).map_err(|e| rename(e, &path))?;
            Ok(toml::Value::Table(checked))
        }
        (Kind::Tables(fields, text), Value::Leaf(toml::Value::Array(items), _)) => {
            let one = |(i, item): (usize, &toml::Value)| match Node::of(item, &node.place).value {
                Value::Table(inner) => {
                    table(&inner, fields, &format!("{path}[{i}].")).map(toml::Value::Table)
                }
                Value::Leaf(value, _) => Err(wrong(&path, &shown(&value), text, field, &node.place)),
            };
            items.iter().enumerate().map(one).collect::<Result<_, _>>().map(toml::Value::Array)
        }
        (Kind::Free(_), _) => Ok(node.plain()),
        (kind, Value::Leaf(value, raw)) => leaf(kind, value, raw.as_deref())
            .ok_or_else(|| wrong(&path, &shown(value), &expected(kind, value), field, &node.place)),
        (kind, Value::Table(_)) => Err(wrong(&path, "a table", &kind.words(), field, &node.place)),
    }
}

/// A list as it was meant: typed without quotes or brackets, or with a single item. A text in quotes is one text.
fn listed(node: &Node, kind: Kind) -> Node {
    let items = match &node.value {
        _ if !kind.takes_list() => None,
        Value::Leaf(_, Some(raw)) if matches!(kind, Kind::Texts) => {
            Some(toml::Value::Array(lists::texts(raw).into_iter().map(toml::Value::String).collect()))
        }
        Value::Leaf(toml::Value::String(_), None) if matches!(kind, Kind::Texts) => None,
        Value::Leaf(toml::Value::String(text), _) => lists::value(text),
        Value::Leaf(toml::Value::Array(_) | toml::Value::Boolean(_), _) => None,
        _ => Some(node.plain()),
    };
    let items = items.map(|items| match items {
        toml::Value::Array(_) => items,
        one if kind.is_list() => toml::Value::Array(vec![one]),
        one => one,
    });
    let value = items.map_or_else(|| node.value.clone(), |items| Node::of(&items, &node.place).value);
    Node { place: node.place.clone(), value }
}

/// What is expected; a bound that nobody means is told to those who crossed it.
fn expected(kind: Kind, value: &toml::Value) -> String {
    match kind {
        Kind::Whole(min, max) if number(value).is_some_and(|x| x > max as f64) => {
            format!("a whole number from {min} to {max}")
        }
        _ => kind.words(),
    }
}

/// The key as the user wrote it, where a table was written as one word.
fn rename(error: ConfigError, path: &str) -> ConfigError {
    match error {
        ConfigError::Value { got, expected, good, place, .. } => {
            ConfigError::Value { key: path.into(), got, expected, good, place }
        }
        other => other,
    }
}

/// The value in its own type, or nothing.
fn leaf(kind: Kind, value: &toml::Value, raw: Option<&str>) -> Option<toml::Value> {
    use toml::Value as V;
    let good = match (kind, value) {
        (Kind::Whole(min, max), _) => {
            return whole(value).filter(|n| (min..=max).contains(n)).map(|n| V::Integer(n as i64));
        }
        (Kind::Number(range), _) => return number(value).filter(|x| range.allows(*x)).map(V::Float),
        (Kind::Text, _) => return text(value, raw).map(V::String),
        (Kind::Texts, V::Array(items)) => {
            let texts: Option<Vec<_>> = items.iter().map(|i| text(i, None).map(V::String)).collect();
            return texts.map(V::Array);
        }
        (Kind::Texts, _) => return text(value, raw).map(|t| V::Array(vec![V::String(t)])),
        (Kind::Wholes(min), V::Array(items)) => items.iter().all(|i| whole(i).is_some_and(|n| n >= min)),
        (Kind::Wholes(min), _) => {
            let n = whole(value).filter(|n| *n >= min)?;
            return Some(V::Array(vec![V::Integer(n as i64)]));
        }
        (Kind::Switch | Kind::WordsOrSwitch(_), V::Boolean(_)) => true,
        (Kind::Words(words) | Kind::WordsOrSwitch(words), V::String(word)) => {
            if let Some(word) = american(word, words.iter().copied()) {
                return Some(V::String(word.into()));
            }
            words.contains(&word.as_str())
        }
        (Kind::Length, V::String(text)) => text.parse::<Span>().is_ok(),
        (Kind::Length, _) => number(value).is_some_and(|x| x >= 0.0 && x.is_finite()),
        _ => false,
    };
    good.then(|| value.clone())
}

/// A whole number; `1e5` counts as one.
fn whole(value: &toml::Value) -> Option<u64> {
    match value {
        toml::Value::Integer(n) => u64::try_from(*n).ok(),
        toml::Value::Float(x) if x.fract() == 0.0 && (0.0..9e15).contains(x) => Some(*x as u64),
        _ => None,
    }
}

fn number(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Integer(n) => Some(*n as f64),
        toml::Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// A text; on a command line `2024` may be one, in a file only a whole number may stand for a column.
fn text(value: &toml::Value, raw: Option<&str>) -> Option<String> {
    match (value, raw) {
        (toml::Value::String(text), _) => Some(text.clone()),
        (toml::Value::Array(_) | toml::Value::Table(_), _) => None,
        (_, Some(raw)) => Some(raw.into()),
        (toml::Value::Integer(n), None) => Some(n.to_string()),
        _ => None,
    }
}

/// A name, or a table with a name and the keys of that entry.
fn choose(node: &Node, choice: &'static Choice, path: &str) -> Result<toml::Value, ConfigError> {
    let mut inner = match &node.value {
        Value::Table(inner) => inner.clone(),
        Value::Leaf(toml::Value::String(_), _) => Table(vec![("name".into(), node.clone())]),
        Value::Leaf(value, _) => {
            let expected = Kind::Choice(choice).words().into();
            let good = Good::Default(choice.default.into());
            let (key, got, place) = (path.into(), shown(value).into(), node.place.clone());
            return Err(ConfigError::Value { key, got, expected, good, place });
        }
    };
    let prefix = format!("{path}.");
    if let Some(parts) = choice.parts.filter(|p| inner.get(p.name).is_some() && inner.get("name").is_none()) {
        return Ok(toml::Value::Table(table(&inner, &[parts], &prefix)?));
    }
    let entry = named_entry(&mut inner, choice, path)?;
    let name = Field { name: "name", kind: Kind::Text, default: "", example: "", help: choice.what };
    let fields: Vec<Field> = std::iter::once(name).chain(choice.fields(entry)).collect();
    let mut out = table(&inner, &fields, &prefix).map_err(|e| with_owner(e, choice, path))?;
    out.insert("name".into(), toml::Value::String(entry.name.into()));
    Ok(toml::Value::Table(out))
}

/// Whose name the table has; a word that stands for a whole table is written out first.
fn named_entry(
    inner: &mut Table,
    choice: &'static Choice,
    path: &str,
) -> Result<&'static Entry, ConfigError> {
    let Some(node) = inner.get("name").cloned() else {
        return Ok(choice.entry(choice.default).unwrap_or(&choice.entries[0]));
    };
    let place = node.place.clone();
    let Value::Leaf(toml::Value::String(name), _) = &node.value else {
        let got =
            if let Value::Leaf(value, _) = &node.value { shown(value).into() } else { "a table".into() };
        let (key, expected, good) =
            (format!("{path}.name"), "a name".into(), Good::Default(choice.default.into()));
        return Err(ConfigError::Value { key, got, expected, good, place });
    };
    if let Some(entry) = choice.entry(name) {
        return Ok(entry);
    }
    let meaning =
        choice.word.map_or(Err(WordError::Unknown), |read| read(name)).map_err(|error| match error {
            WordError::Unknown => ConfigError::UnknownName {
                what: choice.what,
                list: choice.list,
                name: name.clone(),
                known: choice.entries.iter().map(|e| e.name).collect(),
                nearest: nearest_name(name, choice),
                place: place.clone(),
            },
            WordError::Refused(problem) => {
                ConfigError::Refused { key: path.into(), problem, place: place.clone() }
            }
        })?;
    for (key, value) in meaning {
        if key == "name" || inner.get(&key).is_none() {
            inner.set(&key, Node { place: place.clone(), value: Value::Leaf(value, None) });
        }
    }
    named_entry(inner, choice, path)
}

/// The name that was probably meant; of `mpl-32`, which stands for a whole table, the word `mlp-32`.
fn nearest_name(name: &str, choice: &'static Choice) -> Option<String> {
    let names = || choice.entries.iter().map(|e| e.name);
    let (head, tail) = name.split_at(name.find('-').unwrap_or(name.len()));
    let word = nearest(head, names()).map(|head| format!("{head}{}", tail.replace(',', "-")));
    let is_word = |word: &String| choice.word.is_some_and(|read| read(word).is_ok());
    word.filter(is_word).or_else(|| nearest(name, names()))
}

/// Tells which other entry has the key.
fn with_owner(error: ConfigError, choice: &'static Choice, path: &str) -> ConfigError {
    match error {
        ConfigError::UnknownKey { key, nearest, known, place, .. } => {
            let own = key.rsplit('.').next().unwrap_or(&key);
            let owner = choice.entries.iter().find(|e| e.keys.iter().any(|k| k.name == own));
            let with = owner.map(|e| format!("{path}={}", e.name));
            ConfigError::UnknownKey { key, nearest, known, with, place }
        }
        other => other,
    }
}

fn wrong(key: &str, got: &str, expected: &str, field: &Field, place: &Place) -> ConfigError {
    let plain = |text: &str| text.replace('"', "").replace(", ", ",");
    let good = match (plain(field.default).as_str(), field.example) {
        ("", "") => Good::Unknown,
        ("", example) => Good::Example(plain(example).into()),
        (default, _) => Good::Default(default.into()),
    };
    let (key, got, expected, place) = (key.into(), got.into(), expected.into(), place.clone());
    ConfigError::Value { key, got, expected, good, place }
}

/// A value as a message shows it.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("the text \"{text}\""),
        toml::Value::Float(x) => format!("{x:?}"),
        other => other.to_string(),
    }
}

/// Keys of a table that a message can list.
const FEW_KEYS: usize = 8;

/// An unknown key, with the closest that there is: here, in another table, or by the word of another tool.
fn unknown(key: &str, node: &Node, fields: &[Field], prefix: &str) -> ConfigError {
    let whole = format!("{prefix}{key}");
    let all = if prefix.is_empty() { paths(fields) } else { Vec::new() };
    let last = |path: &str| path.rsplit('.').next().map(squashed);
    let alike = |path: &&String| last(path) == Some(squashed(key));
    let synonym = || {
        let word = SYNONYMS.iter().find(|(word, _)| squashed(word) == squashed(key)).map(|(_, k)| *k);
        word.filter(|k| all.iter().any(|path| path == k)).map(String::from)
    };
    let elsewhere = || all.iter().find(alike).cloned();
    let here = || nearest(key, fields.iter().map(|f| f.name)).map(|k| format!("{prefix}{k}"));
    let afar = || if key.contains('.') { None } else { nearest(key, all.iter().map(String::as_str)) };
    let near = synonym().or_else(elsewhere).or_else(here).or_else(afar);
    let nearest = near.map(|key| {
        let path: Vec<String> =
            key.strip_prefix(prefix).unwrap_or(&key).split('.').map(String::from).collect();
        let default = field_of(&path, fields).map_or(String::new(), |f| f.default.replace('"', ""));
        Box::new(Near { default, key })
    });
    let few = if fields.len() <= FEW_KEYS { fields } else { &[] };
    let known = few.iter().map(|f| f.name).collect();
    ConfigError::UnknownKey { key: whole, nearest, known, with: None, place: node.place.clone() }
}

/// A key without what people leave out or put in: `batchnorm` is `batch_norm`.
fn squashed(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Every key as it can be typed, those of all entries included.
fn paths(fields: &[Field]) -> Vec<String> {
    let mut out = Vec::new();
    for field in fields {
        out.push(field.name.to_string());
        out.extend(inner_fields(field).iter().map(|f| format!("{}.{}", field.name, f.name)));
    }
    out
}

/// The keys of a table, those of all entries of a choice.
pub(super) fn inner_fields(field: &Field) -> Vec<Field> {
    match field.kind {
        Kind::Table(fields) => fields.to_vec(),
        Kind::Choice(choice) => choice.entries.iter().flat_map(|e| choice.fields(e)).collect(),
        _ => Vec::new(),
    }
}

/// The field at a path; of a choice, that of whichever entry has it.
fn field_of(path: &[String], fields: &[Field]) -> Option<Field> {
    let [top, rest @ ..] = path else { return None };
    let field = fields.iter().find(|f| f.name == top)?;
    match rest {
        [] => Some(*field),
        [inner] => inner_fields(field).into_iter().find(|f| f.name == inner),
        _ => None,
    }
}

/// What a key takes, by its path.
pub(super) fn kind_of(path: &[String], fields: &[Field]) -> Option<Kind> {
    field_of(path, fields).map(|f| f.kind)
}

/// A value that a key may have, as it is typed.
pub(super) fn example(path: &[String], fields: &[Field]) -> Option<String> {
    let field = field_of(path, fields)?;
    let shown = if field.default.is_empty() { field.example } else { field.default };
    (!shown.is_empty()).then(|| shown.replace('"', ""))
}

/// The path of a key with the first key of a table that a lone word stands for: `data` is `data.source`.
pub(super) fn whole_path(path: &[String], fields: &[Field]) -> Vec<String> {
    let kind = kind_of(path, fields);
    let first =
        matches!(kind, Some(Kind::Table(_) | Kind::Choice(_))).then(|| super::first_key(&path[0]).to_owned());
    path.iter().cloned().chain(first).collect()
}
