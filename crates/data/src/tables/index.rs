//! Columns that only count or name the rows.

use super::Table;
use super::cells::Column;
use super::distinct;
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
    counts_rows(column) || named && name != "no" && name != "nr" && distinct::are_unlike(column)
}

/// Whether a column counts the rows from 0 or 1.
pub(super) fn counts_rows(column: &Column) -> bool {
    let mut cells = column.packed();
    let Some(mut last) = cells.next().filter(|first| matches!(first, 0.0 | 1.0)) else { return false };
    cells.all(|x| x - std::mem::replace(&mut last, x) == 1.0)
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
