//! What goes wrong around a run: damaged checkpoints, a kill before the first checkpoint, numbers that are not finite;
//! and losses with weights and smoothing against those computed by hand.

#![allow(clippy::result_large_err, reason = "tests only")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use record::{Existing, RunDir, Status, Summary};
use thalweg::config::RunConfig;
use thalweg::optim::{AverageConfig, Ema, Recipe, Sam, WrapConfig, Wrappers};
use thalweg::schedule::RunLength;
use thalweg::train::{self, Checkpoint, Prepared, Silent, TrainError, Trainer};

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults").join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn config(words: &[&str]) -> RunConfig {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}\nhint: {}", e.hint()))
}

fn trainer(words: &[&str]) -> Trainer {
    let config = config(words);
    Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap()
}

fn run_in(folder: &Path, words: &[&str]) -> Result<Summary, TrainError> {
    let dir = RunDir::create_at(folder, Existing::Refuse)?;
    train::train(&config(words), &dir, &mut Silent, &AtomicBool::new(false))
}

fn resume_in(folder: &Path, words: &[&str]) -> Result<Summary, TrainError> {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    train::resume(&RunDir::resume(folder)?, &words, &mut Silent, &AtomicBool::new(false))
}

const SMALL: [&str; 4] = ["data=two-moons", "model=mlp-8", "model.batch_norm=true", "epochs=2"];

/// Where the header of a file of weights ends.
fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

/// Reads a checkpoint in every way that a user can.
fn read(path: &Path) -> Result<(), TrainError> {
    let checkpoint = Checkpoint::open(path)?;
    let model = checkpoint.model()?;
    checkpoint.weights(&model)?;
    checkpoint.state(&model)?;
    Ok(())
}

#[test]
fn a_truncated_checkpoint_is_an_error() {
    let folder = folder("truncated");
    run_in(&folder, &SMALL).unwrap();
    let path = folder.join("checkpoints/last.safetensors");
    read(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let lengths = (0..bytes.len()).step_by(97).chain((0..64).map(|n| bytes.len() - 1 - n));
    for len in lengths {
        std::fs::write(&path, &bytes[..len]).unwrap();
        let error = read(&path).expect_err(&format!("{len} of {} bytes", bytes.len()));
        assert!(error.to_string().contains("last.safetensors") && error.hint().is_some(), "{error}");
        let error = resume_in(&folder, &["epochs=3"]).unwrap_err();
        assert!(matches!(error, TrainError::Weights(_)), "{error}");
    }
}

/// A flipped bit in the header is an error or changes nothing but a name, a number or a word; it is never a panic.
#[test]
fn a_flipped_bit_is_never_a_panic() {
    let folder = folder("flipped");
    run_in(&folder, &SMALL).unwrap();
    let path = folder.join("checkpoints/last.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let header = header_end(&bytes);
    let mut errors = 0;
    for bit in (0..8 * header).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &damaged).unwrap();
        if let Err(error) = read(&path) {
            errors += 1;
            // a model that is not what it was may still be one that does not build, which names the layer
            let named =
                error.to_string().contains("last.safetensors") || matches!(error, TrainError::Model(_));
            assert!(named && error.hint().is_some(), "{error}");
        }
    }
    assert!(errors > header, "{errors} errors in {header} bytes");
    for bit in (8 * header..8 * bytes.len()).step_by(40_009) {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &damaged).unwrap();
        let error = read(&path).expect_err("a flipped bit of a tensor").to_string();
        assert!(error.contains("SHA-256"), "{error}");
    }
}

/// The digest is that of the tensors: what stands beside them is checked for itself.
#[test]
fn preprocessing_that_does_not_fit_is_an_error() {
    let folder = folder("reading");
    run_in(&folder, &SMALL).unwrap();
    let path = folder.join("checkpoints/best.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let header = header_end(&bytes);
    let text = std::str::from_utf8(&bytes[8..header]).unwrap();
    let at = text.find(r#"\"scale\":["#).unwrap() + r#"\"scale\":["#.len();
    let end = at + text[at..].find(']').unwrap();
    for numbers in ["", "1.0,1.0,1.0,1.0,1.0"] {
        let text = format!("{}{numbers}{}", &text[..at], &text[end..]);
        let damaged = [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &bytes[header..]].concat();
        std::fs::write(&path, damaged).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("preprocessing of") && error.hint().is_some(), "{error}");
    }
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again() {
    let whole = run_in(&folder("unkilled"), &SMALL).unwrap();
    let folder = folder("killed");
    let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
    dir.write_config(&config(&SMALL).to_toml()).unwrap();
    drop(dir);
    let resumed = resume_in(&folder, &[]).unwrap();
    assert_eq!((resumed.status, resumed.steps), (Status::Done, whole.steps));
    assert_eq!(resumed.weights_sha256, whole.weights_sha256);
}

#[test]
fn a_parameter_that_is_not_finite_is_named() {
    for name in ["0.weight", "0.bias", "2.weight", "2.bias"] {
        let mut trainer = trainer(&["data=digits", "model=mlp-16"]);
        trainer.step().unwrap();
        let slot = trainer.session.model.params().find(name).unwrap().clone();
        // an infinite weight may give −∞, which relu takes to 0: such a step goes well, and saving finds it
        let bad = if name.starts_with('0') { &[f32::NAN][..] } else { &[f32::NAN, f32::INFINITY] };
        for &bad in bad {
            let good = trainer.state.params[slot.offset];
            trainer.state.params[slot.range()][0] = bad;
            let before = trainer.state.clone();
            assert!(trainer.step().is_err(), "{name} is {bad}, and the step went well");
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(
                bits(&before.params),
                bits(&trainer.state.params),
                "{name}: the failed step changed weights"
            );
            let blamed = trainer.blame().unwrap();
            assert!(blamed.contains(&format!("`{name}`, which holds {bad}")), "{blamed}");
            trainer.state.params[slot.offset] = good;
        }
    }
}

/// The last update makes weights that are not finite: the run did not end well, and no checkpoint holds them.
#[test]
fn weights_that_the_last_update_spoilt_are_never_saved() {
    let folder = folder("spoilt");
    let words =
        ["data=digits", "model=mlp-16", "optimizer=sgd", "optimizer.weight_decay=1", "lr=3e38", "steps=1"];
    let summary = run_in(&folder, &words).unwrap();
    assert_eq!(summary.status, Status::Diverged, "{:?}", summary.reason);
    let reason = summary.reason.unwrap();
    assert!(reason.starts_with("weights are not finite after step 1; first bad tensor is `"), "{reason}");
    let kept = std::fs::read_dir(folder.join("checkpoints")).unwrap().count();
    assert_eq!(kept, 0, "the only weights besides the start are not finite, and are kept");
}

/// Cross entropy by its definition (PyTorch's), in f64.
fn by_hand(outputs: &[f32], labels: &[f32], smoothing: f64, weights: &[f64]) -> f64 {
    let k = weights.len();
    let (mut sum, mut divisor) = (0.0, 0.0);
    for (row, label) in outputs.chunks_exact(k).zip(labels) {
        let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let log_sum = row.iter().map(|x| x.exp()).sum::<f64>().ln();
        for (class, x) in row.iter().enumerate() {
            let target = smoothing / k as f64 + if class == *label as usize { 1.0 - smoothing } else { 0.0 };
            sum -= weights[class] * target * (x - log_sum);
        }
        divisor += weights[*label as usize];
    }
    sum / divisor
}

#[test]
fn weighted_and_smoothed_losses_are_those_by_hand() {
    let whole = [
        "data=two-moons",
        "data.valid=0",
        "data.test=0",
        "shuffle=false",
        "model=mlp-8",
        "loss=cross_entropy",
    ];
    let n = Prepared::open(&config(&whole)).unwrap().set.len();
    let batch = format!("batch={n}");
    for (words, smoothing, weights) in [
        (&["loss.smoothing=0.2"][..], 0.2, [1.0, 1.0]),
        (&["loss.class_weights=[0.5,3]"], 0.0, [0.5, 3.0]),
        (&["loss.class_weights=[0.5,3]", "loss.smoothing=0.3"], 0.3, [0.5, 3.0]),
    ] {
        let mut trainer = trainer(&[&whole[..], &[&batch], words].concat());
        let measured = trainer.measure(thalweg::train::Split::Train, None, true).unwrap();
        let expected = by_hand(&measured.outputs, &measured.targets, smoothing, &weights);
        let evaluated = measured.metrics.get("train_loss").unwrap();
        let trained = f64::from(trainer.step().unwrap());
        for (what, got) in [("measured", evaluated), ("trained", trained)] {
            assert!((got - expected).abs() <= 1e-6 * expected, "{words:?}: {what} {got}, by hand {expected}");
        }
    }
}

/// n / (K·n_class): 30 samples of one class and 10 of the other weigh 2/3 and 2.
#[test]
fn balanced_weights_are_those_by_hand() {
    let folder = folder("balanced");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("classes.csv");
    let row = |i: usize| {
        format!(
            "{},{},{}\n",
            i as f64 * 0.1,
            (i * 7 % 11) as f64,
            if i.is_multiple_of(4) { "rare" } else { "usual" }
        )
    };
    let text: String = std::iter::once("a,b,class\n".to_owned()).chain((0..40).map(row)).collect();
    std::fs::write(&path, text).unwrap();
    let data = format!("data={}", path.display());
    let words = [
        &data,
        "data.valid=0",
        "data.test=0",
        "model=mlp-8",
        "batch=40",
        "loss=cross_entropy",
        "loss.class_weights=balanced",
    ];
    let mut trainer = trainer(&words);
    let measured = trainer.measure(thalweg::train::Split::Train, None, true).unwrap();
    let n_first = measured.targets.iter().filter(|y| **y == 0.0).count();
    let weights = if n_first == 10 { [2.0, 2.0 / 3.0] } else { [2.0 / 3.0, 2.0] };
    let expected = by_hand(&measured.outputs, &measured.targets, 0.0, &weights);
    for got in [measured.metrics.get("train_loss").unwrap(), f64::from(trainer.step().unwrap())] {
        assert!((got - expected).abs() <= 1e-6 * expected, "{got}, by hand {expected}");
    }
}

/// Replaces a number in the counters of a checkpoint, at the first or the last key of that name.
fn with_counter(path: &Path, key: &str, first: bool, value: &str) {
    let bytes = std::fs::read(path).unwrap();
    let end = header_end(&bytes);
    let mut header = String::from_utf8(bytes[8..end].to_vec()).unwrap();
    let state = header.find("thalweg.state").unwrap();
    let key = format!(r#"\"{key}\":"#);
    let found = if first { header[state..].find(&key) } else { header[state..].rfind(&key) };
    let start = state + found.unwrap() + key.len();
    let len = header[start..].find([',', '}']).unwrap();
    header.replace_range(start..start + len, value);
    let header = format!("{header:<0$}", header.len().next_multiple_of(8));
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length[..], header.as_bytes(), &bytes[end..]].concat()).unwrap();
}

/// Times that are none and counts that would overflow, which a damaged checkpoint may hold, are told.
#[test]
fn counters_that_cannot_be_are_an_error() {
    let folder = folder("counters");
    run_in(&folder, &SMALL).unwrap();
    let path = folder.join("checkpoints/last.safetensors");
    let good = std::fs::read(&path).unwrap();
    let most = u64::MAX.to_string();
    for (key, first, value) in [
        ("seconds", false, "-1"),
        ("seconds", false, "1e300"),
        ("samples", false, &most),
        ("samples", true, &most),
        ("correct", true, &most),
        ("step", true, &most),
    ] {
        std::fs::write(&path, &good).unwrap();
        with_counter(&path, key, first, value);
        let resumed = resume_in(&folder, &["epochs=3"]).map(|_| ());
        let loaded = trainer(&SMALL).load(&path);
        for error in [resumed.unwrap_err(), loaded.unwrap_err()] {
            let text = error.to_string();
            assert!(matches!(error, TrainError::BrokenState { .. }), "{text}");
            assert!(text.contains(key) && text.contains("last.safetensors"), "{text}");
        }
    }
}

/// The best epoch is told by what a resumed run names, and the epochs of before are judged by the same figure.
#[test]
fn a_resumed_run_judges_by_the_metric_that_it_names() {
    let folder = folder("judge");
    let words =
        ["data=digits", "model=mlp-16", "optimizer=sgd", "lr=0.02", "epochs=1", "save.best=valid_loss"];
    let first = run_in(&folder, &words).unwrap().best.unwrap();
    assert!(first.metrics.get("valid_loss").unwrap() > 1.0, "no accuracy is above it");
    let config = || std::fs::read_to_string(folder.join("config.toml")).unwrap();
    let before = config();
    let error = resume_in(&folder, &["epochs=4", "save.best=valid_nothing"]).unwrap_err();
    assert!(matches!(error, TrainError::Metric { .. }), "{error}");
    assert!(error.hint().unwrap().contains("`valid_accuracy`"), "{error}");
    assert!(config() == before, "a run that is refused is as it was");
    let best = resume_in(&folder, &["epochs=4", "save.best=valid_accuracy"]).unwrap().best.unwrap();
    let rows = RunDir::resume(&folder).unwrap().metrics().unwrap().rows;
    let accuracy = |row: &record::Row| row.metrics.get("valid_accuracy").unwrap();
    let most = rows.iter().map(accuracy).fold(0.0, f64::max);
    let expected = rows.iter().find(|row| accuracy(row) == most).unwrap();
    assert!(expected.epoch > 1, "accuracy never rose");
    assert_eq!(best.epoch, expected.epoch);
}

/// What was only measured at the start has no figure of training yet; any later one is better.
#[test]
fn a_start_without_figures_is_gone_on_from() {
    let folder = folder("start");
    run_in(&folder, &["data=two-moons", "data.valid=0", "model=mlp-8", "epochs=0"]).unwrap();
    let best = resume_in(&folder, &["epochs=2"]).unwrap().best.unwrap();
    assert!(best.epoch > 0 && best.metrics.get("train_loss").is_some());
}

/// Weights to start from are no part of a run that has begun.
#[test]
fn a_run_goes_on_without_the_file_that_it_started_from() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-start.safetensors");
    trainer(&["data=two-moons", "model=mlp-8", "seed=9"]).save(&file).unwrap();
    let from = format!("init_from={}", file.display());
    let words = |steps: &'static str| ["data=two-moons", "model=mlp-8", from.as_str(), steps];
    let whole = run_in(&folder("started-whole"), &words("steps=9")).unwrap();
    let folder = folder("started");
    run_in(&folder, &words("steps=4")).unwrap();
    std::fs::remove_file(&file).unwrap();
    let resumed = resume_in(&folder, &["steps=9"]).unwrap();
    assert_eq!(resumed.weights_sha256, whole.weights_sha256);
    let error = run_in(&self::folder("started-new"), &words("steps=4")).unwrap_err();
    assert!(matches!(error, TrainError::Weights(_)), "{error}");
}

/// A trainer's own state, with the loss's constants behind the model's buffers, is one to go on from; others are told.
#[test]
fn a_state_that_does_not_fit_is_told() {
    let words = [&SMALL[..], &["loss=cross_entropy", "loss.class_weights=[1,3]"]].concat();
    let (mut one, mut other) = (trainer(&words), trainer(&words));
    for _ in 0..3 {
        one.step().unwrap();
        other.step().unwrap();
        let own = one.state.clone();
        one.restore(own).unwrap();
    }
    assert_eq!(one.state.params, other.state.params);
    assert_eq!(one.state.buffers, other.state.buffers);
    let of_model = one.session.model.buffers().len();
    one.state.buffers.truncate(of_model);
    let without = one.state.clone();
    one.restore(without).unwrap();
    assert_eq!(one.state, other.state);
    let mut refused = |change: fn(&mut train::State)| {
        let mut state = other.state.clone();
        change(&mut state);
        let error = other.restore(state).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string()
    };
    let n = one.state.params.len();
    assert_eq!(
        refused(|s| s.params.truncate(3)),
        format!("the state does not fit the trainer: 3 parameters, expected {n}")
    );
    assert!(refused(|s| s.buffers.push(0.0)).contains(" buffers, expected "));
    assert!(refused(|s| s.slots.truncate(1)).contains("1 states of the optimizer, expected 2"));
    assert!(refused(|s| s.slots[1] = thalweg::engine::StateVec::new([1, 2])).contains("holds 3 numbers"));
    assert!(refused(|s| s.counters.samples = u64::MAX).contains("samples"));
    assert_eq!(one.state, other.state, "a state that is refused changes nothing");
}

/// A config that a program made was read by nobody.
#[test]
fn a_config_set_in_code_is_checked() {
    let refused = |change: &dyn Fn(&mut RunConfig), text: &str| {
        let good = config(&["data=two-moons", "model=mlp-8"]);
        let mut bad = good.clone();
        change(&mut bad);
        let opened = Prepared::open(&bad).map(|_| ());
        let made = Trainer::new(&bad, Prepared::open(&good).unwrap()).map(|_| ());
        for error in [opened.unwrap_err(), made.unwrap_err()] {
            assert_eq!(error.to_string(), text);
            assert!(error.hint().is_some(), "{error}");
        }
    };
    refused(&|c| c.batch = Some(0), "`batch` is 0, expected a whole number from 1 to 4294967295");
    refused(&|c| c.accumulate = 0, "`accumulate` is 0, expected a whole number from 1 to 4294967295");
    refused(&|c| c.eval_batch = 0, "`eval_batch` is 0, expected a whole number from 1 to 4294967295");
    refused(&|c| c.shards = 0, "`shards` is 0, expected a whole number from 1 to 1024");
    refused(&|c| c.data.folds = Some(1), "`data.folds` is 1, expected a whole number from 2 to 10000");
    let fold = |c: &mut RunConfig| (c.data.folds, c.data.fold) = (Some(3), Some(3));
    refused(&fold, "`data.fold` is 3, expected a whole number from 0 to 2, as `data.folds` is 3");

    let run = RunLength { steps_per_epoch: 4, n_steps: 9 };
    let recipe = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = config(&["data=two-moons"]);
        change(&mut config);
        Recipe::from_config(&config, run).map(|_| ()).unwrap_err().to_string()
    };
    let average = AverageConfig::Ema(Ema { decay: 2.0, ..Ema::default() });
    assert!(recipe(&|c| c.average = Some(average)).contains("decay"));
    let sam = Wrappers(vec![WrapConfig::Sam(Sam { rho: -1.0 })]);
    assert!(recipe(&|c| c.wrap = sam.clone()).contains("rho"));
}
