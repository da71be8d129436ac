//! Tables as people have them: from text or typed columns to cells, from cells to what each column holds.
//!
//! The steps, each in its own file: `decode` makes text of bytes, `sniff` finds how it is cut, `cursor` cuts it, `read`
//! makes `cells` of it, `header` tells names from samples, `style` decimal commas from grouped digits, `kinds` numbers
//! from dates and categories; `roles` gives columns their parts, and `encode` makes a data set.

mod again;
pub(crate) mod cells;
pub(crate) mod cursor;
mod cuts;
pub(crate) mod dates;
pub(crate) mod decode;
mod distinct;
pub(crate) mod encode;
pub(crate) mod files;
mod fresh;
pub(crate) mod header;
mod index;
#[cfg(any(feature = "arrow", feature = "parquet"))]
pub(crate) mod instants;
pub(crate) mod join;
pub(crate) mod kinds;
mod missing;
mod moments;
pub(crate) mod number;
mod precision;
pub(crate) mod read;
mod readings;
mod remarks;
pub(crate) mod roles;
mod rows;
mod scratch;
pub(crate) mod sniff;
mod stored;
pub(crate) mod stream;
mod style;
mod targets;
pub(crate) mod text;
pub(crate) mod typed;
mod view;

use std::collections::HashMap;
use std::path::PathBuf;

use settings::nearest;

use self::cells::Column;
use self::join::Part;
use self::missing::Marks;
use self::read::Source;
use crate::{ColumnType, DataError, DataOptions, Place};

pub use view::{FieldValue, TableView, table, table_texts};

/// A table in memory: columns of cells, not yet inputs.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub path: PathBuf,
    pub names: Vec<String>,
    pub columns: Vec<Column>,
    pub n_rows: usize,
    pub has_names: bool,
    /// Names of the classes, where the first line tells them.
    pub classes: Option<Vec<String>>,
    pub marks: Marks,
    /// The decimal mark that its columns agree on.
    pub mark: Option<u8>,
    /// What was found without being told.
    pub notes: Vec<String>,
    /// The text that it was read from, where it was one.
    pub source: Option<Source>,
    /// What the file itself says that columns hold; nothing of any column where it says nothing.
    pub declared: Vec<Option<ColumnType>>,
    /// Columns that the file itself says are the targets.
    pub outputs: Vec<usize>,
    /// Numbers of the rows of a sheet, where some are left out.
    pub row_numbers: Vec<u32>,
    /// The files that it was joined of, where there are several.
    pub parts: Vec<Part>,
}

impl Table {
    /// The column that an option names: a name, or an index from 0 (from the end if negative).
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        let by_name = self.names.iter().position(|n| n == name);
        let n = self.names.len();
        let by_index = || match name.parse::<i64>().ok()? {
            i if i < 0 => n.checked_sub(i.unsigned_abs() as usize),
            i => Some(i as usize).filter(|i| *i < n),
        };
        by_name.or_else(by_index).ok_or_else(|| self.no_column(name))
    }

    /// The error of a column that does not exist.
    pub fn no_column(&self, name: &str) -> DataError {
        DataError::NoColumn {
            name: name.to_string(),
            nearest: nearest(name, self.names.iter().map(String::as_str)),
            columns: self.names.clone(),
            path: self.path.clone(),
        }
    }

    /// The columns by their names.
    pub fn by_name(&self) -> HashMap<&str, usize> {
        // the first of equal names wins
        self.names.iter().enumerate().rev().map(|(i, n)| (n.as_str(), i)).collect()
    }

    /// Whether the file itself says that a column holds this.
    pub fn is_declared(&self, column: usize, kind: ColumnType) -> bool {
        self.declared.get(column).is_some_and(|d| *d == Some(kind))
    }

    /// Where a row stands in its file.
    pub fn place_of(&self, row: usize) -> Place {
        join::place_of(&self.parts, row)
            .unwrap_or_else(|| place(self.source.as_ref(), &self.row_numbers, row))
    }

    /// Makes texts of the numbers of columns, as they were written; the `most` frequent of each stay by themselves
    /// where there are too many for memory.
    ///
    /// # Errors
    /// [`DataError`] of the file of a stream.
    pub fn make_words(
        &mut self,
        columns: &[usize],
        most: usize,
        options: &DataOptions,
    ) -> Result<(), DataError> {
        let mut rest = Vec::new();
        for &index in columns {
            let column = &self.columns[index];
            if column.n_numbers == 0 {
                continue;
            }
            if column.canonical || self.source.is_none() && self.parts.is_empty() {
                let mut words = column.like(1);
                words.push_words(column);
                words.finish();
                words.worded = true;
                self.columns[index] = words;
            } else {
                rest.push(index);
            }
        }
        let mut all: Vec<Column> = rest.iter().map(|i| self.columns[*i].like(rest.len())).collect();
        if !self.parts.is_empty() {
            join::words(self, &rest, &mut all)?;
        } else if let Some(source) = self.source.as_ref().filter(|_| !rest.is_empty()) {
            let mut row = 0;
            source.each_row(|fields| {
                if row < self.n_rows {
                    for (words, index) in all.iter_mut().zip(&rest) {
                        words.push_text(fields.get(*index).map_or("", |f| f));
                        words.spare();
                    }
                }
                row += 1;
            })?;
        }
        for (mut words, index) in all.into_iter().zip(rest) {
            words.finish();
            words.worded = true;
            self.columns[index] = words;
        }
        for &index in columns {
            if !self.columns[index].is_counted() || most > kinds::MAX_CATEGORIES {
                self.columns[index].gather("", most, true, options);
            }
        }
        Ok(())
    }

    /// Whether all that was kept in files could be read again.
    ///
    /// # Errors
    /// [`DataError::Read`].
    pub fn check(&self) -> Result<(), DataError> {
        self.columns.iter().try_for_each(Column::check)
    }
}

/// Where a row stands: on a line, or as what row.
fn place(source: Option<&Source>, row_numbers: &[u32], row: usize) -> Place {
    match (source, row_numbers.get(row)) {
        (Some(source), _) => Place::Line(source.line_of(row)),
        (None, Some(number)) => Place::Row((*number).into()),
        (None, None) => Place::Row(row as u64 + 1),
    }
}
