//! One run of a list: begun, gone on with where it was cut short, or left alone where it is done.

use std::sync::atomic::AtomicBool;

use record::{Existing, ListedRun, RunDir, RunsDir, Standing, Status, Summary};

use super::plan::{lay_over, with_settings};
use super::relay::Relay;
use crate::config::RunConfig;
use crate::train::{self, Prepared, TrainError, Trainer};

/// What a member is made from.
pub(super) struct Member<'a> {
    pub folder: &'a RunsDir,
    pub run: &'a ListedRun,
    /// Settings of all runs that were changed when the folder was resumed.
    pub changes: &'a [String],
    /// Settings that hold for this session: threads and time.
    pub session: Vec<String>,
}

impl Member<'_> {
    /// Does what is left of the run.
    pub fn go(&self, relay: &mut Relay, stop: &AtomicBool) -> Result<Summary, TrainError> {
        let path = self.folder.run_path(self.run);
        if self.run.status == Standing::Waiting {
            self.folder.check_free(self.run)?;
        }
        if !path.join("config.toml").exists() {
            return self.begin(relay, stop);
        }
        if let Some(summary) = self.kept()? {
            return Ok(summary);
        }
        let mut words = self.changes.to_vec();
        lay_over(&mut words, &self.session);
        train::resume(&RunDir::resume(&path)?, &words, relay, stop)
    }

    fn begin(&self, relay: &mut Relay, stop: &AtomicBool) -> Result<Summary, TrainError> {
        let path = self.folder.run_path(self.run);
        let lists: [&[String]; 3] = [&self.run.settings, self.changes, &self.session];
        let config = with_settings(&self.folder.base()?, &self.folder.base_path(), &lists)?;
        let trainer = Trainer::new(&config, Prepared::open(&config)?)?;
        // a kill may have left a folder with a lock and nothing else
        let existing = if path.exists() { Existing::Overwrite } else { Existing::Refuse };
        let dir = RunDir::create_at(&path, existing)?;
        train::train_ready(&config, trainer, &dir, relay, stop)
    }

    /// The summary of a run that needs nothing more: it is done with all that the list asks for, or ended by itself.
    pub fn kept(&self) -> Result<Option<Summary>, TrainError> {
        let dir = RunDir::open(&self.folder.run_path(self.run))?;
        let config = RunConfig::from_toml(&dir.config()?, &dir.config_path(), self.changes)?;
        let Ok(summary) = dir.summary() else { return Ok(None) };
        let enough = config.epochs.is_some_and(|e| e <= summary.epochs)
            || config.steps.is_some_and(|s| s <= summary.steps);
        let kept = match summary.status {
            Status::Done => enough,
            Status::Diverged => true,
            Status::Running | Status::Interrupted => false,
        };
        Ok(kept.then_some(summary))
    }
}

/// How the list calls the end of a run.
pub(super) fn standing(summary: &Summary) -> Standing {
    match summary.status {
        Status::Done => Standing::Done,
        Status::Diverged => Standing::Diverged,
        Status::Interrupted | Status::Running => Standing::Interrupted,
    }
}
