//! What can be wrong with files of typed cells, with archives, and with several files as one table.

use std::path::PathBuf;

use super::words::{differ, nested, tables};
use super::{Place, column};

/// A problem with the files of a table, as a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// Columns that hold more than one value in a row, or what is no value.
    #[error("{}: {}", nested(columns), path.display())]
    NestedColumns {
        /// Their names, with what they hold.
        columns: Vec<(String, String)>,
        /// The file.
        path: PathBuf,
    },
    /// A record that cannot be read.
    #[error("{place} is not {what}: {reason}: {}", path.display())]
    BadRecord {
        /// What it should be.
        what: &'static str,
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Several tables in one file, and none is named, or one that is not there.
    #[error("{}: {}", tables(what, found, asked.as_deref()), path.display())]
    Tables {
        /// Sheets, or files of an archive.
        what: &'static str,
        /// What was asked for.
        asked: Option<String>,
        /// Their names.
        found: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// A pattern that no file has, or that is none.
    #[error("{problem}: {}", path.display())]
    NoMatch {
        /// What is wrong.
        problem: String,
        /// The pattern.
        path: PathBuf,
    },
    /// A file that is named twice.
    #[error("the file is named twice: {}", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
    },
    /// Files with different columns, which cannot be one table.
    #[error("{}: {}", differ(column, *lacks, beside), path.display())]
    ColumnsDiffer {
        /// A column that one of them has.
        column: String,
        /// Whether it is the first file that has it.
        lacks: bool,
        /// The first file.
        beside: PathBuf,
        /// The other file.
        path: PathBuf,
    },
    /// Targets that are text in one part and numbers in another.
    #[error("the targets are text in one part and numbers in another: {}", path.display())]
    MixedTargets {
        /// The file with the numbers.
        path: PathBuf,
    },
    /// Standard input from the keyboard.
    #[error("standard input is a terminal, so there are no data to read")]
    Terminal,
}

impl FilesError {
    /// What to type or do next, one line.
    pub fn hint(&self) -> String {
        use FilesError::*;
        match self {
            NestedColumns { columns, .. } => {
                let names: Vec<String> = columns.iter().map(|(name, _)| column::quoted(name)).collect();
                let s = if names.len() == 1 { "it" } else { "them" };
                format!("`data.drop=[{}]` leaves {s} out", names.join(","))
            }
            BadRecord { .. } => "correct it, or remove it from the file".into(),
            Tables { found, .. } => match found.first() {
                Some(first) => format!("name one: `data.sheet=\"{first}\"`"),
                None => "name a file with a table".into(),
            },
            NoMatch { .. } => "write it in quotes, as in `data='logs/*.csv'`, and check the folder".into(),
            Twice { .. } => "name it once".into(),
            ColumnsDiffer { column, lacks: false, .. } => {
                format!(
                    "give all files the same columns, or leave out the one that differs: remove `{}`",
                    column.replace(char::is_control, "?")
                )
            }
            ColumnsDiffer { .. } => {
                "give all files the same columns, or train on those that have them".into()
            }
            MixedTargets { .. } => "save the targets of all parts in the same way".into(),
            Terminal => "send a file there, as in `thalweg data info - < table.csv`, or name the file".into(),
        }
    }
}
