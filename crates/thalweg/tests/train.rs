//! Whole runs: the same bits for any number of threads and after any interruption, figures, divergence, parity of
//! allocation and of state.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use record::{Existing, RunDir, Status, Summary};
use thalweg::config::RunConfig;
use thalweg::engine::Plan;
use thalweg::optim;
use thalweg::train::{
    self, Checkpoint, Kept, Observer, Prepared, Progress, Report, Silent, Split, TrainError, Trained, Trainer,
};

/// A folder of its own, emptied.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// A later word takes the place of an earlier one of the same key.
fn config(words: &[&str]) -> RunConfig {
    let key = |word: &str| word.split('=').next().map(String::from);
    let is_last = |(i, word): &(usize, &&str)| words[i + 1..].iter().all(|later| key(later) != key(word));
    let words: Vec<String> = words.iter().enumerate().filter(is_last).map(|(_, w)| (*w).to_owned()).collect();
    RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}"))
}

fn run(name: &str, words: &[&str]) -> Result<Summary, TrainError> {
    let run = RunDir::create_at(&folder(name), Existing::Refuse)?;
    train::train(&config(words), &run, &mut Silent, &AtomicBool::new(false))
}

/// Asks to stop after this many steps.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn on_step(&mut self, progress: &Progress) {
        self.1.store(progress.step >= self.0, Ordering::Relaxed);
    }
}

/// Notes the warnings.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Observer for Warnings {
    fn on_warning(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

#[test]
fn digits_are_learned() {
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

/// Every optimizer, and what goes around them.
fn updates() -> Vec<Vec<String>> {
    let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
    let optimizers = optim::ALL.iter().map(|e| own(&[&format!("optimizer={}", e.name), "clip_norm=1"]));
    let around = [
        own(&["optimizer=sgd", "wrap=[{ name = \"lookahead\", k = 5 }]"]),
        own(&["optimizer=momentum", "wrap=sam,lookahead", "average=ema"]),
        own(&[
            "optimizer=adamw",
            "accumulate=3",
            "batch=24",
            "average=mean",
            "average.start=2st",
            "average.every=3st",
        ]),
        own(&["optimizer=lamb", "accumulate=2", "batch=40", "wrap=sam", "clip_norm=0.5", "clip_value=0.01"]),
        own(&[
            "optimizer=adam",
            "optimizer.weight_decay=0.01",
            "weight_decay_schedule=cosine",
            "momentum_schedule=cosine",
            "groups=[{ match = \"0.*\", freeze = true }, { match = \"*.bias\", optimizer = \"lamb\", lr_factor = 2.0 }]",
        ]),
    ];
    optimizers.chain(around).collect()
}

const SMALL: [&str; 6] = [
    "data=digits",
    "model=mlp-40-30",
    "model.batch_norm=true",
    "model.dropout=0.1",
    "epochs=1",
    "eval_batch=500",
];

/// The bits of an update do not depend on threads, and a run that is interrupted and resumed is the run that was not,
/// in the middle of Lookahead's six steps and between the batches of an epoch.
#[test]
fn every_update_is_the_same_for_any_threads_and_after_an_interruption() {
    for (i, own) in updates().iter().enumerate() {
        let with = |more: &'static str| -> Vec<&str> {
            SMALL.iter().copied().chain(own.iter().map(String::as_str)).chain([more]).collect()
        };
        let one = run(&format!("update-{i}"), &with("threads=1")).unwrap();
        assert_eq!(one.status, Status::Done);
        for threads in ["threads=2", "threads=3"] {
            let more = run(&format!("update-{i}-{threads}"), &with(threads)).unwrap();
            assert_eq!(more.weights_sha256, one.weights_sha256, "{own:?} {threads}");
        }
        let folder = folder(&format!("update-{i}-cut"));
        let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
        let stop = AtomicBool::new(false);
        train::train(&config(&with("threads=2")), &dir, &mut StopAfter(7, &stop), &stop).unwrap();
        drop(dir);
        let dir = RunDir::resume(&folder).unwrap();
        let resumed = train::resume(&dir, &[], &mut Silent, &AtomicBool::new(false)).unwrap();
        assert_eq!(resumed.weights_sha256, one.weights_sha256, "{own:?}");
        assert_eq!((&resumed.best, &resumed.last), (&one.best, &one.last), "{own:?}");
    }
}

/// Parameters after some updates, and steps in an epoch.
fn after(n_steps: usize, words: &[&str]) -> (Vec<f32>, u64) {
    let config = config(words);
    let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
    for _ in 0..n_steps {
        trainer.step().unwrap();
    }
    (trainer.state.params.clone(), trainer.length().steps_per_epoch)
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Dropout draws the same masks, classes with weights count by them, and the last update of the epoch, whose last part
/// is smaller, is weighed by its samples. With equal shares of the parts it would be off by far more.
#[test]
fn accumulated_batches_are_the_large_batch() {
    let n_train = Prepared::open(&config(&["data=digits"])).unwrap().splits.train.len();
    for own in [
        &["optimizer=sgd", "lr=0.5", "model.dropout=0.3"][..],
        &["optimizer=momentum", "lr=0.1", "loss=cross_entropy", "loss.class_weights=[1,2,3,4,5,1,2,3,4,9]"],
        &["optimizer=momentum", "lr=0.1", "clip_norm=0.3", "wrap=sam"],
    ] {
        let with = |more: &[&'static str]| -> Vec<&str> {
            ["data=digits", "model=mlp-32"].iter().chain(own).chain(more).copied().collect()
        };
        let (start, steps) = after(0, &with(&["batch=99"]));
        let rest = n_train % 99;
        assert!(
            rest > 33 && !rest.is_multiple_of(33) && rest % 33 < 17,
            "the last update needs unequal parts: {rest}"
        );
        let (large, _) = after(steps as usize, &with(&["batch=99"]));
        let (parts, also) = after(steps as usize, &with(&["batch=33", "accumulate=3"]));
        assert_eq!(steps, also);
        assert!(furthest(&large, &start) > 0.05);
        let apart = furthest(&large, &parts);
        assert!(apart < 2e-5, "{own:?}: {apart}");
    }
}

#[test]
fn frozen_layers_stay_and_are_told() {
    let words = [&SMALL[..], &["groups=[{ match = \"0.*\", freeze = true }]"]].concat();
    let config = config(&words);
    let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
    let start = trainer.state.params.clone();
    for _ in 0..3 {
        trainer.step().unwrap();
    }
    for slot in &trainer.session.model.params().slots {
        let same = trainer.state.params[slot.range()] == start[slot.range()];
        assert_eq!(same, slot.name.starts_with("0."), "{}", slot.name);
    }
    assert_eq!(trainer.notes()[0], "group `0.*`: 2 parameters of 2600 numbers, frozen");
    let thalweg::train::Blueprint { graph, wanted, .. } =
        trainer.session.graph(&thalweg::train::ProgramKey::train(64)).unwrap();
    let plan = Plan::compile(&graph, &wanted, trainer.session.options(64)).unwrap();
    let text = plan.print(&graph);
    let lines: Vec<&str> = text.lines().filter(|l| l.trim_start().starts_with('∂')).collect();
    for line in &lines {
        assert_eq!(
            line.contains("is not computed"),
            line.split(' ').next_back().unwrap().starts_with("0."),
            "{line}"
        );
    }
    assert_eq!(lines.iter().filter(|l| l.contains("is not computed")).count(), 2);
}

/// What is measured, kept as the best and written as the result are the averaged weights; training goes on from the
/// others, which the last checkpoint holds.
#[test]
fn averaged_weights_are_those_that_are_kept() {
    let words = ["data=digits", "model=mlp-32", "epochs=2", "optimizer=sgd"];
    let plain = run("averaged-plain", &words).unwrap();
    let with = [&words[..], &["average=ema", "average.decay=0.9"]].concat();
    let folder = folder("averaged");
    let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
    let averaged = train::train(&config(&with), &dir, &mut Silent, &AtomicBool::new(false)).unwrap();
    assert_ne!(averaged.weights_sha256, plain.weights_sha256);
    let file = |name: &str| Checkpoint::open(&folder.join(name)).unwrap();
    let (last, result) = (file("checkpoints/last.safetensors"), file("weights.safetensors"));
    let model = last.model().unwrap();
    let digest = |(params, buffers): (Vec<f32>, Vec<f32>)| Some(train::weights_sha256(&params, &buffers));
    assert_eq!(digest(last.weights(&model).unwrap()), plain.weights_sha256);
    assert_eq!(digest(result.weights(&model).unwrap()), averaged.weights_sha256);
}

/// A checkpoint of before optimizers were chains, which does not say what it keeps.
#[test]
fn an_old_checkpoint_opens_with_its_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before_chains.safetensors");
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert!(checkpoint.saved.states.is_none());
    let model = checkpoint.model().unwrap();
    let state = checkpoint.state(&model).unwrap();
    let [m, v] = &state.slots[..] else { panic!("{} states", state.slots.len()) };
    assert_eq!((m.values().len(), v.values().len()), (state.params.len(), state.params.len()));
    assert!(v.values().iter().all(|v| *v >= 0.0) && m.values().iter().any(|m| *m < 0.0));
    assert!(state.counters.step > 0);
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

/// A key is told in full, and what may change is told, too.
#[test]
fn changes_are_told_by_their_full_keys() {
    let base = ["data=digits", "optimizer=adam", "schedule=cosine", "batch=64", "epochs=20"];
    let old = config(&base);
    let key = |word: &str| word.split('=').next().unwrap().to_owned();
    let new = |word: &str| {
        let others = base.iter().filter(|other| key(other) != key(word));
        config(&others.copied().chain([word]).collect::<Vec<_>>())
    };
    let changed = |word: &str| train::changes(&old, &new(word)).map_err(|error| error.to_string());
    let refused = |key: &str| Err(format!("`{key}` cannot change when a run is resumed"));
    for (word, key) in [
        ("optimizer=sgd", "optimizer.name"),
        ("lr=0.5", "optimizer.lr"),
        ("data=xor", "data.source"),
        ("data.test=0.3", "data.test"),
        ("schedule.min_factor=0.5", "schedule.min_factor"),
        ("shuffle=false", "shuffle"),
        ("clip_norm=1", "clip_norm"),
        ("shards=4", "shards"),
    ] {
        assert_eq!(changed(word), refused(key), "{word}");
    }
    for (word, key) in [
        ("threads=1", "threads"),
        ("epochs=99", "epochs"),
        ("eval_batch=7", "eval_batch"),
        ("save.every=\"5ep\"", "save.every"),
    ] {
        assert_eq!(changed(word), Ok(vec![key.to_owned()]), "{word}");
    }
    assert_eq!(changed("steps=5"), Ok(vec!["steps".to_owned()]));
    assert_eq!(changed("batch=none"), refused("batch"));
    assert_eq!(changed("batch=64"), Ok(vec![]));
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
    assert_eq!(text(&["batch=5000"]), "`batch` is 5000, more than the 1258 training samples");
    let one = text(&["batch=1", "model.batch_norm=true"]);
    assert!(one.contains("values per channel must be more than 1 in training, got 1"), "{one}");
    let folder = folder("numbers");
    std::fs::create_dir_all(&folder).unwrap();
    let table: String = (0..60).map(|i| format!("{i},{}\n", 0.5 * f64::from(i))).collect();
    std::fs::write(folder.join("t.csv"), table).unwrap();
    let loss = text(&["loss=cross_entropy", "batch=8", &format!("data={}", folder.join("t.csv").display())]);
    assert_eq!(loss, "loss `cross_entropy` needs classes, but the targets are numbers");
}

/// A pool has at most 64 workers, whatever a program, a config or a machine of many cores asks for.
#[test]
fn more_threads_than_workers_are_no_panic() {
    let mut config =
        config(&["data=xor", "model=mlp-4", "epochs=1", "shards=128", "batch=128", "threads=64"]);
    let digest = |config: &RunConfig, name: &str| {
        let run = RunDir::create_at(&folder(name), Existing::Refuse).unwrap();
        let summary = train::train(config, &run, &mut Silent, &AtomicBool::new(false)).unwrap();
        (summary.threads, summary.weights_sha256)
    };
    let (n, most) = digest(&config, "workers-64");
    assert_eq!(n, 64);
    config.threads = 65;
    assert_eq!((config.n_threads(), digest(&config, "workers-65")), (64, (64, most.clone())));
    config.threads = 1;
    assert_eq!(digest(&config, "workers-1"), (1, most));
    config.threads = 0;
    assert!((1..=64).contains(&config.n_threads()));
    let words = ["data=xor".to_owned(), "shards=65".to_owned(), "threads=65".to_owned()];
    let error = RunConfig::load(None, &words).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`threads` is 65 on the command line, expected a whole number from 0 to 64"
    );
}

/// What is measured first must not decide what is measured next: each loss has programs of its own.
#[test]
fn own_and_new_data_are_measured_in_any_order() {
    let words = ["data=digits", "epochs=1", "loss.name=cross_entropy", "loss.class_weights=balanced"];
    let run = RunDir::create_at(&folder("orders"), Existing::Refuse).unwrap();
    let config = config(&words);
    train::train(&config, &run, &mut Silent, &AtomicBool::new(false)).unwrap();
    let open = || Trained::open(&run, config.clone(), Kept::Best).unwrap();
    let loss = |report: Report| report.measured.metrics.get("test_loss").unwrap().to_bits();
    let own = |trained: &mut Trained| loss(trained.measure_own(Kept::Best).unwrap());
    let new = |trained: &mut Trained| loss(trained.measure_new(Kept::Best).unwrap());
    let (want_own, want_new) = (own(&mut open()), new(&mut open()));
    assert_ne!(want_own, want_new);
    let mut trained = open();
    assert_eq!((new(&mut trained), own(&mut trained), new(&mut trained)), (want_new, want_own, want_new));
    let mut trained = open();
    assert_eq!((own(&mut trained), new(&mut trained), own(&mut trained)), (want_own, want_new, want_own));
}

/// A part by its name is that part and no other.
#[test]
fn each_part_is_measured_as_itself() {
    let config = config(&["data=digits", "epochs=1"]);
    let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
    for split in [Split::Train, Split::Valid, Split::Test] {
        let measured = trainer.measure(split, None, true).unwrap();
        let indices = split.of(&trainer.prepared().unwrap().splits);
        let truth: Vec<f32> =
            indices.iter().map(|i| trainer.prepared().unwrap().set.targets[*i as usize]).collect();
        assert_eq!(measured.targets, truth, "{split}");
        assert!(measured.metrics.get(&format!("{split}_accuracy")).is_some(), "{split}");
    }
}

/// Run folders of earlier versions tell their data by another rule, and are held to it.
#[test]
fn data_of_earlier_run_folders_are_still_compared() {
    compared("digits", &folder("identity"));
    compared("two-moons", &folder("identity-drawn"));
}

/// The same for one set.
fn compared(source: &str, folder: &Path) {
    let run = RunDir::create_at(folder, Existing::Refuse).unwrap();
    let config = config(&[&format!("data={source}"), "epochs=1", "threads=1"]);
    train::train(&config, &run, &mut Silent, &AtomicBool::new(false)).unwrap();
    drop(run);
    let paths = ["best", "last"].map(|name| folder.join(format!("checkpoints/{name}.safetensors")));
    let files = paths.each_ref().map(|path| std::fs::read(path).unwrap());
    let noted = Prepared::open(&config).unwrap().identities.newest();
    let written = format!(r#",\"data\":{{\"version\":{},\"crc32\":{}}}"#, noted.version, noted.crc32);
    // What is written in the place of the identity, and what follows for `eval` and for `resume`.
    let check = |in_its_place: &str, says: Option<&str>| {
        for (path, file) in paths.iter().zip(&files) {
            let at = file.windows(written.len()).position(|w| w == written.as_bytes()).unwrap();
            let mut other = file.clone();
            other[at..at + written.len()]
                .copy_from_slice(format!("{in_its_place:<0$}", written.len()).as_bytes());
            std::fs::write(path, other).unwrap();
        }
        let run = RunDir::resume(folder).unwrap();
        let mut trained = Trained::open(&run, config.clone(), Kept::Best).unwrap();
        let measured = trained.measure_own(Kept::Best).map(|_| trained.warnings().join("\n"));
        let mut watch = Warnings::default();
        let resumed =
            train::resume(&run, &[], &mut watch, &AtomicBool::new(false)).map(|_| watch.0.join("\n"));
        for told in [measured, resumed] {
            let told = told.unwrap_or_else(|error| error.to_string());
            assert!(says.map_or(told.is_empty(), |says| told.starts_with(says)), "{in_its_place}: {told}");
        }
    };
    let changed = match source {
        "digits" => "the data have changed since the run began: checksum ".to_owned(),
        _ => format!("`{source}` is not exactly what it was when the run began"),
    };
    let first = Prepared::open(&config).unwrap().identities.of_version(1).unwrap().crc32;
    // what the version before this one wrote for the digits
    assert!(source != "digits" || first == 753_416_822);
    check(&format!(r#",\"data_crc32\":{first}"#), None);
    check(&format!(r#",\"data_crc32\":{}"#, first ^ 1), Some(&changed));
    check(&written, None);
    check(r#",\"data\":{\"version\":2,\"crc32\":5}"#, Some(&changed));
    let unknown = "cannot check whether the data are those of the run: ";
    check(
        r#",\"data\":{\"version\":9,\"crc32\":5}"#,
        Some(&format!("{unknown}their checksum is of version 9")),
    );
    check("", Some(&format!("{unknown}the checkpoint has no checksum of them")));
}
