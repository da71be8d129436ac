//! 200 tables that Python wrote: columns, types and values come back as they were.
//!
//! `tests/roundtrip/generate.py` wrote them with `csv` and pandas, and read them back with the right arguments; here
//! none are given.

use std::io::Read;

use serde_json::Value;

use super::messy::{allows, list, same, text};
use super::*;

#[test]
fn tables_come_back_as_they_were_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roundtrip");
    let bytes = fs::read(folder.join("expected.jsonl.gz")).expect("what was written");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut lines).expect("gzip");
    let cases: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = judge(&folder.join("files").join(text(&case["file"])), case, &DataOptions::default())
                .err()?;
            Some(format!("{}: {found}\n    {}", text(&case["file"]), case["written"]))
        })
        .collect();
    assert_eq!(cases.len(), 200);
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Whether a table is the one that was written.
pub(super) fn judge(path: &Path, case: &Value, options: &DataOptions) -> Result<(), String> {
    let view = data::table(path, options).map_err(|e| format!("{e}\n    {}", e.hint()))?;
    if !view.faults.is_empty() {
        return Err(format!("{:?}", view.faults));
    }
    let columns = list(&case["columns"]);
    if columns.len() != view.columns.len() {
        return Err(format!("{} columns, want {}", view.columns.len(), columns.len()));
    }
    for ((got, values), want) in view.columns.iter().zip(&view.values).zip(columns) {
        let role = serde_json::to_value(got.role).expect("a word");
        if !(allows(&want["name"], &got.name)
            && allows(&want["type"], got.kind)
            && allows(&want["role"], text(&role)))
        {
            return Err(format!("{got:?}, want {} {} {}", want["name"], want["type"], want["role"]));
        }
        let wanted = list(&want["values"]);
        if wanted.len() != values.len() {
            return Err(format!("{} rows, want {}", values.len(), wanted.len()));
        }
        let other = values.iter().zip(wanted).position(|(g, w)| !same(g, w, got.kind));
        if let Some(row) = other {
            return Err(format!("`{}`, row {row}: {:?}, want {}", got.name, values[row], wanted[row]));
        }
    }
    Ok(())
}
