//! A table as it is read: each column with its type and the values of its rows, before anything becomes an input.

use std::path::Path;

use super::cells::Cell;
use super::kinds::{Kind, MAX_CATEGORIES};
use super::roles::{self, Roles};
use super::{files, join, stream};
use crate::columns::{ColumnInfo, ColumnRole};
use crate::error::ColumnFault;
use crate::{CacheError, DataError, DataOptions, Task};

/// The value of one row in one column.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// There is none.
    Missing,
    /// A number, as f64.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// A date or time: seconds since 1970-01-01 00:00, or since midnight.
    Seconds(f64),
    /// A word, as it is in the file.
    Text(String),
}

/// A table as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct TableView {
    /// Number of rows.
    pub n_rows: usize,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnInfo>,
    /// Values of each column, one a row; empty for a column that is unclear.
    pub values: Vec<Vec<FieldValue>>,
    /// What the targets are; nothing while a fault is to be mended.
    pub task: Option<Task>,
    /// What must be mended before the table can be used.
    pub faults: Vec<ColumnFault>,
    /// What was decided without being told.
    pub notes: Vec<String>,
}

/// Columns of a table as they are written, for each a text a row; `options` may hold the columns of a trained model, so
/// that the first line is read as it is there.
///
/// # Errors
/// [`DataError`] of the file, and of a name that no column has.
pub fn table_texts(
    path: &Path,
    columns: &[String],
    options: &DataOptions,
) -> Result<Vec<Vec<String>>, DataError> {
    let mut table = files::load(path, options, None)?;
    let places = columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    table.make_words(&places, MAX_CATEGORIES, options)?;
    let texts = |place: &usize| {
        let column = &table.columns[*place];
        let text = |cell| match cell {
            Cell::Text(code) => column.texts[code as usize].text.to_string(),
            Cell::Number(x) => x.to_string(),
        };
        column.cells().map(text).collect()
    };
    Ok(places.iter().map(texts).collect())
}

/// Reads a table for its own sake, whether or not a network could be trained on it.
///
/// # Errors
/// [`DataError`] of the file, of settings that name no column, and of a table that is larger than it may be.
pub fn table(path: &Path, options: &DataOptions) -> Result<TableView, DataError> {
    let files = join::files(path)?.unwrap_or_else(|| vec![path.into()]);
    if let Some(memory) = stream::wanted(&files, options) {
        let what = "all values of the table".into();
        return Err(CacheError::Share { what, share: memory, enough: None, memory, path: path.into() }.into());
    }
    let mut table = files::load(path, options, None)?;
    let mut roles = Roles::find(&table, true, options)?;
    let mut notes = std::mem::take(&mut table.notes);
    notes.append(&mut roles.notes);
    let mut task = None;
    if !roles.targets.is_empty() && roles.faults.iter().all(|f| !f.target) {
        match roles::task(&table, &roles.targets, &roles.found, options, &mut notes) {
            Ok(found) => task = Some(found),
            Err(DataError::Columns { faults, .. }) => roles.faults.extend(faults),
            Err(other) => return Err(other),
        }
    }
    let is_category =
        |i: &usize| roles.found[*i].as_ref().is_some_and(|f| matches!(f.kind, Kind::Category | Kind::Text));
    let labels =
        if matches!(task, Some(Task::Classification { .. })) { roles.targets.clone() } else { Vec::new() };
    let words: Vec<usize> = (0..table.names.len()).filter(|i| is_category(i) || labels.contains(i)).collect();
    table.make_words(&words, MAX_CATEGORIES, options)?;
    if let Some(Task::Classification { classes }) = &mut task
        && classes.is_empty()
    {
        match roles::classes(&table, labels[0], options) {
            Ok(found) => *classes = found,
            Err(DataError::Columns { faults, .. }) => {
                roles.faults.extend(faults);
                task = None;
            }
            Err(other) => return Err(other),
        }
    }
    // where the first line names the classes, labels are indices into them
    let label = |index: usize, word: &str| match &table.classes {
        Some(classes) if labels.contains(&index) => {
            word.parse::<usize>().ok().and_then(|i| classes.get(i)).map_or(word, String::as_str).to_string()
        }
        _ => word.to_string(),
    };
    let value = |index: usize, cell: Cell| {
        let column = &table.columns[index];
        let kind = roles.found[index].as_ref().map(|f| &f.kind);
        let text = |code: u32| match &*column.texts[code as usize].text {
            text if table.marks.has(text) => FieldValue::Missing,
            text if !roles.targets.contains(&index) && table.marks.has_among_words(text) => {
                FieldValue::Missing
            }
            _ => FieldValue::Text(label(index, column.texts[code as usize].word())),
        };
        let measured = kind.and_then(Kind::texts).filter(|_| !labels.contains(&index));
        let x = match (cell, measured) {
            (Cell::Text(code), None) => return text(code),
            (Cell::Text(code), Some(texts)) => texts[code as usize],
            (Cell::Number(x), _) => x,
        };
        match kind {
            _ if x.is_nan() || matches!(cell, Cell::Number(x) if table.marks.has_number(x)) => {
                FieldValue::Missing
            }
            Some(Kind::Boolean { .. }) => FieldValue::Boolean(x != 0.0),
            Some(Kind::Date { .. }) => FieldValue::Seconds(x),
            _ => FieldValue::Number(x),
        }
    };
    let values =
        (0..table.names.len()).map(|i| table.columns[i].cells().map(|c| value(i, c)).collect()).collect();
    let mut columns = roles.columns(&table, &Default::default());
    columns.iter_mut().filter(|c| c.role == ColumnRole::LeftOut).for_each(|c| c.inputs = 0);
    Ok(TableView { n_rows: table.n_rows, columns, values, task, faults: roles.faults, notes })
}
