//! Cross-validation: a run for each part of the data, which is its test part, and the mean of their figures.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use record::{Existing, RecordError, RunDir, Status, Summary};

use super::error::TrainError;
use super::observe::Observer;
use super::run::train;
use crate::config::RunConfig;

/// What came of every part.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    /// the runs, in order; fewer than asked for where one was interrupted or diverged
    pub runs: Vec<Summary>,
}

impl Folds {
    /// Name, mean and sample standard deviation of every test figure of the best checkpoints.
    pub fn figures(&self) -> Vec<(String, f64, f64)> {
        let figures = |run: &Summary| run.best.clone().unwrap_or_default().metrics;
        let Some(first) = self.runs.first().map(figures) else { return Vec::new() };
        let names = first.iter().map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("test_"));
        let spread = |name: String| {
            let values: Vec<f64> = self.runs.iter().filter_map(|run| figures(run).get(&name)).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            (name, mean, (squares / (n - 1.0).max(1.0)).sqrt())
        };
        names.map(spread).collect()
    }

    /// A row for each part and the mean, as CSV.
    pub fn to_csv(&self) -> String {
        let figures = self.figures();
        let names: Vec<&str> = figures.iter().map(|(name, ..)| name.as_str()).collect();
        let mut text = format!("fold,{}\n", names.join(","));
        for (i, run) in self.runs.iter().enumerate() {
            let best = run.best.clone().unwrap_or_default().metrics;
            let row: Vec<String> =
                names.iter().map(|n| best.get(n).map_or(String::new(), |v| v.to_string())).collect();
            text += &format!("{i},{}\n", row.join(","));
        }
        let column =
            |f: fn(&(String, f64, f64)) -> f64| figures.iter().map(|x| f(x).to_string()).collect::<Vec<_>>();
        text += &format!("mean,{}\n", column(|x| x.1).join(","));
        text + &format!("std,{}\n", column(|x| x.2).join(","))
    }
}

/// Trains with each part as the test part, in run folders `fold-0`, `fold-1` and so on of `parent`, and writes their
/// figures to `folds.csv` there. `done` is told of every run that ended.
///
/// # Errors
/// As for [`train`].
pub fn cross_validate(
    config: &RunConfig,
    parent: &Path,
    existing: Existing,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
    mut done: impl FnMut(&RunDir) -> Result<(), RecordError>,
) -> Result<Folds, TrainError> {
    let mut folds = Folds::default();
    for fold in 0..config.data.folds.unwrap_or(1) {
        let mut own = config.clone();
        own.data.fold = Some(fold);
        let dir = RunDir::create_at(&parent.join(format!("fold-{fold}")), existing)?;
        let summary = train(&own, &dir, observer, stop)?;
        done(&dir)?;
        let went = summary.status;
        folds.runs.push(summary);
        if went != Status::Done {
            return Ok(folds);
        }
    }
    record::write_atomic(&parent.join("folds.csv"), |w| w.write_all(folds.to_csv().as_bytes()))?;
    Ok(folds)
}
