//! `thalweg train`: trains a model, and leaves a run folder with everything about it.

use std::path::{Path, PathBuf};

use record::{Existing, RunDir, RunsDir, Status, Summary};
use report::terminal;
use serde_json::json;
use thalweg::config::RunConfig;
use thalweg::runs;
use thalweg::train::{self, Prepared, Trainer};

use crate::args::ConfigArgs;
use crate::diverged;
use crate::failure::{FAILED, Failure};
use crate::progress::Watch;
use crate::several::{self, How, Jobs};
use crate::stop::{self, INTERRUPTED};
use crate::ui::Ui;

/// Train a model; `thalweg` without a verb does the same
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    from: ConfigArgs,

    /// The run folder to create; by default a new one in `runs`
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Delete the run that is in the folder
    #[arg(long, requires = "run_dir")]
    overwrite: bool,

    #[command(flatten)]
    jobs: Jobs,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    if let Some(run) = args.from.run_folder() {
        let hint = format!(
            "continue it with `thalweg resume {run}`, or start over with its settings: `thalweg train {run}/config.toml`"
        );
        return Err(Failure::wrong("cli.train-on-a-run", format!("this is already a run: {run}"), hint));
    }
    let config = args.from.load([])?;
    let stop = stop::watch();
    if let Some(plan) = runs::plan(&config) {
        let existing = if args.overwrite { Existing::Overwrite } else { Existing::Refuse };
        let stem = format!("{}-{}", stem(&config), plan.kind);
        let folder = || match &args.run_dir {
            Some(path) => RunsDir::create_at(path, existing),
            None => RunsDir::create(Path::new("runs"), &stem),
        };
        let (jobs, time) = (args.jobs.of_several(), config.time.map(|time| time.0));
        return several::start(ui, &plan, folder, How { jobs, time, stop });
    }
    args.jobs.check_of_one()?;
    let trainer = Trainer::new(&config, Prepared::open(&config)?)?;
    let dir = make_dir(&args, &config)?;
    let mut watch = Watch::new(ui, stop);
    let done = train::train_ready(&config, trainer, &dir, &mut watch, stop);
    drop(watch);
    finish(ui, &dir, &done.map_err(|e| Failure::of_run(e, &dir))?)
}

fn stem(config: &RunConfig) -> String {
    match &config.name {
        Some(name) => record::stem("", name, &[]),
        None => record::stem(&config.data.source, &config.model.to_string(), &config.told()),
    }
}

fn make_dir(args: &Args, config: &RunConfig) -> Result<RunDir, Failure> {
    let existing = if args.overwrite { Existing::Overwrite } else { Existing::Refuse };
    if let Some(path) = &args.run_dir {
        return Ok(RunDir::create_at(path, existing)?);
    }
    Ok(RunDir::create(Path::new("runs"), &stem(config))?)
}

/// Writes the report, tells how it went and what to do next.
pub fn finish(ui: &Ui, dir: &RunDir, summary: &Summary) -> Result<(), Failure> {
    let record = dir.load()?;
    dir.write_report(&report::report_html(&record)).map_err(|e| Failure::of_run(e, dir))?;
    if !ui.is_quiet() {
        ui.picture(|color| {
            let color = if color { terminal::Color::On } else { terminal::Color::Off };
            terminal::summary(&record, ui.width(), color)
        });
        ui.print(&format!("  {}\n", dir.report_path().display()));
    }
    let mut result = serde_json::to_value(summary).unwrap_or_default();
    if let Some(map) = result.as_object_mut() {
        map.insert("run_dir".into(), json!(dir.path()));
        map.insert("report".into(), json!(dir.report_path()));
    }
    // what was asked for: no longer than this
    let bounded = summary.status == Status::Interrupted && summary.reason.is_some();
    if bounded {
        let go_on = format!("`thalweg resume {}`", dir.path().display());
        ui.warn(&format!(
            "the time limit was reached at step {}; the state is saved. Continue with {go_on}",
            summary.steps
        ));
    }
    if bounded || matches!(summary.status, Status::Done | Status::Running) {
        ui.result(result);
        return Ok(());
    }
    ended(dir, summary, result)
}

/// The failure that a run's end is, where it is one.
fn ended(dir: &RunDir, summary: &Summary, result: serde_json::Value) -> Result<(), Failure> {
    let result = Some(result);
    match summary.status {
        Status::Done | Status::Running => Ok(()),
        Status::Interrupted => {
            let message = format!("interrupted at step {}; the state is saved", summary.steps);
            let hint = format!("continue it with `thalweg resume {}`", dir.path().display());
            let id = "cli.interrupted".into();
            Err(Failure { exit: INTERRUPTED, id, message, hint: Some(hint), result })
        }
        Status::Diverged => {
            let message = summary.reason.clone().unwrap_or_else(|| "the run diverged".into());
            let config = RunConfig::from_toml(&dir.config()?, &dir.config_path(), &[])?;
            let hint = diverged::hint(config);
            let id = "cli.diverged".into();
            Err(Failure { exit: FAILED, id, message, hint: Some(hint), result })
        }
    }
}
