//! `thalweg train`: trains a model, and leaves a run folder with everything about it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use record::{Action, Existing, RecordError, RunDir, Status, Summary};
use report::terminal;
use serde_json::json;
use thalweg::config::RunConfig;
use thalweg::train::{self, Prepared, Trainer};

use crate::args::ConfigArgs;
use crate::failure::{FAILED, Failure};
use crate::progress::Watch;
use crate::stop::{self, INTERRUPTED};
use crate::ui::Ui;

/// Train a model; what `thalweg` does where no verb is given
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    from: ConfigArgs,

    /// The run folder to make; else a new one in `runs`
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Take away the run that the folder holds
    #[arg(long, requires = "run_dir")]
    overwrite: bool,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let config = RunConfig::load(args.from.config.as_deref(), &args.from.settings)?;
    let stop = stop::watch();
    if config.data.every_fold().is_some() {
        return every_fold(ui, &args, &config);
    }
    let trainer = Trainer::new(&config, Prepared::open(&config)?)?;
    let dir = make_dir(&args, &config)?;
    let mut watch = Watch::new(ui, stop);
    let done = train::train_ready(&config, trainer, &dir, &mut watch, stop);
    drop(watch);
    finish(ui, &dir, &done.map_err(|e| Failure::of_run(e, &dir))?)
}

/// One run for each fold, and the mean of their figures.
fn every_fold(ui: &Ui, args: &Args, config: &RunConfig) -> Result<(), Failure> {
    // finds what is wrong with data and model before a folder is made
    Trainer::new(config, Prepared::open(config)?)?;
    let stop = stop::watch();
    let existing = if args.overwrite { Existing::Overwrite } else { Existing::Refuse };
    let parent = match &args.run_dir {
        Some(path) => path.clone(),
        None => free_folder(&format!("{}-folds", stem(config)))?,
    };
    let mut watch = Watch::new(ui, stop);
    let folds = train::cross_validate(config, &parent, existing, &mut watch, stop, |dir| {
        dir.write_report(&report::report_html(&dir.load()?))
    })?;
    drop(watch);
    if let Some((i, last)) =
        folds.runs.iter().enumerate().next_back().filter(|(_, s)| s.status != Status::Done)
    {
        return ended(&RunDir::open(&parent.join(format!("fold-{i}")))?, last, None);
    }
    let figures = folds.figures();
    let n = folds.runs.len();
    for (name, mean, std) in &figures {
        ui.print(&format!("{:<16} {mean:.4} ± {std:.4} over {n} folds\n", name.replace('_', " ")));
    }
    ui.print(&format!("  {}\n", parent.join("folds.csv").display()));
    let by_name = |value: fn(&(String, f64, f64)) -> f64| {
        figures.iter().map(|f| (f.0.clone(), json!(value(f)))).collect::<serde_json::Map<_, _>>()
    };
    ui.result(json!({ "folds": n, "mean": by_name(|f| f.1), "std": by_name(|f| f.2), "run_dir": parent }));
    Ok(())
}

/// Makes the first of `runs/STEM-001`, `-002` and so on that is not there; two processes never get the same.
fn free_folder(stem: &str) -> Result<PathBuf, RecordError> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(|e| RecordError::io(Action::Create, runs, e))?;
    let mut number = 1;
    loop {
        let path = runs.join(format!("{stem}-{number:03}"));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(RecordError::io(Action::Create, &path, e)),
        }
    }
}

fn stem(config: &RunConfig) -> String {
    match &config.name {
        Some(name) => record::stem("", name),
        None => record::stem(&config.data.source, &config.model.to_string()),
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
    if let Status::Done | Status::Running = summary.status {
        ui.result(result);
        return Ok(());
    }
    ended(dir, summary, Some(result))
}

/// The failure that a run's end is, where it is one.
fn ended(dir: &RunDir, summary: &Summary, result: Option<serde_json::Value>) -> Result<(), Failure> {
    match summary.status {
        Status::Done | Status::Running => Ok(()),
        Status::Interrupted => {
            let message = format!("interrupted at step {}; the state is saved", summary.steps);
            let hint = format!("go on with it: `thalweg resume {}`", dir.path().display());
            Err(Failure { exit: INTERRUPTED, message, hint: Some(hint), result })
        }
        Status::Diverged => {
            let message = summary.reason.clone().unwrap_or_else(|| "the run diverged".into());
            let mut config = RunConfig::from_toml(&dir.config()?, &dir.config_path(), &[])?;
            let lr = *config.optimizer.lr_mut();
            let (less, now) = (typed(lr / 10.0), typed(lr));
            let hint = format!("try `lr={less}` (now {now}) or `clip_norm=1`; the last good state is kept");
            Err(Failure { exit: FAILED, message, hint: Some(hint), result })
        }
    }
}

/// A number as one types it, in two digits.
fn typed(x: f64) -> String {
    let x: f64 = format!("{x:.1e}").parse().unwrap_or(x);
    if (1e-4..1e5).contains(&x) { x.to_string() } else { format!("{x:e}") }
}
