//! Cross-validation: a run for each part of the data, which is its test part.

use record::{Results, Spread};

use super::plan::{Axis, Variant};
use crate::config::RunConfig;

/// The list's kind.
pub(super) const KIND: &str = "folds";

/// A run for each part, in folders `fold-0`, `fold-1` and so on.
pub(super) fn axis(config: &RunConfig) -> Option<Axis> {
    let variant =
        |fold| Variant { name: format!("fold-{fold}"), settings: vec![format!("data.fold={fold}")] };
    let n = config.data.every_fold()?;
    Some(Axis { name: KIND.into(), repeats: true, variants: (0..n).map(variant).collect() })
}

/// `folds.csv`: a row of test figures for each part, then their mean and deviation.
pub(super) fn to_csv(results: &Results) -> String {
    let all = results.groups.iter().flat_map(|group| &group.figures);
    let figures: Vec<&Spread> = all.filter(|f| f.figure.starts_with("test_")).collect();
    let line = |name: &str, cell: &dyn Fn(&Spread) -> String| {
        let cells: Vec<String> = figures.iter().map(|f| cell(f)).collect();
        format!("{name},{}\n", cells.join(","))
    };
    let mut text = line("fold", &|f| f.figure.clone());
    for (i, run) in results.runs.iter().enumerate() {
        let value = |f: &Spread| run.figures().find(|(name, _)| *name == f.figure).map(|(_, v)| v);
        text += &line(&i.to_string(), &|f| cell(value(f)));
    }
    text += &line("mean", &|f| cell(f.mean));
    text + &line("std", &|f| cell(f.std.or(f.mean.map(|_| 0.0))))
}

/// A figure; empty where it is undefined.
fn cell(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}
