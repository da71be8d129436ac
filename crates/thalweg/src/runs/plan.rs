//! From a config to a list of named configs: the product of what is varied.

use std::path::Path;

use record::{ListedRun, RunList};

use super::{folds, seeds};
use crate::config::{ConfigError, RunConfig};

/// One thing that is varied, such as the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name in the list's kind: `seeds`.
    pub name: String,
    /// Whether its variants repeat the same experiment, so that figures are averaged over them; else each is a group of
    /// its own.
    pub repeats: bool,
    /// Its values, in order.
    pub variants: Vec<Variant>,
}

/// One value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its part of a run's name, of letters, digits, `_`, `-` and `.`: `seed-3`.
    pub name: String,
    /// What it sets, as `key=value`.
    pub settings: Vec<String>,
}

/// A run to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its name and its folder's, unlike all others.
    pub name: String,
    /// Figures are averaged over the runs of a group.
    pub group: String,
    /// What differs from the base, as `key=value`.
    pub settings: Vec<String>,
}

/// A list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// What it is made over: `seeds`, `folds`, `seeds-folds`.
    pub kind: String,
    /// What the runs have in common.
    pub base: RunConfig,
    /// The runs, in the order in which they begin.
    pub runs: Vec<Planned>,
}

/// The list that a config stands for: one run for each of its `seeds` and each of its folds; none where it is one run.
pub fn plan(config: &RunConfig) -> Option<RunPlan> {
    let axes: Vec<Axis> = [seeds::axis(config), folds::axis(config)].into_iter().flatten().collect();
    (!axes.is_empty()).then(|| RunPlan::over(config, &axes))
}

impl RunPlan {
    /// Every combination of the axes' variants; the last axis changes fastest.
    pub fn over(config: &RunConfig, axes: &[Axis]) -> Self {
        let base = RunConfig { seeds: None, time: None, ..config.clone() };
        let mut runs = vec![Planned { name: String::new(), group: String::new(), settings: Vec::new() }];
        for axis in axes {
            let with = |run: &Planned, variant: &Variant| Planned {
                name: joined(&run.name, &variant.name),
                group: if axis.repeats { run.group.clone() } else { joined(&run.group, &variant.name) },
                settings: run.settings.iter().chain(&variant.settings).cloned().collect(),
            };
            runs = runs.iter().flat_map(|run| axis.variants.iter().map(move |v| with(run, v))).collect();
        }
        for run in runs.iter_mut().filter(|run| run.group.is_empty()) {
            run.group = "all".into();
        }
        let kind = axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join("-");
        RunPlan { kind, base, runs }
    }

    /// The config of each run, complete and checked.
    ///
    /// # Errors
    /// The first setting that is refused.
    pub fn configs(&self) -> Result<Vec<RunConfig>, ConfigError> {
        let base = self.base.to_toml();
        self.runs.iter().map(|run| with_settings(&base, Path::new(""), &[&run.settings])).collect()
    }

    /// The list as the folder has it, with nothing begun.
    pub(super) fn list(&self) -> RunList {
        let listed = |run: &Planned| ListedRun {
            name: run.name.clone(),
            group: run.group.clone(),
            settings: run.settings.clone(),
            ..ListedRun::default()
        };
        RunList { kind: self.kind.clone(), changes: Vec::new(), runs: self.runs.iter().map(listed).collect() }
    }
}

/// The base with settings laid over it, the later list over the earlier one.
pub(super) fn with_settings(
    base: &str,
    path: &Path,
    settings: &[&[String]],
) -> Result<RunConfig, ConfigError> {
    let mut words = Vec::new();
    settings.iter().for_each(|more| lay_over(&mut words, more));
    RunConfig::from_toml(base, path, &words)
}

/// Adds words; those with the key of earlier ones take their place.
pub(super) fn lay_over(words: &mut Vec<String>, more: &[String]) {
    fn key(word: &str) -> &str {
        word.split('=').next().unwrap_or_default()
    }
    words.retain(|old| more.iter().all(|word| key(old) != key(word)));
    words.extend_from_slice(more);
}

fn joined(a: &str, b: &str) -> String {
    if a.is_empty() { b.into() } else { format!("{a}-{b}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(words: &[&str]) -> RunConfig {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        RunConfig::load(None, &words).unwrap()
    }

    fn names(plan: &RunPlan) -> Vec<(&str, &str)> {
        plan.runs.iter().map(|r| (r.name.as_str(), r.group.as_str())).collect()
    }

    #[test]
    fn one_run_is_no_list() {
        assert_eq!(plan(&config(&[])), None);
        assert_eq!(plan(&config(&["data.folds=3", "data.fold=1"])), None);
    }

    #[test]
    fn seeds_and_folds_multiply_and_are_one_group() {
        let plan = plan(&config(&["seeds=[5,7]", "data.folds=2", "lr=0.02", "time=10m"])).unwrap();
        assert_eq!(plan.kind, "seeds-folds");
        let all = "all";
        assert_eq!(
            names(&plan),
            [("seed-5-fold-0", all), ("seed-5-fold-1", all), ("seed-7-fold-0", all), ("seed-7-fold-1", all)]
        );
        let configs = plan.configs().unwrap();
        assert_eq!((configs[2].seed, configs[2].data.fold, configs[2].data.folds), (7, Some(0), Some(2)));
        assert!(configs.iter().all(|c| c.seeds.is_none() && c.time.is_none()));
        assert_eq!(configs[0], RunConfig { seed: 5, ..configs[2].clone() });
    }

    #[test]
    fn what_does_not_repeat_is_a_group_of_its_own() {
        let variant = |name: &str, word: &str| Variant { name: name.into(), settings: vec![word.into()] };
        let rates = Axis {
            name: "sweep".into(),
            repeats: false,
            variants: vec![variant("lr-0.1", "lr=0.1"), variant("lr-1", "lr=1")],
        };
        let base = config(&["seeds=2", "optimizer=sgd"]);
        let plan = RunPlan::over(&base, &[rates.clone(), seeds::axis(&base).unwrap()]);
        let groups = [("lr-0.1-seed-0", "lr-0.1"), ("lr-0.1-seed-1", "lr-0.1")];
        assert_eq!(names(&plan)[..2], groups);
        assert_eq!(names(&plan)[3], ("lr-1-seed-1", "lr-1"));
        let mut last = plan.configs().unwrap().pop().unwrap();
        assert_eq!((*last.optimizer.lr_mut(), last.seed), (1.0, 1));
        let wrong = Axis { variants: vec![variant("x", "lr=-1")], ..rates };
        assert!(RunPlan::over(&base, &[wrong]).configs().unwrap_err().to_string().contains("lr"));
    }

    #[test]
    fn later_words_take_the_place_of_earlier_ones() {
        let mut words = vec!["epochs=3".to_owned(), "threads=1".to_owned()];
        lay_over(&mut words, &["epochs=5".to_owned()]);
        assert_eq!(words, ["threads=1", "epochs=5"]);
        lay_over(&mut words, &["top_k=1".to_owned(), "top_k=5".to_owned()]);
        assert_eq!(words, ["threads=1", "epochs=5", "top_k=1", "top_k=5"], "a list may come in parts");
    }
}
