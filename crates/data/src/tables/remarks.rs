//! Warnings about what reads well and is probably meant otherwise: alike classes, codes, marks that are numbers,
//! totals.

use std::collections::BTreeMap;

use super::Table;
use super::cells::Cell;
use super::index::counts_rows;
use super::kinds::Kind;
use super::number;
use super::roles::Roles;
use crate::Task;
use crate::columns::ColumnRole;

/// Numbers that people write for a value that is missing.
const SENTINELS: [f64; 8] = [-99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0];

/// Words that begin the line of a total, lower case.
const TOTALS: [&str; 12] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "average",
    "mean",
    "summe",
    "gesamt",
    "insgesamt",
    "totale",
    "somme",
];

/// Rows below which nothing is said.
const FEW: usize = 10;

/// What should be looked at in a table that is seen for the first time.
pub(super) fn warnings(table: &Table, roles: &Roles, task: &Task) -> Vec<String> {
    let mut out = Vec::new();
    if let Task::Classification { classes } = task {
        out.extend(alike(classes));
    }
    for index in roles.of(ColumnRole::Input) {
        if !matches!(roles.found[index].as_ref().map(|f| &f.kind), Some(Kind::Number { .. })) {
            continue;
        }
        out.extend(codes(table, index).or_else(|| sentinel(table, index)).or_else(|| counter(table, index)));
    }
    out.extend(total(table));
    out
}

/// Classes that differ in nothing but case and blanks, or as texts of the same number.
fn alike(classes: &[String]) -> Option<String> {
    let key = |class: &String| match number::whole(class.trim()) {
        Some(x) => (x + 0.0).to_string(),
        None => class.trim().to_lowercase(),
    };
    let mut groups: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    classes.iter().for_each(|c| groups.entry(key(c)).or_default().push(c));
    let group = groups.values().find(|g| g.len() > 1)?;
    let names: Vec<String> = group.iter().map(|c| format!("`{c}`")).collect();
    Some(format!(
        "{} are read as different classes; write them alike if they are the same",
        names.join(" and ")
    ))
}

/// Whole numbers that begin with a zero, as postal codes do.
fn codes(table: &Table, index: usize) -> Option<String> {
    let name = &table.names[index];
    (table.columns[index].n_padded > 0).then(|| {
        format!(
            "column `{name}` has whole numbers that begin with 0, like codes, but is read as numbers; \
             `data.types={{\"{name}\"=\"category\"}}` makes it categories"
        )
    })
}

/// A number that stands far from all others and is often written for a missing value.
fn sentinel(table: &Table, index: usize) -> Option<String> {
    let (column, marks) = (&table.columns[index], &table.marks);
    let numbers = || {
        column.cells().filter_map(move |c| match c {
            Cell::Number(x) if !marks.has_number(x) => Some(x),
            _ => None,
        })
    };
    let range = |skip: Option<f64>| {
        let all = numbers().filter(|x| Some(*x) != skip);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
    };
    let (min, max) = range(None);
    let mark = SENTINELS.into_iter().find(|s| *s == min || *s == max)?;
    let (low, high) = range(Some(mark));
    let gap = if mark < low { low - mark } else { mark - high };
    let n = numbers().filter(|x| *x == mark).count();
    (high > low && gap > high - low && numbers().count() - n >= FEW).then(|| {
        format!(
            "column `{}` has {mark} in {n} row{}, far from all other values; `data.missing={mark}` reads it as missing",
            table.names[index],
            if n == 1 { "" } else { "s" }
        )
    })
}

/// A named column that counts the rows from 0 or 1.
fn counter(table: &Table, index: usize) -> Option<String> {
    let column = &table.columns[index];
    let counts = table.has_names && column.len() >= 2 * FEW && counts_rows(column);
    let name = &table.names[index];
    counts.then(|| {
        format!("column `{name}` counts the rows and is an input; `data.drop=[\"{name}\"]` leaves it out")
    })
}

/// Whether a word begins the line of a total.
pub(super) fn is_total(text: &str) -> bool {
    let word = text.trim().trim_end_matches(':').to_lowercase();
    TOTALS.contains(&&word[..])
}

/// A last line that is the total of the others.
fn total(table: &Table) -> Option<String> {
    let row = table.n_rows.checked_sub(1).filter(|r| *r >= 2)?;
    let (index, word) = table.columns.iter().enumerate().find_map(|(i, column)| {
        let Cell::Text(code) = column.cell(row) else { return None };
        let text = &column.texts[code as usize];
        (text.count == 1 && is_total(&text.text)).then(|| (i, text.text.to_string()))
    })?;
    let line = table.place_of(row).line()?;
    Some(format!(
        "the last row has `{word}` in column `{}` and is read as a sample; `data.skip_lines={line}` leaves it out",
        table.names[index]
    ))
}
