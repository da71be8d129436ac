//! Several runs as one command: how many at once, what is told while they go on, and what came of them together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use record::{Group, RecordError, Results, RunDir, RunResult, RunsDir, Standing};
use serde_json::{Map, Value, json};
use thalweg::config::RunConfig;
use thalweg::runs::{self, RunPlan};
use thalweg::train::{Prepared, TrainError, Trainer};

use crate::failure::{FAILED, Failure};
use crate::hint;
use crate::stop::INTERRUPTED;
use crate::table::{Side, figure, table};
use crate::ui::Ui;
use crate::watch_runs::WatchRuns;

/// How many runs at once.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Jobs {
    /// Of several runs, how many to train at a time (1); together their threads match the cores
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// Runs at once, where there are several.
    pub fn of_several(self) -> usize {
        self.jobs.map_or(1, usize::from)
    }

    /// Refuses more than one at once where there is one run only.
    pub fn check_of_one(self) -> Result<(), Failure> {
        match self.jobs {
            None | Some(1) => Ok(()),
            Some(n) => Err(Failure::wrong(
                "cli.jobs-of-one",
                format!("`-j {n}` is for several runs, but this is one run"),
                "leave it out, or ask for several runs: `seeds=3`, `data.folds=5`",
            )),
        }
    }
}

/// How a list is trained.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub jobs: usize,
    pub time: Option<Duration>,
    pub stop: &'static AtomicBool,
}

/// Trains a list in a new folder.
pub fn start(
    ui: &Ui,
    plan: &RunPlan,
    folder: impl FnOnce() -> Result<RunsDir, RecordError>,
    how: How,
) -> Result<(), Failure> {
    // finds what is wrong with data and model before a folder is made; seeds of one fold have the same data
    let mut seen: Vec<RunConfig> = Vec::new();
    for config in plan.configs()? {
        let alike = RunConfig { seed: 0, ..config.clone() };
        if !seen.contains(&alike) {
            Trainer::new(&config, Prepared::open(&config)?)?;
            seen.push(alike);
        }
    }
    let folder = folder()?;
    go(ui, &folder, how, |how, watch| runs::start(plan, &folder, how, watch))
}

/// Goes on with the list of a folder.
pub fn resume(ui: &Ui, folder: &RunsDir, changes: &[String], how: How) -> Result<(), Failure> {
    let idle = runs::without_effect(folder, changes)?;
    // what has no effect is not kept for a later time
    let changes = if idle.is_empty() { changes } else { &[] };
    go(ui, folder, how, |how, watch| runs::resume(folder, changes, how, watch))?;
    if !idle.is_empty() {
        ui.say(&format!("nothing is left to do; {}", no_effect(&idle)));
    }
    Ok(())
}

/// What is said of settings that change nothing.
pub fn no_effect(keys: &[String]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let verb = if keys.len() == 1 { "has" } else { "have" };
    format!("without further steps, {} {verb} no effect", names.join(", "))
}

/// The time that a list's settings give to this session, and the settings that the list is to keep.
pub fn session(settings: &[String]) -> Result<(Option<Duration>, Vec<String>), Failure> {
    let (own, kept): (Vec<String>, Vec<String>) =
        settings.iter().cloned().partition(|word| word.starts_with("time="));
    let config = RunConfig::load(None, &own)?;
    Ok((config.time.map(|time| time.0), kept))
}

fn go(
    ui: &Ui,
    folder: &RunsDir,
    how: How,
    work: impl FnOnce(&runs::How<'_>, &mut WatchRuns<'_>) -> Result<Results, TrainError>,
) -> Result<(), Failure> {
    let report = |dir: &RunDir| dir.write_report(&report::report_html(&dir.load()?));
    let mut watch = WatchRuns::new(ui, how.stop);
    let stop = how.stop;
    let how = runs::How { jobs: how.jobs, time: how.time, stop, finish: &report, hint: hint::of_train };
    let done = work(&how, &mut watch);
    drop(watch);
    finish(ui, folder, &done?, stop.load(Ordering::Relaxed))
}

/// Shows what came of a list, and what to do about what is left.
fn finish(ui: &Ui, folder: &RunsDir, results: &Results, stopped: bool) -> Result<(), Failure> {
    ui.print(&shown(results));
    ui.print(&format!("  {}\n", folder.path().join("results.csv").display()));
    results.runs.iter().for_each(|run| ui.event("run", run_fields(folder, run)));
    let result = result(folder, results);
    let left: Vec<&str> = results.left().map(|r| r.run.name.as_str()).collect();
    let go_on = format!("`thalweg resume {}`", folder.path().display());
    let (n, of) = (results.done().count(), results.runs.len());
    let broken: Vec<&RunResult> = results.broken().collect();
    for r in &broken {
        let reason = r.run.reason.as_deref().unwrap_or("no reason known");
        ui.warn(&format!("{} {}: {reason}", r.run.name, r.run.status.word()));
    }
    if !left.is_empty() && stopped {
        let message = format!("interrupted after {n} of {of} runs; still to do: {}", named(&left));
        let hint = Some(format!("continue them with {go_on}"));
        let id = "cli.interrupted".into();
        return Err(Failure { exit: INTERRUPTED, id, message, hint, result: Some(result) });
    }
    if !left.is_empty() {
        ui.warn(&format!(
            "the time limit was reached after {n} of {of} runs; still to do: {}. Continue with {go_on}",
            named(&left)
        ));
    }
    if let Some(first) = broken.first() {
        let message = format!("{} of {of} runs did not finish", broken.len());
        let hint = first
            .run
            .hint
            .clone()
            .or_else(|| Some(format!("look at {}", folder.run_path(&first.run).display())));
        let id = "cli.runs-failed".into();
        return Err(Failure { exit: FAILED, id, message, hint, result: Some(result) });
    }
    ui.result(result);
    Ok(())
}

/// Some names, where there are many.
fn named(names: &[&str]) -> String {
    const MOST: usize = 12;
    match names.len() {
        n if n > MOST => format!("{} and {} more", names[..MOST].join(", "), n - MOST),
        _ => names.join(", "),
    }
}

/// A row for each run, then mean and deviation of each group.
fn shown(results: &Results) -> String {
    let names = chosen(results);
    let mut head = vec!["run".to_owned()];
    head.extend(names.iter().map(|name| name.replace('_', " ")));
    let mut rows = vec![head];
    for r in &results.runs {
        let mut row = vec![r.run.name.clone()];
        match r.run.status {
            Standing::Done => row.extend(names.iter().map(|name| {
                r.figures().find(|(n, _)| n == name).map_or("–".into(), |(n, value)| figure(n, value))
            })),
            other => row.push(other.word().to_owned()),
        }
        rows.push(row);
    }
    let sides: Vec<Side> = std::iter::once(Side::Left).chain(names.iter().map(|_| Side::Right)).collect();
    let text = table(&rows, &sides, usize::MAX);
    results.groups.iter().fold(text + "\n", |text, group| text + &spread(results, group, &names))
}

/// The figures to show: of the test part, else of the validation part, else all.
fn chosen(results: &Results) -> Vec<String> {
    let all = || results.groups.iter().flat_map(|g| &g.figures).map(|f| f.figure.clone());
    let of = |part: &str| all().filter(|name| name.starts_with(part)).collect::<Vec<_>>();
    let mut names =
        [of("test_"), of("valid_"), of("")].into_iter().find(|n| !n.is_empty()).unwrap_or_default();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    names
}

fn spread(results: &Results, group: &Group, names: &[String]) -> String {
    let what = match results.kind.as_str() {
        kind @ ("folds" | "seeds") => kind,
        _ => "runs",
    };
    let name = if results.groups.len() > 1 { format!("{}: ", group.group) } else { String::new() };
    let line = |f: &record::Spread| {
        let [mean, std] = [f.mean, f.std].map(|x| x.map_or("–".into(), |x| format!("{x:.4}")));
        format!("{name}{:<16} {mean} ± {std} over {} {what}\n", f.figure.replace('_', " "), f.n)
    };
    group.figures.iter().filter(|f| names.contains(&f.figure)).map(line).collect()
}

/// A run as JSON, with its folder.
fn run_fields(folder: &RunsDir, run: &RunResult) -> Value {
    let mut fields = run.to_json();
    fields["run_dir"] = json!(folder.run_path(&run.run));
    fields
}

fn result(folder: &RunsDir, results: &Results) -> Value {
    let groups: Vec<Value> = results.groups.iter().map(Group::to_json).collect();
    let of =
        |runs: &mut dyn Iterator<Item = &RunResult>| runs.map(|r| r.run.name.clone()).collect::<Vec<_>>();
    let mut out = Map::new();
    let n = results.runs.len();
    out.insert("kind".into(), json!(results.kind));
    out.insert("runs".into(), json!(n));
    out.insert("done".into(), json!(results.done().count()));
    out.insert("failed".into(), json!(of(&mut results.broken())));
    out.insert("left".into(), json!(of(&mut results.left())));
    if results.kind == "folds" {
        out.insert("folds".into(), json!(n));
    }
    if let [group] = groups.as_slice() {
        out.insert("mean".into(), group["mean"].clone());
        out.insert("std".into(), group["std"].clone());
    }
    out.insert("groups".into(), json!(groups));
    out.insert("run_dir".into(), json!(folder.path()));
    Value::Object(out)
}
