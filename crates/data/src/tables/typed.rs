//! Tables whose files tell what columns hold, as columns of cells.

use std::path::Path;

use super::cells::Column;
use super::missing::Marks;
use super::{Table, header, style};
use crate::{ColumnType, DataError, DataOptions, FilesError};

/// A table while its columns are filled.
#[derive(Default)]
pub(crate) struct Typed {
    pub names: Vec<String>,
    pub columns: Vec<Column>,
    /// What the file says that a column holds.
    pub declared: Vec<Option<ColumnType>>,
    /// Why a column cannot be read, where it cannot; its cells are empty.
    pub unread: Vec<Option<String>>,
}

impl Typed {
    /// Adds a column without cells, and gives its place.
    pub fn add(&mut self, name: &str) -> usize {
        self.names.push(name.into());
        self.columns.push(Column::new(b'.'));
        self.declared.push(None);
        self.unread.push(None);
        self.names.len() - 1
    }

    /// Puts the index of a pandas frame, which its file has behind the columns, before them, as a CSV file has it.
    ///
    /// `metadata` is what pandas noted in the file.
    #[cfg(any(feature = "arrow", feature = "parquet"))]
    pub fn index_first(&mut self, metadata: Option<&str>) {
        let noted: Option<serde_json::Value> = metadata.and_then(|text| serde_json::from_str(text).ok());
        let Some(names) = noted.as_ref().and_then(|n| n["index_columns"].as_array()) else { return };
        let names: Vec<&str> = names.iter().filter_map(|n| n.as_str()).collect();
        let mut at = 0;
        for name in names {
            let Some(from) = self.names.iter().position(|n| n == name).filter(|from| *from >= at) else {
                continue;
            };
            self.names[at..=from].rotate_right(1);
            self.columns[at..=from].rotate_right(1);
            self.declared[at..=from].rotate_right(1);
            self.unread[at..=from].rotate_right(1);
            if name.starts_with("__index_level_") {
                self.names[at].clear();
            }
            at += 1;
        }
    }

    /// The table of these columns.
    ///
    /// # Errors
    /// [`DataError::NoSamples`], and [`FilesError::NestedColumns`] where columns cannot be read that are not dropped.
    pub fn finish(mut self, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
        let n_rows = self.columns.iter().map(Column::len).max().unwrap_or(0);
        if n_rows == 0 {
            return Err(DataError::NoSamples { path: path.into() });
        }
        let mut notes = Vec::new();
        let names = header::unique(&self.names, &mut notes);
        self.columns.iter_mut().for_each(|c| c.fill_to(n_rows));
        let votes: Vec<_> = self.columns.iter().map(style::votes).collect();
        self.columns.iter_mut().for_each(Column::finish);
        let mut marks = Marks::new(&options.missing);
        self.columns.iter().for_each(|c| marks.learn(c));
        let table = Table {
            path: path.into(),
            names,
            columns: self.columns,
            n_rows,
            has_names: true,
            classes: None,
            marks,
            mark: style::table_mark(&votes),
            notes,
            source: None,
            declared: self.declared,
            outputs: Vec::new(),
            row_numbers: Vec::new(),
            parts: Vec::new(),
        };
        check_unread(&table, &self.unread, options)?;
        Ok(table)
    }
}

/// Columns that cannot be read must have been dropped, or be none that a trained model needs.
fn check_unread(table: &Table, unread: &[Option<String>], options: &DataOptions) -> Result<(), DataError> {
    let dropped: Vec<usize> = options.drop.iter().filter_map(|d| table.column(d).ok()).collect();
    let needed = |name: &String| match &options.schema {
        Some(schema) => {
            schema.columns.iter().any(|c| c.name == *name) || schema.targets.iter().any(|t| t.name == *name)
        }
        None => true,
    };
    let columns: Vec<(String, String)> = unread
        .iter()
        .enumerate()
        .filter(|(i, _)| !dropped.contains(i) && needed(&table.names[*i]))
        .filter_map(|(i, why)| Some((table.names[i].clone(), why.clone()?)))
        .collect();
    if columns.is_empty() {
        Ok(())
    } else {
        Err(FilesError::NestedColumns { columns, path: table.path.clone() }.into())
    }
}
