//! Trains a list: some runs at once, the list kept on disk, one run's failure not that of the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use record::{ListedRun, RecordError, Results, RunDir, RunList, RunsDir, Standing};

use super::folds;
use super::member::{Member, standing};
use super::plan::{RunPlan, lay_over, with_settings};
use super::relay::{Event, Relay, Watch};
use crate::config::RunConfig;
use crate::train::{TrainError, changes as changed_keys, check_same_data};

/// Room for the stack of a run's thread: that of a program's main thread.
const STACK_BYTES: usize = 8 << 20;

/// How a list is trained. None of it changes a number.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// Runs at once; 1. Their threads are cut so that all of them together fit the cores.
    pub jobs: usize,
    /// When to stop: no run begins after that, and those that go on stop with a checkpoint; never.
    pub time: Option<Duration>,
    /// Ends every run after the step at hand, with a checkpoint, when it is set.
    pub stop: &'a AtomicBool,
    /// Is called with the folder of every run that ended, in that run's thread; for what is made from records.
    pub finish: &'a (dyn Fn(&RunDir) -> Result<(), RecordError> + Sync),
    /// What the list notes as the hint of a run that failed; [`TrainError::hint`].
    pub hint: fn(&TrainError) -> Option<String>,
}

impl<'a> How<'a> {
    /// One run at a time, without end.
    pub fn new(stop: &'a AtomicBool) -> Self {
        How { jobs: 1, time: None, stop, finish: &|_| Ok(()), hint: TrainError::hint }
    }
}

impl std::fmt::Debug for How<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("How").field("jobs", &self.jobs).field("time", &self.time).finish_non_exhaustive()
    }
}

/// Trains a list in a fresh folder, and writes what came of it.
///
/// A run that fails is told in the results with its reason, and the others go on.
///
/// # Errors
/// When a config of the list is refused, or the folder cannot be written.
pub fn start(
    plan: &RunPlan,
    folder: &RunsDir,
    how: &How<'_>,
    watch: &mut dyn Watch,
) -> Result<Results, TrainError> {
    plan.configs()?;
    let list = plan.list();
    folder.begin(&plan.base.anywhere().to_toml(), &list)?;
    go(folder, list, how, watch)
}

/// Goes on with a folder: runs that are done are kept, one that was cut short goes on exactly, the rest begin.
///
/// `changes` may be to `epochs`, `steps`, `threads`, `eval_batch` and `save`, for every run; runs that are done go on where
/// they ask for more. Runs that failed are tried again, runs that diverged are not.
///
/// # Errors
/// When another setting would change, a run is further than it is to go, the data are others than when the list
/// began, or the folder cannot be read or written.
pub fn resume(
    folder: &RunsDir,
    changes: &[String],
    how: &How<'_>,
    watch: &mut dyn Watch,
) -> Result<Results, TrainError> {
    let (list, _) = changed(folder, changes)?;
    if list.runs.iter().any(|run| run.status == Standing::Waiting) {
        check_data(folder, &list)?;
    }
    folder.write_list(&list)?;
    go(folder, list, how, watch)
}

/// Settings that were asked for and change nothing, since every run has done all that the list asks for.
///
/// # Errors
/// As for [`resume`].
pub fn without_effect(folder: &RunsDir, changes: &[String]) -> Result<Vec<String>, TrainError> {
    let (list, keys) = changed(folder, changes)?;
    for run in &list.runs {
        let member = Member { folder, run, changes: &list.changes, session: Vec::new() };
        let ended = matches!(run.status, Standing::Done | Standing::Diverged);
        if !ended || member.kept()?.is_none() {
            return Ok(Vec::new());
        }
    }
    Ok(keys)
}

/// The list of a folder with changed settings laid over those of before, and the keys in which that differs.
fn changed(folder: &RunsDir, changes: &[String]) -> Result<(RunList, Vec<String>), TrainError> {
    let mut list = folder.list()?;
    let (base, path) = (folder.base()?, folder.base_path());
    let before = with_settings(&base, &path, &[&list.changes])?;
    lay_over(&mut list.changes, changes);
    let after = with_settings(&base, &path, &[&list.changes])?;
    let keys = changed_keys(&before, &after)?;
    // the best weights of runs that are done were chosen by another figure
    if let Some(key) = keys.iter().find(|key| *key == "save.best") {
        return Err(TrainError::Changed { key: key.clone() });
    }
    if keys.iter().any(|key| key == "epochs" || key == "steps") {
        check_ahead(folder, &list, &after)?;
    }
    Ok((list, keys))
}

/// No run may have more behind it than all are to do: their figures would not be of the same training.
fn check_ahead(folder: &RunsDir, list: &RunList, after: &RunConfig) -> Result<(), TrainError> {
    for run in &list.runs {
        let Ok(summary) = RunDir::open(&folder.run_path(run)).and_then(|dir| dir.summary()) else { continue };
        let (epochs, steps) = (summary.epochs, summary.steps);
        if after.epochs.is_some_and(|most| most < epochs) || after.steps.is_some_and(|most| most < steps) {
            return Err(TrainError::Ahead { run: run.name.clone(), epochs, steps });
        }
    }
    Ok(())
}

/// Runs that have not begun must read the data that the others have read.
fn check_data(folder: &RunsDir, list: &RunList) -> Result<(), TrainError> {
    let begun = list.runs.iter().filter_map(|run| RunDir::open(&folder.run_path(run)).ok());
    match begun.into_iter().find(|dir| dir.last_checkpoint().exists()) {
        Some(dir) => check_same_data(&dir),
        None => Ok(()),
    }
}

fn go(folder: &RunsDir, list: RunList, how: &How<'_>, watch: &mut dyn Watch) -> Result<Results, TrainError> {
    let names: Vec<String> = list.runs.iter().map(|run| run.name.clone()).collect();
    let jobs = how.jobs.clamp(1, names.len().max(1));
    let base = with_settings(&folder.base()?, &folder.base_path(), &[&list.changes])?;
    watch.on_list(names.len(), list.runs.iter().filter(|run| run.status == Standing::Done).count());
    let until = how.time.map(|time| Instant::now() + time);
    let threads = threads(&base, jobs);
    let work = Work {
        folder,
        how,
        until,
        threads,
        list: Mutex::new(list),
        next: Mutex::new(0),
        broken: Mutex::new(None),
    };
    std::thread::scope(|scope| {
        let (to, from) = channel();
        for _ in 0..jobs {
            let (work, to) = (&work, to.clone());
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES).name("run".into());
            // where the system refuses more threads, those there are do the work
            if thread.spawn_scoped(scope, move || work.serve(&to)).is_err() {
                break;
            }
        }
        drop(to);
        from.into_iter().for_each(|(run, event)| event.tell(&names[run], watch));
    });
    if let Some(error) = locked(&work.broken).take() {
        return Err(error);
    }
    let results = Results::read(folder)?;
    results.write(folder)?;
    if results.kind == folds::KIND && results.done().count() == results.runs.len() {
        folder.write_folds(&folds::to_csv(&results))?;
    }
    Ok(results)
}

/// Threads of each run: as the config says, or where not all cores are its own, at most that.
fn threads(base: &RunConfig, jobs: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if jobs > 1 { base.n_threads().min(cores / jobs).max(1) } else { base.threads }
}

/// What the threads share.
struct Work<'a> {
    folder: &'a RunsDir,
    how: &'a How<'a>,
    until: Option<Instant>,
    threads: usize,
    list: Mutex<RunList>,
    /// The next run to look at.
    next: Mutex<usize>,
    /// Why the folder could not be kept.
    broken: Mutex<Option<TrainError>>,
}

impl Work<'_> {
    /// Takes one run after the other.
    fn serve(&self, to: &Sender<(usize, Event)>) {
        while let Some(run) = self.take() {
            if let Err(error) = self.one(run, to) {
                locked(&self.broken).get_or_insert(error);
                return;
            }
        }
    }

    /// The next run, unless it is time to stop.
    fn take(&self) -> Option<usize> {
        let late = self.until.is_some_and(|until| Instant::now() >= until);
        if late || self.how.stop.load(Ordering::Relaxed) || locked(&self.broken).is_some() {
            return None;
        }
        let mut next = locked(&self.next);
        let run = *next;
        *next += 1;
        (run < locked(&self.list).runs.len()).then_some(run)
    }

    /// Does a run and notes its end. Errors only where the list cannot be written: those of the run are noted.
    fn one(&self, run: usize, to: &Sender<(usize, Event)>) -> Result<(), TrainError> {
        let (listed, changes) = {
            let list = locked(&self.list);
            (list.runs[run].clone(), list.changes.clone())
        };
        let member = Member { folder: self.folder, run: &listed, changes: &changes, session: self.session() };
        let ended = matches!(listed.status, Standing::Done | Standing::Diverged);
        if ended && matches!(member.kept(), Ok(Some(_))) {
            return Ok(());
        }
        self.note(run, |listed| {
            listed.status = Standing::Running;
            (listed.reason, listed.hint) = (None, None);
        })?;
        let mut relay = Relay { run, to: to.clone(), told: None };
        let done = member.go(&mut relay, self.how.stop).and_then(|summary| {
            (self.how.finish)(&RunDir::open(&self.folder.run_path(&listed))?)?;
            Ok(summary)
        });
        let after = self.note(run, |listed| match &done {
            Ok(summary) => {
                listed.status = standing(summary);
                listed.reason = summary.reason.clone();
            }
            Err(error) => {
                listed.status = Standing::Failed;
                (listed.reason, listed.hint) = (Some(error.to_string()), (self.how.hint)(error));
            }
        })?;
        relay.say(Event::End(Box::new((after, done.ok()))));
        Ok(())
    }

    /// Changes a run of the list, on disk too.
    fn note(&self, run: usize, change: impl FnOnce(&mut ListedRun)) -> Result<ListedRun, TrainError> {
        let mut list = locked(&self.list);
        change(&mut list.runs[run]);
        self.folder.write_list(&list)?;
        Ok(list.runs[run].clone())
    }

    /// What holds for this session only.
    fn session(&self) -> Vec<String> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let time = left.map(|left| format!("time={}ms", left.as_millis().max(1)));
        std::iter::once(format!("threads={}", self.threads)).chain(time).collect()
    }
}

/// A thread that panicked left a value that is whole.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
