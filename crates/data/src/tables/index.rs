//! Columns that only count or name the rows.

use std::collections::HashSet;

use super::Table;
use super::cells::Column;
use super::kinds::Found;

/// Names under which a column that only counts rows goes, lower case.
const INDEX_NAMES: &[&str] = &[
    "",
    "index",
    "idx",
    "id",
    "rowid",
    "row",
    "row_id",
    "rownames",
    "row.names",
    "no",
    "nr",
    "#",
    "obs",
    "observation",
    "case",
    "sample",
    "sample_id",
    "x.1",
];

/// Whether a column of numbers only counts the rows or names them.
pub(super) fn is_index(table: &Table, index: usize, found: &Found) -> bool {
    let column = &table.columns[index];
    if found.n_missing > 0 || column.len() < 3 || column.n_numbers != column.len() {
        return false;
    }
    let name = table.names[index].to_lowercase();
    let named = table.has_names
        && (INDEX_NAMES.contains(&&name[..]) || name.starts_with("unnamed:") || is_id(&table.names[index]));
    let bare = !table.has_names && index == 0 && column.len() >= 20;
    if !named && !bare {
        return false;
    }
    let unlike = || {
        let mut seen = HashSet::new();
        column.packed().iter().all(|x| x.fract() == 0.0 && seen.insert(x.to_bits()))
    };
    counts_rows(column) || named && name != "no" && name != "nr" && unlike()
}

/// Whether a column counts the rows from 0 or 1.
pub(super) fn counts_rows(column: &Column) -> bool {
    let cells = column.packed();
    matches!(cells.first(), Some(0.0 | 1.0)) && cells.windows(2).all(|w| w[1] - w[0] == 1.0)
}

/// Whether a name ends in the word id, as `PassengerId` and `loan_id` do.
fn is_id(name: &str) -> bool {
    let Some(at) = name.len().checked_sub(2).filter(|at| name.is_char_boundary(*at)) else { return false };
    let (before, end) = (name[..at].chars().next_back(), &name[at..]);
    match end {
        "Id" | "ID" => before.is_some_and(|c| c.is_lowercase() || !c.is_alphanumeric()),
        "id" => before.is_some_and(|c| !c.is_alphanumeric()),
        _ => false,
    }
}
