//! The columns of a table for people, and what is to be mended in one that cannot be used as it is.

use record::visible_line;
use thalweg::data::{ColumnInfo, ColumnRole, Finding, TableView};

use crate::table::{Side, count, table};

/// Columns shown before the rest is only counted.
const MOST: usize = 40;

/// Characters of a name that are shown.
const NAME: usize = 28;

/// Each column with its type, its part, and some of its values.
pub fn columns(columns: &[ColumnInfo], n_rows: usize, width: usize) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut rows = vec![["column", "type", "part", "missing", "values"].map(String::from).to_vec()];
    rows.extend(columns.iter().take(MOST).map(|c| row(c, n_rows)));
    if columns.iter().all(|c| c.missing == 0) {
        rows.iter_mut().for_each(|row| drop(row.remove(3)));
    }
    let sides = match rows[0].len() {
        4 => &[Side::Left, Side::Left, Side::Left, Side::Left][..],
        _ => &[Side::Left, Side::Left, Side::Left, Side::Right, Side::Left],
    };
    let more = columns.len().saturating_sub(MOST);
    let more = if more > 0 { format!("and {} more columns\n", count(more)) } else { String::new() };
    format!("\n{}{more}", table(&rows, sides, width))
}

fn row(column: &ColumnInfo, n_rows: usize) -> Vec<String> {
    let part = match column.role {
        ColumnRole::Input if column.inputs > 1 => format!("{} inputs", column.inputs),
        ColumnRole::Input => "input".into(),
        ColumnRole::Target => "to predict".into(),
        ColumnRole::Weight => "weight".into(),
        ColumnRole::LeftOut => "left out".into(),
    };
    let missing = match column.missing {
        0 => String::new(),
        n => format!("{:.1} %", 100.0 * n as f64 / n_rows.max(1) as f64),
    };
    let values = match (column.min, column.max) {
        (Some(min), Some(max)) if min == max => format!("always {min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        _ => column.examples.iter().map(|e| cut(e, NAME)).collect::<Vec<_>>().join(", "),
    };
    let name = if column.name.is_empty() { "(no name)".into() } else { cut(&column.name, NAME) };
    vec![name, column.kind.into(), part, missing, values]
}

/// The beginning of a text that is too long to be shown.
fn cut(text: &str, most: usize) -> String {
    let text = visible_line(text);
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.into_owned(),
    }
}

/// What would mislead training, or keep it from starting.
pub fn findings(findings: &[Finding]) -> Vec<(&'static str, String)> {
    let line = |f: &Finding| {
        let fix = f
            .fix
            .as_ref()
            .filter(|fix| !f.evidence.contains(*fix))
            .map_or(String::new(), |fix| format!("; `{fix}`"));
        ("finding", format!("{}: {}{fix}", f.fault, f.evidence))
    };
    findings.iter().map(line).collect()
}

/// What must be mended before a table can be used.
pub fn to_mend(error: &str, hint: &str, view: &TableView) -> Finding {
    let target = view.faults.iter().any(|f| f.target);
    let fault = if target { "labels" } else { "columns" };
    let fix = first_setting(hint);
    Finding { fault, confidence: 1.0, evidence: format!("{error}; {hint}"), fix }
}

/// The first setting that a hint names, without its backquotes.
fn first_setting(hint: &str) -> Option<String> {
    let mut parts = hint.split('`').skip(1).step_by(2);
    parts.find(|p| p.starts_with("data.") && p.contains('=')).map(String::from)
}
