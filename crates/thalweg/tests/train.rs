//! Whole runs: the same bits for any number of threads and after any interruption, figures, divergence, parity of
//! allocation and of state.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use record::{Existing, RunDir, Status, Summary};
use thalweg::config::RunConfig;
use thalweg::train::{self, Observer, Progress, Silent, TrainError};

/// A folder of its own, emptied.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn config(words: &[&str]) -> RunConfig {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}"))
}

fn run(name: &str, words: &[&str]) -> Result<Summary, TrainError> {
    let run = RunDir::create_at(&folder(name), Existing::Refuse)?;
    train::train(&config(words), &run, &mut Silent, &AtomicBool::new(false))
}

/// Asks to stop after so many steps.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn on_step(&mut self, progress: &Progress) {
        self.1.store(progress.step >= self.0, Ordering::Relaxed);
    }
}

#[test]
fn digits_are_learnt() {
    let summary = run("digits", &["data=digits"]).unwrap();
    assert_eq!(summary.status, Status::Done);
    let (name, value) = summary.headline().unwrap();
    assert_eq!(name, "test_accuracy");
    assert!(value >= 0.97, "{value}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let words = ["data=digits", "epochs=2", "model.batch_norm=true", "model.dropout=0.2", "clip_norm=1"];
    let digest = |threads: &str| {
        let words: Vec<&str> = words.iter().copied().chain([threads]).collect();
        run(&format!("bits-{threads}"), &words).unwrap().weights_sha256
    };
    let one = digest("threads=1");
    assert_eq!(one, digest("threads=2"));
    assert_eq!(one, digest("threads=3"));
}

#[test]
fn a_run_interrupted_anywhere_is_the_run_that_was_not() {
    let words = [
        "data=digits",
        "epochs=3",
        "model.batch_norm=true",
        "model.dropout=0.1",
        "optimizer=adamw",
        "schedule=cosine",
    ];
    let whole = run("whole", &words).unwrap();
    for after in [1, 7, 20, 21, 41] {
        let folder = folder(&format!("cut-{after}"));
        let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
        let stop = AtomicBool::new(false);
        let cut = train::train(&config(&words), &dir, &mut StopAfter(after, &stop), &stop).unwrap();
        assert_eq!((cut.status, cut.steps), (Status::Interrupted, after));
        drop(dir);
        let dir = RunDir::resume(&folder).unwrap();
        let resumed = train::resume(&dir, &[], &mut Silent, &AtomicBool::new(false)).unwrap();
        assert_eq!(resumed.weights_sha256, whole.weights_sha256, "cut after {after}");
        assert_eq!((&resumed.best, &resumed.last), (&whole.best, &whole.last), "cut after {after}");
    }
}

#[test]
fn a_finished_run_goes_on_with_more_epochs() {
    let words = ["data=digits", "epochs=2"];
    let longer = run("longer", &["data=digits", "epochs=4"]).unwrap();
    let folder = folder("extended");
    let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
    train::train(&config(&words), &dir, &mut Silent, &AtomicBool::new(false)).unwrap();
    drop(dir);
    let dir = RunDir::resume(&folder).unwrap();
    let extended = train::resume(&dir, &["epochs=4".into()], &mut Silent, &AtomicBool::new(false)).unwrap();
    assert_eq!(extended.weights_sha256, longer.weights_sha256);
    let refused =
        train::resume(&dir, &["batch=32".into()], &mut Silent, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(refused.to_string(), "`batch` cannot change when a run is resumed");
}

#[test]
fn divergence_is_named_and_the_good_state_is_kept() {
    let summary =
        run("diverged", &["data=digits", "optimizer=sgd", "lr=1e18", "loss=mse", "model=mlp-32"]).unwrap();
    assert_eq!(summary.status, Status::Diverged);
    let reason = summary.reason.unwrap();
    assert!(reason.contains("at step") && reason.contains("first bad tensor is `"), "{reason}");
}

#[test]
fn what_cannot_work_is_said_before_anything_runs() {
    let text = |words: &[&str]| run("refused", words).map(|_| ()).unwrap_err().to_string();
    assert!(text(&["batch=5000"]).contains("batch"));
    let one = text(&["batch=1", "model.batch_norm=true"]);
    assert!(one.contains("values per channel must be more than 1 in training, got 1"), "{one}");
    let loss = text(&["loss=cross_entropy", "data=two-moons", "data.task=regression"]);
    assert!(!loss.is_empty(), "{loss}");
}
