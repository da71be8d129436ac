//! The run folder: made once, never overwritten unasked, locked by whoever writes, readable by everyone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::{is_temporary, remove_temporaries, write_atomic};
use crate::calibration::Calibration;
use crate::error::{Action, RecordError, Result};
use crate::evaluation::Evaluation;
use crate::explanation::Explanation;
use crate::log::LogWriter;
use crate::metrics::MetricsTable;
use crate::metrics_file::MetricsWriter;
use crate::name;
use crate::open::append;
use crate::runs_dir::RunsDir;
use crate::summary::Summary;

const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.csv";
const SUMMARY: &str = "summary.json";
const EVALUATION: &str = "evaluation.json";
const EXPLANATION: &str = "explanation.json";
const CALIBRATION: &str = "calibration.json";
const LOG: &str = "log.txt";
const REPORT: &str = "report.html";
pub(crate) const LOCK: &str = ".lock";
const CHECKPOINTS: &str = "checkpoints";
const WEIGHTS: &str = "weights.safetensors";
/// Every file that a run writes at the top of its folder; the only ones that overwriting takes away.
const FILES: [&str; 10] =
    [CONFIG, METRICS, SUMMARY, EVALUATION, EXPLANATION, CALIBRATION, LOG, REPORT, WEIGHTS, LOCK];

/// What to do where the user named a folder that holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// [`RecordError::Exists`].
    Refuse,
    /// Take the earlier run's files away; other files stay, and a folder that is not a run is refused.
    Overwrite,
}

/// A run folder on disk. Whoever writes holds its lock until this is dropped; the system frees it on a kill.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    lock: Option<File>,
    /// Whether the folder was not there before.
    made: bool,
}

/// Everything that a report, a comparison or a table is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunRecord {
    /// The folder's own name.
    pub name: String,
    /// The folder as it was given, for commands to type.
    pub folder: String,
    /// The resolved config as text.
    pub config: String,
    /// How the run went.
    pub summary: Summary,
    /// One row per epoch.
    pub metrics: MetricsTable,
    /// What the model gets right and wrong, once that was measured.
    pub evaluation: Option<Evaluation>,
    /// Which columns matter, once that was asked for.
    pub explanation: Option<Explanation>,
}

impl RunDir {
    /// Makes `parent/STEM-NNN` with the next free number; see [`crate::stem`]. Two processes never get the same folder.
    ///
    /// # Errors
    /// [`RecordError::Denied`], [`RecordError::DiskFull`] or [`RecordError::Io`].
    pub fn create(parent: &Path, stem: &str) -> Result<Self> {
        let path = name::create_numbered(parent, stem)?;
        let run = RunDir { path, lock: None, made: true };
        let lock = run.or_withdrawn(lock_file(&run.path, LOCK))?;
        RunDir { lock, ..run }.prepare()
    }

    /// Makes the folder that the user named. An empty one is used as it is.
    ///
    /// # Errors
    /// [`RecordError::Exists`], [`RecordError::NotARun`], [`RecordError::Busy`], or a refusal of the system.
    pub fn create_at(path: &Path, existing: Existing) -> Result<Self> {
        let made = !path.exists();
        fs::create_dir_all(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                RecordError::NotARun { path: path.to_path_buf() }
            }
            _ => RecordError::io(Action::Create, path, e),
        })?;
        check_replaceable(path, existing)?;
        let run = RunDir { path: path.to_path_buf(), lock: None, made };
        let lock = run.or_withdrawn(lock_file(path, LOCK))?;
        // Another process may have come first between the check and the lock.
        check_replaceable(path, existing)?;
        clear(path)?;
        RunDir { lock, ..run }.prepare()
    }

    /// Opens a run for reading: one that is going on, finished, interrupted, or came from elsewhere.
    ///
    /// # Errors
    /// [`RecordError::Missing`], [`RecordError::NotARun`], [`RecordError::SeveralRuns`].
    pub fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Err(RecordError::Missing { what: "run folder", path: path.to_path_buf() });
        }
        if let Some(first) = several(path) {
            return Err(RecordError::SeveralRuns { first, path: path.to_path_buf() });
        }
        if !looks_like_a_run(path) {
            return Err(RecordError::NotARun { path: path.to_path_buf() });
        }
        Ok(RunDir { path: path.to_path_buf(), lock: None, made: false })
    }

    /// Opens a run to go on with it, and takes away what a killed process left half-written.
    ///
    /// # Errors
    /// Those of [`RunDir::open`], and [`RecordError::Busy`] where another process goes on with it already.
    pub fn resume(path: &Path) -> Result<Self> {
        let run = Self::open(path)?;
        let lock = lock_file(path, LOCK)?;
        remove_temporaries(path)?;
        remove_temporaries(&run.checkpoints())?;
        Ok(RunDir { lock, ..run })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        let whole = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        whole.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// True while some process holds this run's lock. `Running` without it means killed.
    pub fn is_live(&self) -> bool {
        let Ok(file) = File::open(self.path.join(LOCK)) else { return false };
        self.lock.is_some() || matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// The folder of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// Where the weights with the best validation metric go.
    pub fn best_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("best.safetensors")
    }

    /// Where the last state goes.
    pub fn last_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("last.safetensors")
    }

    /// Lets the last state stay under the number of its step, and takes the oldest of such states away, so that at most
    /// `most` stay; all where that is none.
    ///
    /// # Errors
    /// When a file cannot be written or taken away.
    pub fn keep_last(&self, step: u64, most: Option<u64>) -> Result<()> {
        if most == Some(0) {
            return Ok(());
        }
        let (last, kept) =
            (self.last_checkpoint(), self.checkpoints().join(format!("step-{step:08}.safetensors")));
        remove_file(&kept)?;
        // the last one is never written to again but replaced; where there are no links, a copy is as good
        if fs::hard_link(&last, &kept).is_err() {
            let bytes = fs::read(&last).map_err(|e| RecordError::io(Action::Read, &last, e))?;
            write_atomic(&kept, |w| w.write_all(&bytes))?;
        }
        let all = self.kept_checkpoints();
        let spare = most.map_or(0, |most| all.len().saturating_sub(most as usize));
        all[..spare].iter().try_for_each(|path| remove_file(path))
    }

    /// The states that stayed under the numbers of their steps, the oldest first.
    pub fn kept_checkpoints(&self) -> Vec<PathBuf> {
        let step = |path: &PathBuf| {
            let name = path.file_name()?.to_str()?;
            name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse::<u64>().ok()
        };
        let entries = fs::read_dir(self.checkpoints()).into_iter().flatten().flatten();
        let mut found: Vec<(u64, PathBuf)> =
            entries.map(|entry| entry.path()).filter_map(|path| Some((step(&path)?, path))).collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Where the report goes.
    pub fn report_path(&self) -> PathBuf {
        self.path.join(REPORT)
    }

    /// The resolved config's path.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The path of the table of metrics.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// Replaces `config.toml`. Errors as in [`write_atomic`], here and below.
    ///
    /// A run that cannot even write its config is none: what was made for it is taken away, so that the same command
    /// finds the place as it was.
    pub fn write_config(&self, text: &str) -> Result<()> {
        let written = write_atomic(&self.config_path(), |w| w.write_all(text.as_bytes()));
        if self.config_path().exists() { written } else { self.or_withdrawn(written) }
    }

    /// Replaces `summary.json`.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        self.write_json(SUMMARY, summary)
    }

    /// Replaces `evaluation.json`.
    pub fn write_evaluation(&self, evaluation: &Evaluation) -> Result<()> {
        // what was explained and calibrated before was of other weights
        remove_file(&self.path.join(EXPLANATION))?;
        remove_file(&self.calibration_path())?;
        self.write_json(EVALUATION, evaluation)
    }

    /// Replaces `explanation.json`.
    pub fn write_explanation(&self, explanation: &Explanation) -> Result<()> {
        self.write_json(EXPLANATION, explanation)
    }

    /// Where temperature and threshold stand.
    pub fn calibration_path(&self) -> PathBuf {
        self.path.join(CALIBRATION)
    }

    /// Replaces `calibration.json`.
    pub fn write_calibration(&self, calibration: &Calibration) -> Result<()> {
        self.write_json(CALIBRATION, calibration)
    }

    /// Temperature and threshold, where they were asked for.
    pub fn calibration(&self) -> Result<Option<Calibration>> {
        match read_json(&self.calibration_path(), CALIBRATION) {
            Err(RecordError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Replaces `report.html`.
    pub fn write_report(&self, html: &str) -> Result<()> {
        write_atomic(&self.report_path(), |w| w.write_all(html.as_bytes()))
    }

    /// The writer of `metrics.csv`, and the rows kept; rows after `step` are dropped. 0 starts afresh.
    pub fn metrics_writer(&self, step: u64) -> Result<(MetricsWriter, MetricsTable)> {
        MetricsWriter::resume(&self.metrics_path(), step)
    }

    /// The writer of `log.txt`; `before` is the time that earlier parts of the run took.
    pub fn log_writer(&self, before: Duration) -> Result<LogWriter> {
        LogWriter::open(&self.path.join(LOG), before)
    }

    /// The resolved config as text.
    pub fn config(&self) -> Result<String> {
        read_text(&self.config_path(), CONFIG)
    }

    /// How the run stands.
    pub fn summary(&self) -> Result<Summary> {
        read_json(&self.path.join(SUMMARY), SUMMARY)
    }

    /// The rows written so far.
    pub fn metrics(&self) -> Result<MetricsTable> {
        MetricsTable::read(&self.metrics_path())
    }

    /// The evaluation, where there is one.
    pub fn evaluation(&self) -> Result<Option<Evaluation>> {
        match read_json(&self.path.join(EVALUATION), EVALUATION) {
            Err(RecordError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Which columns matter, where that was asked for.
    pub fn explanation(&self) -> Result<Option<Explanation>> {
        match read_json(&self.path.join(EXPLANATION), EXPLANATION) {
            Err(RecordError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// All of the above.
    pub fn load(&self) -> Result<RunRecord> {
        Ok(RunRecord {
            name: self.name(),
            folder: self.path.to_string_lossy().into_owned(),
            config: self.config()?,
            summary: self.summary()?,
            metrics: self.metrics()?,
            evaluation: self.evaluation()?,
            explanation: self.explanation()?,
        })
    }

    fn prepare(self) -> Result<Self> {
        let folder = self.checkpoints();
        let made = fs::create_dir_all(&folder).map_err(|e| RecordError::io(Action::Create, &folder, e));
        self.or_withdrawn(made).map(|()| self)
    }

    /// A step of a run's beginning; one that failed leaves nothing behind, unless the place is another process's.
    fn or_withdrawn<T>(&self, done: Result<T>) -> Result<T> {
        if done.as_ref().is_err_and(|error| !matches!(error, RecordError::Busy { .. })) {
            self.withdraw();
        }
        done
    }

    /// Takes away what was made for a run that did not begin; whatever else the folder holds stays, with the lock by
    /// which it can be overwritten. The error before this is the one to tell.
    fn withdraw(&self) {
        let _ = fs::remove_dir(self.checkpoints());
        let only_lock = |mut entries: fs::ReadDir| entries.all(|e| e.is_ok_and(|e| e.file_name() == LOCK));
        if fs::read_dir(&self.path).is_ok_and(only_lock) {
            let _ = fs::remove_file(self.path.join(LOCK));
            if self.made {
                let _ = fs::remove_dir(&self.path);
            }
        }
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        write_json(&self.path.join(name), value)
    }
}

/// Replaces a file by a value as JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_atomic(path, |mut w| {
        serde_json::to_writer_pretty(&mut w, value)?;
        w.write_all(b"\n")
    })
}

/// The first run of a folder that holds several.
fn several(path: &Path) -> Option<PathBuf> {
    let folder = RunsDir::open(path).ok()?;
    let first = folder.list().ok().and_then(|list| list.runs.first().map(|run| folder.run_path(run)));
    Some(first.unwrap_or_else(|| path.join("RUN")))
}

/// A file's text; `what` is its name in messages.
pub(crate) fn read_text(path: &Path, what: &'static str) -> Result<String> {
    fs::read_to_string(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => RecordError::Missing { what, path: path.to_path_buf() },
        _ => RecordError::io(Action::Read, path, e),
    })
}

/// A value from a JSON file; damage is told with its place.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T> {
    let text = read_text(path, what)?;
    serde_json::from_str(&text).map_err(|e| {
        let place = format!(" at line {} column {}", e.line(), e.column());
        let problem = e.to_string().replace(&place, "");
        RecordError::Json { path: path.to_path_buf(), line: e.line(), column: e.column(), problem }
    })
}

/// Errors unless the folder is empty but for a lock, or holds a run that may be overwritten.
fn check_replaceable(path: &Path, existing: Existing) -> Result<()> {
    let mut entries = fs::read_dir(path).map_err(|e| RecordError::io(Action::Read, path, e))?;
    let empty = entries.all(|entry| entry.is_ok_and(|e| e.file_name() == LOCK));
    match existing {
        _ if empty => Ok(()),
        Existing::Refuse => Err(RecordError::Exists { path: path.to_path_buf() }),
        Existing::Overwrite if looks_like_a_run(path) => Ok(()),
        Existing::Overwrite => Err(RecordError::NotARun { path: path.to_path_buf() }),
    }
}

fn looks_like_a_run(path: &Path) -> bool {
    [CONFIG, METRICS, SUMMARY, LOCK].iter().any(|f| path.join(f).is_file())
}

/// Takes an earlier run's files away, and nothing else.
fn clear(path: &Path) -> Result<()> {
    let run = RunDir { path: path.to_path_buf(), lock: None, made: false };
    remove_temporaries(path)?;
    remove_temporaries(&run.checkpoints())?;
    let files = FILES.iter().filter(|f| **f != LOCK).map(|f| path.join(f));
    let checkpoints =
        run.kept_checkpoints().into_iter().chain([run.best_checkpoint(), run.last_checkpoint()]);
    for file in files.chain(checkpoints) {
        remove_file(&file)?;
    }
    Ok(())
}

/// Takes a run away that nobody writes to, and its folder unless that holds more.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let _lock = lock_file(path, LOCK)?;
    clear(path)?;
    remove_file(&path.join(LOCK))?;
    // what is not empty holds files that are not ours
    let _ = fs::remove_dir(path.join(CHECKPOINTS));
    let _ = fs::remove_dir(path);
    Ok(())
}

/// The first thing in a run's folder that no run has put there.
pub(crate) fn foreign(path: &Path) -> Option<PathBuf> {
    let ours = |entry: &PathBuf| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        name == CHECKPOINTS || FILES.contains(&&*name) || is_temporary(&name)
    };
    fs::read_dir(path).ok()?.flatten().map(|entry| entry.path()).find(|entry| !ours(entry))
}

/// Takes a file away, if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(RecordError::io(Action::Remove, path, e)),
        _ => Ok(()),
    }
}

/// The lock of a folder, or none on a file system that has no locks.
pub(crate) fn lock_file(path: &Path, name: &str) -> Result<Option<File>> {
    let file = path.join(name);
    let lock = append(&file).map_err(|e| RecordError::io(Action::Write, &file, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.to_path_buf() }),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a run's beginning leaves on a full disk.
    #[test]
    fn a_run_that_did_not_begin_leaves_the_place_as_it_was() {
        let parent = std::env::temp_dir().join(format!("thalweg-withdrawn-{}", std::process::id()));
        let full = || -> Result<()> {
            let error = io::ErrorKind::StorageFull.into();
            Err(RecordError::io(Action::Write, Path::new("config.toml"), error))
        };
        let numbered = RunDir::create(&parent, "r").unwrap();
        numbered.or_withdrawn(full()).unwrap_err();
        assert!(!numbered.path().exists());

        let named = parent.join("named");
        RunDir::create_at(&named, Existing::Refuse).unwrap().or_withdrawn(full()).unwrap_err();
        assert!(!named.exists());
        fs::create_dir(&named).unwrap();
        RunDir::create_at(&named, Existing::Refuse).unwrap().or_withdrawn(full()).unwrap_err();
        assert_eq!(fs::read_dir(&named).unwrap().count(), 0);

        let run = RunDir::create_at(&named, Existing::Refuse).unwrap();
        run.write_config("first").unwrap();
        fs::write(named.join("notes.txt"), "keep").unwrap();
        drop(run);
        RunDir::create_at(&named, Existing::Overwrite).unwrap().or_withdrawn(full()).unwrap_err();
        assert!(named.join("notes.txt").exists());
        RunDir::create_at(&named, Existing::Overwrite).unwrap();
        fs::remove_dir_all(&parent).unwrap();
    }
}
