//! Columns by which the parts of a table are cut: rows that belong together, and when they were taken.

use std::collections::HashMap;

use super::Table;
use super::cells::Cell;
use super::kinds::{self, Kind};
use super::stream::TEXT_SHARE;
use crate::error::{ColumnFault, Fault};
use crate::{CacheError, DataError, DataOptions};

/// Bytes that a group takes while groups are found.
const GROUP: usize = 32;

/// For each row the number of its group, in the order in which groups come.
///
/// # Errors
/// [`DataError::NoColumn`], or [`DataError::MissingValue`] for a row that belongs to no group.
pub(super) fn groups(table: &Table, options: &DataOptions) -> Result<Option<Vec<f64>>, DataError> {
    let Some(name) = &options.group else { return Ok(None) };
    if options.time.is_some() {
        let expected = "nothing beside `data.time`: parts are cut by one of them".into();
        return Err(DataError::BadOption { option: "group", value: name.clone(), expected });
    }
    let index = table.column(name)?;
    let column = &table.columns[index];
    let room = column.room();
    let too_many = || {
        let what = format!("the different values of column `{name}`, by which parts are cut,");
        let (share, path) = (room, table.path.clone());
        DataError::from(CacheError::Share { what, share, memory: share.saturating_mul(TEXT_SHARE), path })
    };
    if !column.is_listed() {
        return Err(too_many());
    }
    let mut known: HashMap<u64, f64> = HashMap::new();
    let mut groups = Vec::with_capacity(table.n_rows);
    for (row, cell) in column.cells().enumerate() {
        let key = match cell {
            Cell::Number(x) => x.to_bits(),
            Cell::Text(code) if table.marks.has(&column.texts[code as usize].text) => {
                return Err(missing(table, index, row));
            }
            // no number that a table holds has these bits
            Cell::Text(code) => u64::MAX - u64::from(code),
        };
        let next = known.len() as f64;
        groups.push(*known.entry(key).or_insert(next));
        if known.len() * GROUP > room {
            return Err(too_many());
        }
    }
    Ok(Some(groups))
}

/// For each row the time at which it was taken.
///
/// # Errors
/// [`DataError::NoColumn`], [`DataError::MissingValue`], or a column that holds neither dates nor numbers.
pub(super) fn times(table: &Table, options: &DataOptions) -> Result<Option<Vec<f64>>, DataError> {
    let Some(name) = &options.time else { return Ok(None) };
    let index = table.column(name)?;
    let fail = |fault| {
        let faults = vec![ColumnFault { column: table.names[index].clone(), target: false, fault }];
        DataError::Columns { faults, path: table.path.clone() }
    };
    // a target is never taken for an index, and neither is a column of times
    let found = kinds::find(table, index, true, options).map_err(fail)?;
    let texts = match &found.kind {
        Kind::Number { texts } | Kind::Date { texts, .. } => texts,
        _ => return Err(fail(Fault::NoTimes)),
    };
    let mut times = Vec::with_capacity(table.n_rows);
    for (row, x) in table.columns[index].values(texts, &table.marks).enumerate() {
        if x.is_nan() {
            return Err(missing(table, index, row));
        }
        times.push(x);
    }
    Ok(Some(times))
}

fn missing(table: &Table, index: usize, row: usize) -> DataError {
    let (place, column, path) = (table.place_of(row), table.names[index].clone(), table.path.clone());
    DataError::MissingValue { n: 1, place, column, target: false, path }
}
