//! A folder of several runs: the list of them, a run folder for each, and what came of them together.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic::{remove_temporaries, write_atomic};
use crate::error::{Action, RecordError, Result};
use crate::name;
use crate::run_dir::{Existing, lock_file, read_json, read_text, write_json};

const LIST: &str = "runs.json";
const BASE: &str = "base.toml";
const LOCK: &str = ".runs.lock";
const FOLDS: &str = "folds.csv";
/// Every file at the top of the folder; the only ones that overwriting takes away, besides those of the runs.
const FILES: [&str; 6] = [LIST, BASE, "runs.csv", "results.csv", "results.json", FOLDS];

/// How one of several runs stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Not begun.
    #[default]
    Waiting,
    /// Going on, or killed before it could say otherwise.
    Running,
    /// Done.
    Done,
    /// Stopped by the user or by the time that was given; goes on where it stopped.
    Interrupted,
    /// Stopped at a loss or weight that is not finite.
    Diverged,
    /// An error stopped it, or kept it from beginning.
    Failed,
}

/// One of several runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListedRun {
    /// Its name, which is also its folder's.
    pub name: String,
    /// Runs of one group are repetitions of each other: their figures are averaged.
    pub group: String,
    /// What differs from the base config, as `key=value`.
    pub settings: Vec<String>,
    /// How it stands.
    #[serde(default)]
    pub status: Standing,
    /// Why, in words, where the status needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// All of `runs.json`: what makes the folder resumable. The runs stand in the order in which they are begun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunList {
    /// What the list is made over: `seeds`, `folds`, `seeds-folds`.
    pub kind: String,
    /// Settings of every run that were changed when the folder was resumed, as `key=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The runs.
    pub runs: Vec<ListedRun>,
}

/// The folder on disk. Whoever writes holds its lock until this is dropped; the system frees it on a kill.
#[derive(Debug)]
pub struct RunsDir {
    path: PathBuf,
    _lock: Option<File>,
}

impl RunsDir {
    /// Makes `parent/STEM-NNN` with the next free number; see [`crate::stem`].
    ///
    /// # Errors
    /// [`RecordError::Denied`], [`RecordError::DiskFull`] or [`RecordError::Io`].
    pub fn create(parent: &Path, stem: &str) -> Result<Self> {
        let path = name::create_numbered(parent, stem)?;
        Ok(RunsDir { _lock: lock_file(&path, LOCK)?, path })
    }

    /// Makes the folder that the user named. With [`Existing::Overwrite`] the files of an earlier list go, and those of
    /// its runs; whatever else lies there stays.
    ///
    /// # Errors
    /// [`RecordError::Exists`], [`RecordError::NotRuns`], [`RecordError::InTheWay`] where a file that is no run's lies
    /// in the folder of one, [`RecordError::Busy`], or a refusal of the system.
    pub fn create_at(path: &Path, existing: Existing) -> Result<Self> {
        fs::create_dir_all(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                RecordError::NotRuns { path: path.to_path_buf() }
            }
            _ => RecordError::io(Action::Create, path, e),
        })?;
        check_replaceable(path, existing)?;
        let lock = lock_file(path, LOCK)?;
        // another process may have come first between the check and the lock
        check_replaceable(path, existing)?;
        let folder = RunsDir { path: path.to_path_buf(), _lock: lock };
        if let Ok(list) = folder.list() {
            let mut paths = list.runs.iter().map(|run| folder.run_path(run));
            if let Some(path) = paths.find_map(|path| crate::run_dir::foreign(&path)) {
                return Err(RecordError::InTheWay { path });
            }
        }
        folder.clear()?;
        Ok(folder)
    }

    /// Whether a folder holds several runs.
    pub fn is_at(path: &Path) -> bool {
        path.join(LIST).is_file()
    }

    /// Opens a folder for reading.
    ///
    /// # Errors
    /// [`RecordError::Missing`], [`RecordError::NotRuns`].
    pub fn open(path: &Path) -> Result<Self> {
        match path {
            _ if Self::is_at(path) => Ok(RunsDir { path: path.to_path_buf(), _lock: None }),
            _ if path.is_dir() => Err(RecordError::NotRuns { path: path.to_path_buf() }),
            _ => Err(RecordError::Missing { what: "run folder", path: path.to_path_buf() }),
        }
    }

    /// Opens a folder to go on with it, and takes away what a killed process left half-written.
    ///
    /// # Errors
    /// Those of [`RunsDir::open`], and [`RecordError::Busy`] where another process goes on with it already.
    pub fn resume(path: &Path) -> Result<Self> {
        let folder = Self::open(path)?;
        let lock = lock_file(path, LOCK)?;
        remove_temporaries(path)?;
        Ok(RunsDir { _lock: lock, ..folder })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a run of the list has its own folder.
    pub fn run_path(&self, run: &ListedRun) -> PathBuf {
        self.path.join(&run.name)
    }

    /// The path of the config that the runs have in common.
    pub fn base_path(&self) -> PathBuf {
        self.path.join(BASE)
    }

    /// The config that the runs have in common, as text.
    ///
    /// # Errors
    /// [`RecordError::Missing`] or a refusal of the system.
    pub fn base(&self) -> Result<String> {
        read_text(&self.base_path(), BASE)
    }

    /// The list.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, names a folder outside of this one, or one folder twice.
    pub fn list(&self) -> Result<RunList> {
        let list: RunList = read_json(&self.path.join(LIST), LIST)?;
        self.check_names(&list)?;
        Ok(list)
    }

    /// Every run has a folder of its own within this one.
    fn check_names(&self, list: &RunList) -> Result<()> {
        let mut seen = HashSet::new();
        for name in list.runs.iter().map(|run| &run.name) {
            let (name, path) = (name.clone(), self.path.join(LIST));
            if !name::is_plain(&name) {
                return Err(RecordError::BadRunName { name, path });
            }
            if !seen.insert(name.to_lowercase()) {
                return Err(RecordError::SameRunName { name, path });
            }
        }
        Ok(())
    }

    /// Writes the base config and the list, the list last: with it, the folder is one of several runs.
    ///
    /// # Errors
    /// As for [`write_atomic`], where a run's name is not plain or another's too, and [`RecordError::InTheWay`].
    pub fn begin(&self, base: &str, list: &RunList) -> Result<()> {
        self.check_names(list)?;
        list.runs.iter().try_for_each(|run| self.check_free(run))?;
        write_atomic(&self.base_path(), |w| w.write_all(base.as_bytes()))?;
        self.write_list(list)
    }

    /// Whether a run that has not begun has its folder for itself.
    ///
    /// # Errors
    /// [`RecordError::InTheWay`].
    pub fn check_free(&self, run: &ListedRun) -> Result<()> {
        let path = self.run_path(run);
        let taken =
            |entries: fs::ReadDir| entries.flatten().any(|entry| entry.file_name() != crate::run_dir::LOCK);
        let free = !path.exists() || fs::read_dir(&path).is_ok_and(|entries| !taken(entries));
        if free { Ok(()) } else { Err(RecordError::InTheWay { path }) }
    }

    /// Replaces the list.
    ///
    /// # Errors
    /// As for [`write_atomic`].
    pub fn write_list(&self, list: &RunList) -> Result<()> {
        write_json(&self.path.join(LIST), list)
    }

    /// Replaces `folds.csv`, the table of a cross-validation.
    ///
    /// # Errors
    /// As for [`write_atomic`].
    pub fn write_folds(&self, csv: &str) -> Result<()> {
        write_atomic(&self.path.join(FOLDS), |w| w.write_all(csv.as_bytes()))
    }

    /// Takes the files of an earlier list away, and those of its runs.
    fn clear(&self) -> Result<()> {
        remove_temporaries(&self.path)?;
        if let Ok(list) = self.list() {
            for path in list.runs.iter().map(|run| self.run_path(run)).filter(|path| path.is_dir()) {
                crate::run_dir::remove(&path)?;
            }
        }
        FILES.iter().try_for_each(|file| crate::run_dir::remove_file(&self.path.join(file)))
    }
}

/// Errors unless the folder is empty but for a lock, or holds a list that may be overwritten.
fn check_replaceable(path: &Path, existing: Existing) -> Result<()> {
    let mut entries = fs::read_dir(path).map_err(|e| RecordError::io(Action::Read, path, e))?;
    let empty = entries.all(|entry| entry.is_ok_and(|e| e.file_name() == LOCK));
    let is = |file: &str| path.join(file).is_file();
    let ours = || read_json::<RunList>(&path.join(LIST), LIST).is_ok() || (is(BASE) && is(LOCK));
    match existing {
        _ if empty => Ok(()),
        Existing::Refuse => Err(RecordError::Exists { path: path.to_path_buf() }),
        Existing::Overwrite if ours() => Ok(()),
        Existing::Overwrite => Err(RecordError::NotRuns { path: path.to_path_buf() }),
    }
}
