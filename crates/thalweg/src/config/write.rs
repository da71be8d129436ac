//! Writes a config as TOML, with a comment for each key.

use std::fmt::Write as _;

use super::RunConfig;
use super::field::{Field, Kind};
use super::keys::TOP;

/// Columns that comments keep free before they move further right.
const COMMENT_AT: usize = 30;
/// Longest line of a value; longer lists take a line for each item.
const WIDTH: usize = 90;

/// All of the config: plain keys, then a table each.
pub(super) fn to_toml(config: &RunConfig) -> String {
    // A config holds texts, numbers, lists and tables with text keys, all of which TOML can say.
    let values = toml::Table::try_from(config).unwrap_or_default();
    let is_table = |f: &&Field| values.get(f.name).is_some_and(toml::Value::is_table);
    let plain: Vec<Field> = TOP.iter().filter(|f| !is_table(f) && f.name != "lr").copied().collect();
    let mut out = format!("# The resolved config of thalweg {}: every key.\n", env!("CARGO_PKG_VERSION"));
    out += "# Lines that begin with # are keys that are not set.\n\n";
    lines(&mut out, &plain, &values);
    for field in TOP.iter().filter(is_table) {
        let Some(toml::Value::Table(inner)) = values.get(field.name) else { continue };
        let _ = writeln!(out, "\n[{}] # {}", field.name, field.help);
        lines(&mut out, &fields_of(field, inner), inner);
    }
    out
}

/// The keys of a table: those of the entry that it names, or its own.
pub(super) fn fields_of(field: &Field, values: &toml::Table) -> Vec<Field> {
    match field.kind {
        Kind::Table(fields) => fields.to_vec(),
        Kind::Choice(choice) => {
            let named = values.get("name").and_then(|n| choice.entry(n.as_str()?));
            let Some(entry) = named else { return choice.parts.into_iter().collect() };
            let name =
                Field { name: "name", kind: Kind::Text, default: "", example: "", help: entry.summary };
            std::iter::once(name).chain(choice.fields(entry)).collect()
        }
        _ => Vec::new(),
    }
}

fn lines(out: &mut String, fields: &[Field], values: &toml::Table) {
    let mut rows: Vec<(String, &str)> = Vec::new();
    for field in fields {
        match values.get(field.name) {
            Some(value) => rows.push((format!("{} = {}", field.name, shown(value)), field.help)),
            None if field.example.is_empty() => rows.push((format!("# {}", field.name), field.help)),
            None => rows.push((format!("# {} = {}", field.name, field.example), field.help)),
        }
    }
    let short = |row: &&(String, &str)| row.0.len() < COMMENT_AT + 8;
    let column = rows.iter().filter(short).map(|r| r.0.chars().count()).max().unwrap_or(0);
    for (setting, help) in rows {
        if setting.contains('\n') {
            let _ = writeln!(out, "# {help}\n{setting}");
        } else {
            let _ = writeln!(out, "{setting:column$}  # {help}");
        }
    }
}

/// A value as TOML in one line, or a list over several.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(x) => float(*x),
        toml::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            let line = format!("[{}]", items.join(", "));
            if line.len() <= WIDTH { line } else { format!("[\n    {},\n]", items.join(",\n    ")) }
        }
        toml::Value::Table(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(k, v)| format!("{} = {}", key(k), shown(v))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// The shortest text that reads back the same bits.
fn float(x: f64) -> String {
    if x.is_finite() { format!("{x:?}") } else { x.to_string().to_lowercase() }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let quoted = name.is_empty() || !name.chars().all(bare);
    if quoted { toml::Value::String(name.into()).to_string() } else { name.into() }
}
