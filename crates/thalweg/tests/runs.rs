//! A list of configs of one's own: groups, members that fail, and going on.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use record::{Results, RunsDir, Standing};
use thalweg::config::RunConfig;
use thalweg::runs::{self, Axis, How, RunPlan, Unwatched, Variant};

static GO: AtomicBool = AtomicBool::new(false);

fn folder(name: &str) -> (PathBuf, RunsDir) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("runs").join(name);
    let _ = std::fs::remove_dir_all(&path);
    let folder = RunsDir::create_at(&path, record::Existing::Refuse).unwrap();
    (path, folder)
}

fn config(words: &[&str]) -> RunConfig {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    RunConfig::load(None, &words).unwrap()
}

fn axis(repeats: bool, variants: &[(&str, &str)]) -> Axis {
    let variants = variants
        .iter()
        .map(|(name, word)| Variant { name: (*name).into(), settings: vec![(*word).into()] })
        .collect();
    Axis { name: "own".into(), repeats, variants }
}

fn standings(results: &Results) -> Vec<(&str, Standing)> {
    results.runs.iter().map(|r| (r.run.name.as_str(), r.run.status)).collect()
}

#[test]
fn groups_have_their_own_means_and_failures_their_own_reasons() {
    let base = config(&["data=two-moons", "model=mlp-8", "epochs=2", "optimizer=sgd"]);
    let rates = axis(false, &[("mild", "lr=0.1"), ("wild", "lr=1e30"), ("lost", "data.source=no/such.csv")]);
    let seeds = axis(true, &[("a", "seed=1"), ("b", "seed=2")]);
    let (path, folder) = folder("groups");
    let plan = RunPlan::over(&base, &[rates, seeds]);
    let results = runs::start(&plan, &folder, &How { jobs: 3, ..How::new(&GO) }, &mut Unwatched).unwrap();
    use Standing::{Diverged, Done, Failed};
    assert_eq!(
        standings(&results),
        [
            ("mild-a", Done),
            ("mild-b", Done),
            ("wild-a", Diverged),
            ("wild-b", Diverged),
            ("lost-a", Failed),
            ("lost-b", Failed)
        ]
    );
    assert_eq!(
        results.groups.iter().map(|g| (g.group.as_str(), g.n)).collect::<Vec<_>>(),
        [("mild", 2), ("wild", 0), ("lost", 0)]
    );
    let reason = |i: usize| results.runs[i].run.reason.clone().unwrap();
    assert!(reason(2).contains("NaN") || reason(2).contains("inf"), "{}", reason(2));
    assert!(reason(4).contains("no/such.csv"), "{}", reason(4));

    // what is measured by hand from the runs' own figures
    let value = |i: usize| results.runs[i].figures().find(|(n, _)| *n == "test_loss").unwrap().1;
    let (a, b) = (value(0), value(1));
    let spread = results.groups[0].figures.iter().find(|f| f.figure == "test_loss").unwrap();
    assert_eq!((spread.n, spread.mean), (2, Some((a + b) / 2.0)));
    assert!((spread.std.unwrap() - (a - b).abs() / 2f64.sqrt()).abs() < 1e-12 && a != b);

    // nothing changes what is done or diverged; what failed is tried again
    let before = std::fs::metadata(path.join("mild-a/summary.json")).unwrap().modified().unwrap();
    drop(folder);
    let again = runs::resume(&RunsDir::resume(&path).unwrap(), &[], &How::new(&GO), &mut Unwatched).unwrap();
    assert_eq!(standings(&again), standings(&results));
    assert_eq!(std::fs::metadata(path.join("mild-a/summary.json")).unwrap().modified().unwrap(), before);
    assert_eq!(again.groups_csv(), results.groups_csv());
}

#[test]
fn no_more_threads_than_cores_and_the_same_numbers() {
    let base = config(&["data=two-moons", "model=mlp-8", "epochs=2", "seeds=2"]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let trained = |jobs: usize| {
        let (_, folder) = folder(&format!("threads-{jobs}"));
        let plan = runs::plan(&base).unwrap();
        runs::start(&plan, &folder, &How { jobs, ..How::new(&GO) }, &mut Unwatched).unwrap()
    };
    let (one, two) = (trained(1), trained(2));
    for results in [&one, &two] {
        assert!(results.runs.iter().all(|r| r.run.status == Standing::Done), "{results:?}");
    }
    let threads =
        |r: &Results| r.runs.iter().map(|r| r.summary.as_ref().unwrap().threads).collect::<Vec<_>>();
    assert_eq!(threads(&one), [cores.min(8); 2]);
    assert_eq!(threads(&two), [(cores / 2).clamp(1, 8); 2]);
    let hashes = |r: &Results| {
        r.runs.iter().map(|r| r.summary.as_ref().unwrap().weights_sha256.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&one), hashes(&two));
    assert_ne!(hashes(&one)[0], hashes(&one)[1]);
}

#[test]
fn a_list_with_a_wrong_setting_does_not_begin() {
    let (path, folder) = folder("wrong");
    let plan = RunPlan::over(&config(&[]), &[axis(false, &[("a", "lr=0.1"), ("b", "batch=0")])]);
    let error = runs::start(&plan, &folder, &How::new(&GO), &mut Unwatched).unwrap_err();
    assert!(error.to_string().contains("`batch`"), "{error}");
    assert!(!path.join("runs.json").exists());
}

#[test]
fn runs_without_a_folder_of_their_own_do_not_begin() {
    let (path, folder) = folder("names");
    let says = |axes: &[Axis]| {
        let error = runs::start(&RunPlan::over(&config(&[]), axes), &folder, &How::new(&GO), &mut Unwatched);
        error.unwrap_err().to_string()
    };
    let twice = says(&[
        axis(false, &[("a", "lr=0.1"), ("a-b", "lr=0.2")]),
        axis(false, &[("b-c", "batch=8"), ("c", "batch=16")]),
    ]);
    assert!(twice.starts_with("two runs are named `a-b-c`"), "{twice}");
    let outside = says(&[axis(false, &[("../x", "lr=0.1")])]);
    assert!(outside.starts_with("run name `../x` is not made of letters"), "{outside}");
    assert!(!path.join("runs.json").exists() && !path.join("../x").exists());
}
