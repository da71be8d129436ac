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
mod decode;
pub(crate) mod encode;
mod fresh;
mod header;
mod index;
pub(crate) mod kinds;
mod missing;
mod moments;
pub(crate) mod number;
mod precision;
pub(crate) mod read;
mod remarks;
pub(crate) mod roles;
mod sniff;
mod style;
mod targets;
mod view;

use std::collections::HashMap;
use std::path::PathBuf;

use settings::nearest;

use self::cells::{Cell, Column};
use self::missing::Marks;
use self::read::Source;
use crate::DataError;

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

    /// The line on which a row begins, from 1; 0 where there are no lines.
    pub fn line_of(&self, row: usize) -> u64 {
        self.source.as_ref().map_or(0, |s| s.line_of(row))
    }

    /// Makes texts of the numbers of columns, as they were written.
    pub fn make_words(&mut self, columns: &[usize]) {
        let mut rest = Vec::new();
        for &index in columns {
            let column = &self.columns[index];
            if column.n_numbers == 0 {
                continue;
            }
            if column.canonical || self.source.is_none() {
                let mut words = Column::new(column.decimal);
                for cell in column.cells() {
                    match cell {
                        Cell::Number(x) => words.push_text(&x.to_string()),
                        Cell::Text(code) => words.push_text(&column.texts[code as usize].text),
                    }
                }
                words.finish();
                self.columns[index] = words;
            } else {
                rest.push(index);
            }
        }
        let Some(source) = self.source.as_ref().filter(|_| !rest.is_empty()) else { return };
        let mut all: Vec<Column> = rest.iter().map(|i| Column::new(self.columns[*i].decimal)).collect();
        let mut row = 0;
        source.each_row(|fields| {
            if row < self.n_rows {
                for (words, index) in all.iter_mut().zip(&rest) {
                    words.push_text(fields.get(*index).map_or("", |f| f));
                }
            }
            row += 1;
        });
        for (mut words, index) in all.into_iter().zip(rest) {
            words.finish();
            self.columns[index] = words;
        }
    }
}
