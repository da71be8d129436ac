//! `thalweg resume`: goes on with a run, exactly as if it had never stopped.

use std::path::PathBuf;

use record::{RunDir, RunsDir, Status, Summary};
use thalweg::config::RunConfig;
use thalweg::train;

use super::train::finish;
use crate::failure::Failure;
use crate::progress::Watch;
use crate::several::{self, How, Jobs};
use crate::stop;
use crate::ui::Ui;

/// Continue an interrupted run, or train a finished one for longer: `thalweg resume RUN epochs=100`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder, or a folder of several runs
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Settings to change, such as `epochs=100`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    #[command(flatten)]
    jobs: Jobs,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let stop = stop::watch();
    if RunsDir::is_at(&args.run) {
        let folder = RunsDir::resume(&args.run)?;
        let (time, changes) = several::session(&args.settings)?;
        return several::resume(ui, &folder, &changes, How { jobs: args.jobs.of_several(), time, stop });
    }
    args.jobs.check_of_one()?;
    let dir = RunDir::resume(&args.run)?;
    let (old, new) = configs(&dir, &args.settings)?;
    let changed = train::changes(&old, &new)?;
    if let Some(done) = already_done(&dir, &new, &args.settings)? {
        ui.say(&nothing_left(&done, &changed));
        return finish(ui, &dir, &done);
    }
    let mut watch = Watch::new(ui, stop);
    let summary = train::resume(&dir, &args.settings, &mut watch, stop);
    drop(watch);
    finish(ui, &dir, &summary.map_err(|e| Failure::of_run(e, &dir))?)
}

/// The run's settings as they are, and as they are to be.
fn configs(dir: &RunDir, settings: &[String]) -> Result<(RunConfig, RunConfig), Failure> {
    let (text, path) = (dir.config()?, dir.config_path());
    Ok((RunConfig::from_toml(&text, &path, &[])?, RunConfig::from_toml(&text, &path, settings)?))
}

/// What is said where no step follows, with the settings that would have changed something.
fn nothing_left(done: &Summary, changed: &[String]) -> String {
    let mut text = format!("nothing is left to do: {} epochs, {} steps", done.epochs, done.steps);
    if !changed.is_empty() {
        text += &format!("; {}", several::no_effect(changed));
    }
    text
}

/// The summary of a run that has done all that it is asked for.
fn already_done(dir: &RunDir, config: &RunConfig, settings: &[String]) -> Result<Option<Summary>, Failure> {
    let Ok(summary) = dir.summary() else { return Ok(None) };
    let enough = config.epochs.is_some_and(|e| e <= summary.epochs)
        || config.steps.is_some_and(|s| s <= summary.steps);
    if summary.status != Status::Done || !enough {
        return Ok(None);
    }
    let asked = |key: &str| settings.iter().any(|word| word.starts_with(&format!("{key}=")));
    if asked("epochs") || asked("steps") {
        let message =
            format!("the run has already done {} epochs and {} steps", summary.epochs, summary.steps);
        let more = match config.steps {
            Some(_) => format!("steps={}", 2 * summary.steps.max(1)),
            None => format!("epochs={}", 2 * summary.epochs.max(1)),
        };
        let hint = format!("ask for more: `thalweg resume {} {more}`", dir.path().display());
        return Err(Failure::wrong("cli.resume-behind", message, hint));
    }
    Ok(Some(summary))
}
