//! Columns that are no inputs by themselves: by which parts are cut (rows that belong together, when they were taken),
//! and what rows count.

use std::collections::HashMap;

use super::cells::{Cell, Text};
use super::kinds::{self, Found, Kind};
use super::readings::Readings;
use super::stream::TEXT_SHARE;
use super::{Table, again, number};
use crate::error::{ColumnFault, Fault, NoWeight};
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
        let (share, path, memory) = (room, table.path.clone(), room.saturating_mul(TEXT_SHARE));
        DataError::from(CacheError::Share { what, share, enough: None, memory, path })
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

/// For each row what it counts in a loss; nothing for new samples that are only to be answered.
///
/// # Errors
/// [`DataError::NoColumn`], or a value that is no weight.
pub(super) fn weights(table: &Table, options: &DataOptions) -> Result<Option<Vec<f64>>, DataError> {
    let index = match (&options.schema, &options.weight) {
        _ if options.inputs_only => None,
        (Some(schema), _) => again::weight(table, schema, options)?,
        (None, Some(name)) => Some(table.column(name)?),
        (None, None) => None,
    };
    let Some(index) = index else { return Ok(None) };
    let fail = |fault| {
        let faults = vec![ColumnFault { column: table.names[index].clone(), target: false, fault }];
        DataError::Columns { faults, path: table.path.clone() }
    };
    let column = &table.columns[index];
    let listed = |listed| Readings { listed, ..Readings::default() };
    // weights may count up from 1, and are no index
    let (texts, fault) = match kinds::find(table, index, true, options) {
        Ok(Found { kind: Kind::Number { texts }, .. }) => (texts, None),
        Ok(_) => (listed(vec![f64::NAN; column.texts.len()]), None),
        // words are told first, then what else keeps numbers from being read
        Err(fault) => {
            let mark = |text: &Text| number::undress(&text.text).map_or(f64::NAN, |_| 0.0);
            (listed(column.texts.iter().map(mark).collect()), Some(fault))
        }
    };
    let mut weights = Vec::with_capacity(table.n_rows);
    let mut bad: Option<(usize, usize, NoWeight)> = None;
    for (row, (cell, x)) in column.cells().zip(column.values(&texts, &table.marks)).enumerate() {
        let why = match cell {
            Cell::Text(code) if x.is_nan() => Some(no_weight(table, &column.texts[code as usize].text)),
            _ if x.is_nan() => Some(NoWeight::Missing),
            _ if x < 0.0 => Some(NoWeight::Negative),
            _ => x.is_infinite().then_some(NoWeight::Infinite),
        };
        // -0 is 0
        weights.push(x + 0.0);
        bad = match (bad, why) {
            (None, Some(why)) => Some((1, row, why)),
            (Some((n, row, first)), Some(_)) => Some((n + 1, row, first)),
            (bad, None) => bad,
        };
    }
    let Some((n, row, why)) = bad else { return fault.map_or(Ok(Some(weights)), |fault| Err(fail(fault))) };
    let value = match column.cell(row) {
        Cell::Number(x) => x.to_string(),
        Cell::Text(code) => column.texts[code as usize].text.to_string(),
    };
    Err(fail(Fault::BadWeight { value, why, n, place: table.place_of(row) }))
}

/// Why a text is no weight.
fn no_weight(table: &Table, text: &str) -> NoWeight {
    match text.parse::<f64>() {
        _ if table.marks.has_among_numbers(text) => NoWeight::Missing,
        Ok(x) if x == f64::NEG_INFINITY => NoWeight::Negative,
        Ok(x) if x.is_infinite() => NoWeight::Infinite,
        _ => NoWeight::NotANumber,
    }
}

fn missing(table: &Table, index: usize, row: usize) -> DataError {
    let (place, column, path) = (table.place_of(row), table.names[index].clone(), table.path.clone());
    DataError::MissingValue { n: 1, place, column, target: false, path }
}
