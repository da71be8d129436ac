//! The JSON schema of the config, made from the same keys and registries as checks and comments.

use serde_json::{Map, Value, json};

use super::field::{Choice, Field, Kind};
use super::keys::TOP;
use crate::registry::{Entry, Range};

/// A JSON schema (draft 2020-12) that the written and the resolved config satisfy.
pub fn json_schema() -> Value {
    let mut schema = object(TOP);
    let head = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("thalweg run")),
        ("description", json!("What a run of thalweg is; TOML as JSON.")),
    ];
    schema.extend(head.map(|(k, v)| (k.to_string(), v)));
    Value::Object(schema)
}

/// A table with these keys and no others.
fn object(fields: &[Field]) -> Map<String, Value> {
    let properties: Map<String, Value> = fields.iter().map(|f| (f.name.to_string(), property(f))).collect();
    let parts = [
        ("type", json!("object")),
        ("properties", properties.into()),
        ("additionalProperties", json!(false)),
    ];
    parts.map(|(k, v)| (k.to_string(), v)).into_iter().collect()
}

fn property(field: &Field) -> Value {
    let mut out = kind(&field.kind);
    if let Value::Object(map) = &mut out {
        map.insert("description".into(), json!(field.help));
        if let Some(default) = default(field.default) {
            map.insert("default".into(), default);
        }
    }
    out
}

/// A default as JSON; TOML's texts, numbers, switches and lists are written alike.
fn default(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Whole(min, u64::MAX) => json!({ "type": "integer", "minimum": min }),
        Kind::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number(range) => number(range),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Words(words) => json!({ "enum": words }),
        Kind::WordsOrSwitch(words) => json!({ "anyOf": [{ "enum": words }, { "type": "boolean" }] }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Texts => json!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": ["string", "integer"] } },
        ] }),
        Kind::Wholes(min) => json!({ "type": "array", "items": { "type": "integer", "minimum": min } }),
        Kind::Length => json!({ "type": ["string", "number"] }),
        Kind::Choice(choice) => choose(choice),
        Kind::Table(fields) => json!({ "anyOf": [object(fields), self::kind(&fields[0].kind)] }),
        Kind::Tables(fields, text) => {
            json!({ "type": "array", "items": object(fields), "$comment": text })
        }
        Kind::Free(text) => json!({ "$comment": text }),
    }
}

fn number(range: &Range) -> Value {
    match range {
        Range::AtLeast(min) => json!({ "type": "number", "minimum": min }),
        Range::Above(min) => json!({ "type": "number", "exclusiveMinimum": min }),
        Range::Within(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
        Range::Below(min, max) => json!({ "type": "number", "minimum": min, "exclusiveMaximum": max }),
        Range::Words(_) | Range::Switch | Range::Told(..) | Range::Other(_) => json!({}),
    }
}

/// A name, or one of the entries' tables, or one made of parts.
fn choose(choice: &'static Choice) -> Value {
    let names: Vec<&str> = choice.entries.iter().map(|e| e.name).collect();
    let word = if choice.word.is_some() { json!({ "type": "string" }) } else { json!({ "enum": names }) };
    let tables = choice.entries.iter().map(|e| entry(choice, e));
    let parts = choice.parts.map(|p| Value::Object(object(&[p])));
    let all: Vec<Value> = std::iter::once(word).chain(tables).chain(parts).collect();
    json!({ "anyOf": all })
}

fn entry(choice: &'static Choice, entry: &'static Entry) -> Value {
    let mut table = object(&choice.fields(entry));
    if let Some(Value::Object(properties)) = table.get_mut("properties") {
        properties.insert("name".into(), json!({ "const": entry.name }));
    }
    if entry.name != choice.default {
        table.insert("required".into(), json!(["name"]));
    }
    table.insert("description".into(), json!(entry.summary));
    Value::Object(table)
}
