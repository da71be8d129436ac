//! Tables as people post them: each of `tests/messy/files` is read as its owner means it, or is an error whose hint cures.
//!
//! What is right was written by `tests/messy/generate.py`, which knows nothing of this program.

use std::collections::BTreeMap;

use data::{ColumnType, FieldValue, MissingTarget, TableView};
use serde_json::Value;

use super::*;

fn manifest() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messy/manifest.json");
    serde_json::from_str(&fs::read_to_string(path).expect("a manifest")).expect("JSON")
}

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messy/files").join(name).display().to_string()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether a value is one of those allowed: one, a list, or any.
pub(super) fn allows(wanted: &Value, got: &str) -> bool {
    wanted.is_null() || wanted == got || list(wanted).iter().any(|w| w == got)
}

#[test]
fn messy_tables_are_read_as_their_owners_mean_them() {
    let cases = manifest();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = judge(case).err()?;
            Some(format!("{}: {found}\n    {}", text(&case["file"]), text(&case["why"])))
        })
        .collect();
    assert!(cases.len() > 300, "{} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// A case is right where the table is read as it should be, or where the error that is allowed is shown.
fn judge(case: &Value) -> Result<(), String> {
    let (path, default) = (file(text(&case["file"])), DataOptions::default());
    let opened = data::open(&path, &default);
    match (&opened, case.get("read"), case.get("error")) {
        (Ok(set), Some(wanted), _) => {
            let view = data::table(Path::new(&path), &default).map_err(|e| e.to_string())?;
            right(set, &view, wanted, true)?;
            let said = [&set.notes[..], &set.warnings[..]].concat().join("\n");
            says(case.get("note").unwrap_or(&Value::Null), &said)?;
        }
        (Ok(set), None, _) => {
            return Err(format!("opened {set:.0?}, want an error").chars().take(400).collect());
        }
        (Err(error), _, Some(wanted)) => {
            let said = format!("{error}\n{}", error.hint()).replace(&path, "");
            says(&wanted["says"], &said)?;
            says(&wanted["keys"], &said)?;
            let any = list(wanted.get("any_keys").unwrap_or(&Value::Null));
            if !any.is_empty() && !any.iter().any(|k| said.contains(text(k))) {
                return Err(format!("none of {any:?} in: {said}"));
            }
        }
        (Err(error), _, None) => return Err(format!("{error}\n    {}", error.hint())),
    }
    for cure in list(case.get("cured").unwrap_or(&Value::Null)) {
        let options = settings(&cure["set"]);
        let set = data::open(&path, &options).map_err(|e| format!("with {}: {e}", cure["set"]))?;
        let view = data::table(Path::new(&path), &options).map_err(|e| e.to_string())?;
        right(&set, &view, &cure["read"], options.missing_target == MissingTarget::Error)
            .map_err(|e| format!("with {}: {e}", cure["set"]))?;
    }
    match (case.get("predict"), opened) {
        (Some(wanted), Ok(set)) => answers(&set, wanted),
        _ => Ok(()),
    }
}

fn says(words: &Value, said: &str) -> Result<(), String> {
    let low = said.to_lowercase();
    match list(words).iter().find(|w| !low.contains(&text(w).to_lowercase())) {
        Some(word) => Err(format!("{word} is not in: {said}")),
        None => Ok(()),
    }
}

fn settings(set: &Value) -> DataOptions {
    let strings = |v: &Value| match v {
        Value::String(s) => vec![s.clone()],
        other => list(other).iter().map(|s| text(s).to_string()).collect(),
    };
    let first = |v: &Value| text(v).chars().next();
    let mut options = DataOptions::default();
    for (key, value) in set.as_object().into_iter().flatten() {
        match key.as_str() {
            "decimal" => options.decimal = first(value),
            "thousands" => options.thousands = first(value),
            "missing" => options.missing = strings(value),
            "drop" => options.drop = strings(value),
            "comment" => options.comment = Some(text(value).into()),
            "skip" => options.skip = value.as_u64().expect("lines"),
            "missing_target" => options.missing_target = MissingTarget::Drop,
            "types" => {
                let one = |(name, kind): (&String, &Value)| {
                    (name.clone(), serde_json::from_value::<ColumnType>(kind.clone()).expect("a type"))
                };
                options.types =
                    value.as_object().expect("a table").iter().map(one).collect::<BTreeMap<_, _>>();
            }
            other => panic!("no setting {other}"),
        }
    }
    options
}

/// Samples, columns, the task, and the values of the first rows.
///
/// Columns are those of the file: counts and ranges are compared where all of its rows are samples.
fn right(set: &Dataset, view: &TableView, wanted: &Value, all_rows: bool) -> Result<(), String> {
    if wanted["samples"] != set.len() {
        return Err(format!("{} samples, want {}", set.len(), wanted["samples"]));
    }
    let columns = list(&wanted["columns"]);
    let names: Vec<&str> = set.columns.iter().map(|c| c.name.as_str()).collect();
    if columns.len() != set.columns.len() {
        return Err(format!("columns {names:?}, want {}", columns.len()));
    }
    for (got, want) in set.columns.iter().zip(columns) {
        let role = serde_json::to_value(got.role).expect("a word");
        let begins = want.get("name_begins").map(text);
        let named = begins.map_or_else(|| allows(&want["name"], &got.name), |b| got.name.starts_with(b));
        let number = |key: &str, got: Option<f64>| match want.get(key).and_then(Value::as_f64) {
            Some(w) if got.is_some() => got.is_some_and(|g| (g - w).abs() <= 1e-9 * w.abs()),
            _ => true,
        };
        let good = named
            && allows(&want["role"], text(&role))
            && allows(&want["type"], got.kind)
            && (!all_rows
                || want.get("missing").is_none_or(|m| m.is_null() || *m == got.missing)
                    && number("min", got.min)
                    && number("max", got.max));
        if !good {
            return Err(format!("column {got:?}\n    want {want}"));
        }
    }
    let task = serde_json::to_value(&set.task).expect("a task");
    let sorted = |v: &Value| {
        let mut names: Vec<String> = list(v).iter().map(|s| text(s).to_string()).collect();
        names.sort();
        names
    };
    let want = &wanted["task"];
    if task["kind"] != want["kind"] || sorted(&task["classes"]) != sorted(&want["classes"]) {
        return Err(format!("{task}, want {want}"));
    }
    for (row, want) in list(&wanted["values"]).iter().enumerate() {
        for (index, want) in list(want).iter().enumerate() {
            let got = &view.values[index][row];
            if !same(got, want, view.columns[index].kind) {
                return Err(format!("row {row}, column {}: {got:?}, want {want}", view.columns[index].name));
            }
        }
    }
    Ok(())
}

/// Whether a value is the one that was written; left-out columns may be read in any way that tells the same.
pub(super) fn same(got: &FieldValue, want: &Value, kind: &str) -> bool {
    match (got, want) {
        (FieldValue::Missing, Value::Null) => true,
        (FieldValue::Number(x), Value::Number(w)) => Some(*x) == w.as_f64(),
        (FieldValue::Boolean(x), Value::Bool(w)) => x == w,
        (FieldValue::Boolean(x), Value::String(w)) => {
            ["true", "yes", "y", "t", "on", "1"].contains(&&w.to_lowercase()[..]) == *x
        }
        (FieldValue::Number(x), Value::String(w)) => w.parse() == Ok(*x),
        (FieldValue::Text(x), Value::String(w)) => x == w,
        (FieldValue::Text(x), Value::Number(w)) => x.parse() == Ok(w.as_f64().unwrap_or(f64::NAN)),
        (FieldValue::Text(x), Value::Bool(w)) => x.to_lowercase() == w.to_string(),
        (FieldValue::Text(_), Value::Null) => kind == "index" || kind == "text",
        (FieldValue::Seconds(x), Value::String(w)) => seconds(w) == Some(*x),
        _ => false,
    }
}

/// `2025-03-04`, `2025-03-04 05:06:07` or `05:06` as seconds, by the days of the months.
fn seconds(text: &str) -> Option<f64> {
    let clock = |t: &str| {
        let mut all = t.split(':').map(|p| p.parse::<f64>().ok());
        Some(all.next()?? * 3600.0 + all.next()?? * 60.0 + all.next().flatten().unwrap_or(0.0))
    };
    if text.len() < 10 || !text.contains('-') {
        return clock(text);
    }
    let (date, time) = (&text[..10], text.get(11..));
    let parts: Vec<i64> = date.split('-').map(|p| p.parse().unwrap_or(0)).collect();
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let months = [31, 28 + i64::from(leap(parts[0])), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = if parts[0] >= 1970 {
        (1970..parts[0]).map(|y| 365 + i64::from(leap(y))).sum()
    } else {
        -(parts[0]..1970).map(|y| 365 + i64::from(leap(y))).sum::<i64>()
    };
    let days = years + months[..parts[1] as usize - 1].iter().sum::<i64>() + parts[2] - 1;
    Some(days as f64 * 86_400.0 + time.map_or(Some(0.0), clock)?)
}

/// New data for a model that was trained on a table: one answer a row, and what it had never seen is said.
fn answers(set: &Dataset, wanted: &Value) -> Result<(), String> {
    let options = DataOptions { schema: set.schema.clone(), inputs_only: true, ..DataOptions::default() };
    let path = file(text(&wanted["file"]));
    match (data::open(&path, &options), wanted.get("error")) {
        (Ok(new), None) => {
            if wanted["answers"] != new.len() {
                return Err(format!("{} answers, want {}", new.len(), wanted["answers"]));
            }
            says(&wanted["says"], &new.warnings.join("\n"))
        }
        (Err(error), Some(wanted)) => says(&wanted["says"], &format!("{error}\n{}", error.hint())),
        (Err(error), None) => Err(format!("predict: {error}")),
        (Ok(new), Some(wanted)) => Err(format!("predict: {} answers, want {wanted}", new.len())),
    }
}
