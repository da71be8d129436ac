//! Everything that can go wrong with a run folder, as values, with a hint on what to type.

use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, RecordError>;

/// What was being done to a file when the system refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reading a file or listing a folder.
    Read,
    /// Writing, replacing or appending to a file.
    Write,
    /// Making a folder.
    Create,
    /// Taking a file or folder away.
    Remove,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::Create => "create",
            Action::Remove => "remove",
        })
    }
}

/// What is wrong with a line of `metrics.csv`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// The header does not begin with the four fixed columns.
    #[error("expected columns `epoch,step,seconds,lr,...`, got `{got}`")]
    Header {
        /// The line found there.
        got: String,
    },
    /// A column occurs twice.
    #[error("column `{name}` occurs twice")]
    Duplicate {
        /// The column.
        name: String,
    },
    /// The line has too few or too many fields.
    #[error("expected {expected} fields, got {got}")]
    Fields {
        /// Columns in the header.
        expected: usize,
        /// Fields in this line.
        got: usize,
    },
    /// A field is not a number.
    #[error("column `{column}`: expected a number, got `{got}`")]
    Number {
        /// The column.
        column: String,
        /// The text found there.
        got: String,
    },
    /// The bytes are not UTF-8.
    #[error("expected text, got bytes that are not UTF-8")]
    Text,
}

/// An error about a run folder or a file in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The disk or the quota is full. The earlier version of the file, if any, is untouched.
    #[error("no space left to write {}", path.display())]
    DiskFull {
        /// The file that was to be written.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The system does not allow it.
    #[error("not allowed to {action} {}", path.display())]
    Denied {
        /// What was tried.
        action: Action,
        /// On what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file or folder that should be there is not.
    #[error("no such {what}: {}", path.display())]
    Missing {
        /// For example "run folder" or "summary.json".
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// Any other refusal of the system.
    #[error("cannot {action}: {source}: {}", path.display())]
    Io {
        /// What was tried.
        action: Action,
        /// On what.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The user named a folder that holds something, and did not say to overwrite it.
    #[error("run folder exists and is not empty: {}", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that holds files but none that a run writes.
    #[error("not a run folder: {}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A folder of several runs where one run is wanted.
    #[error("the folder holds several runs: {}", path.display())]
    SeveralRuns {
        /// The folder.
        path: PathBuf,
        /// The first of them.
        first: PathBuf,
    },
    /// A folder that holds files but no list of runs.
    #[error("not a folder of several runs: {}", path.display())]
    NotRuns {
        /// The folder.
        path: PathBuf,
    },
    /// An experiment's folder that is not empty.
    #[error("folder exists and is not empty: {}", path.display())]
    LabExists {
        /// The folder.
        path: PathBuf,
    },
    /// A file where a folder is wanted.
    #[error("a file where a folder is needed: {}", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A list that names a folder elsewhere.
    #[error("run name `{name}` is not made of letters, digits, `_`, `-` and `.`: {}", path.display())]
    BadRunName {
        /// The name.
        name: String,
        /// The list.
        path: PathBuf,
    },
    /// A list in which two runs would share a folder.
    #[error("two runs are named `{name}`, upper and lower case aside: {}", path.display())]
    SameRunName {
        /// The name.
        name: String,
        /// The list.
        path: PathBuf,
    },
    /// Something where a run is to be written that this list has not put there.
    #[error("this is in the way and is not of these runs: {}", path.display())]
    InTheWay {
        /// The file or folder.
        path: PathBuf,
    },
    /// Another process writes to this run.
    #[error("another process is writing to this run: {}", path.display())]
    Busy {
        /// The run folder.
        path: PathBuf,
    },
    /// A JSON file that does not parse or does not hold what it should.
    #[error("damaged file at line {line}, column {column}: {problem}: {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words.
        problem: String,
    },
    /// A line of `metrics.csv` that does not fit.
    #[error("damaged file at line {line}: {problem}: {}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        problem: RowProblem,
    },
    /// A row with a metric that the first row did not have.
    #[error("metric `{name}` has no column, the file has {}: {}", columns.join(", "), path.display())]
    NoColumn {
        /// The metric.
        name: String,
        /// The metric columns there are.
        columns: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// A metric name that cannot be a column.
    #[error("metric name `{name}` is not made of letters, digits, `_`, `-`, `.`, `@` and `/`, or is taken")]
    BadName {
        /// The name.
        name: String,
    },
}

/// What is missing where a file cannot be written.
const FOLDER: &str = "folder";

impl RecordError {
    /// Sorts a refusal of the system into the kinds above.
    pub fn io(action: Action, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind as K;
        let path = path.to_path_buf();
        match source.kind() {
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => RecordError::DiskFull { path, source },
            K::PermissionDenied | K::ReadOnlyFilesystem => RecordError::Denied { action, path, source },
            // a file to be written needs no more than its folder
            K::NotFound if action == Action::Write => {
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                RecordError::Missing { what: FOLDER, path: folder.to_path_buf() }
            }
            // a folder where the system has none made, such as below /proc
            K::NotFound if action == Action::Create => RecordError::Denied { action, path, source },
            K::NotFound => RecordError::Missing { what: "file or folder", path },
            _ => RecordError::Io { action, path, source },
        }
    }

    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            RecordError::DiskFull { .. } => {
                "free some space and try again; the earlier version of the file is intact".into()
            }
            RecordError::Denied { action: Action::Read, .. } => "check who may read it".into(),
            RecordError::Denied { .. } => "write elsewhere, or change who may write there".into(),
            RecordError::Missing { what: FOLDER, path } => {
                format!("make it first: `mkdir -p {}`", path.display())
            }
            RecordError::Missing { what: "config.toml" | "base.toml", path } => format!(
                "put it back, for example from a copy: without {} nobody knows what the run was",
                path.display()
            ),
            RecordError::Missing { .. } => "check the path".into(),
            RecordError::Exists { .. } => "continue the run, choose another folder, or overwrite it".into(),
            RecordError::NotARun { .. } => {
                "name the folder of one run; a new run needs a new or empty folder, because only runs are overwritten"
                    .into()
            }
            RecordError::SeveralRuns { first, .. } => {
                format!("name one of them, such as `{}`", first.display())
            }
            RecordError::NotRuns { .. } => {
                "choose a new or empty folder; only folders of several runs are overwritten by several".into()
            }
            RecordError::BadRunName { .. } => {
                "use only those characters in the names of runs, and do not begin with `.`".into()
            }
            RecordError::InTheWay { .. } => "move it elsewhere, or choose another folder".into(),
            RecordError::SameRunName { .. } => "give every run a name of its own".into(),
            RecordError::NotAFolder { .. } => "name a folder, or a path that does not exist yet".into(),
            RecordError::LabExists { .. } => "write elsewhere, or remove the folder first".into(),
            RecordError::Busy { .. } => "wait for it to finish, or stop it".into(),
            RecordError::Row { line, .. } => {
                format!("mend or delete line {line} by hand; the rest is intact")
            }
            RecordError::Json { .. } => "restore the file, or train again from the run's config.toml".into(),
            _ => return None,
        })
    }
}
