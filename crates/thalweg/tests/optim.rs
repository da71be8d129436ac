//! Optimisers and schedules against PyTorch, on toy problems, and as configs.

use serde::Deserialize;
use serde_json::{Value, json};
use thalweg::optim::{self, ClipNorm, OptimConfig, Optimizer, Piece, StepInfo};
use thalweg::registry::{Entry, Range};
use thalweg::schedule::{self, RunLength, ScheduleConfig};

/// A parameter vector with its state, updated by one optimiser.
struct Run {
    optimizer: Box<dyn Optimizer>,
    param: Vec<f32>,
    slots: Vec<Vec<f32>>,
    step: u64,
}

impl Run {
    fn new(config: &Value, param: Vec<f32>) -> Run {
        let config: OptimConfig = serde_json::from_value(config.clone()).unwrap();
        let optimizer = config.build().unwrap();
        let slots = vec![vec![0.0; param.len()]; optimizer.slots().len()];
        Run { optimizer, param, slots, step: 0 }
    }

    /// One update in two pieces: those before `n_decaying` decay.
    fn update(&mut self, grad: &[f32], n_decaying: usize, grad_scale: f32) {
        self.step += 1;
        let info = StepInfo { step: self.step, lr: self.optimizer.lr() as f32, grad_scale };
        for (range, decays) in [(0..n_decaying, true), (n_decaying..grad.len(), false)] {
            let mut slots: Vec<&mut [f32]> = self.slots.iter_mut().map(|s| &mut s[range.clone()]).collect();
            let param = &mut self.param[range.clone()];
            self.optimizer.update(&info, Piece { param, grad: &grad[range], slots: &mut slots, decays });
        }
    }
}

#[derive(Deserialize)]
struct OptimGolden {
    tolerance: f64,
    n_decaying: usize,
    init: Vec<f32>,
    grads: Vec<Vec<f32>>,
    cases: Vec<OptimCase>,
}

#[derive(Deserialize)]
struct OptimCase {
    config: Value,
    clip: Option<ClipNorm>,
    params: Vec<Vec<f64>>,
}

/// The generator makes sure that every setting of a case moves the result by at least 20 tolerances.
#[test]
fn ten_steps_are_pytorchs() {
    let golden: OptimGolden = serde_json::from_str(include_str!("golden/optim/optim.json")).unwrap();
    for entry in optim::ALL {
        assert!(golden.cases.iter().any(|c| c.config["name"] == entry.name), "no case for {}", entry.name);
    }
    for case in &golden.cases {
        let mut run = Run::new(&case.config, golden.init.clone());
        for (grad, want) in golden.grads.iter().zip(&case.params) {
            let norm = kernels::update::sum_squares(grad).sqrt();
            let grad_scale = case.clip.map_or(1.0, |clip| clip.factor(norm));
            run.update(grad, golden.n_decaying, grad_scale);
            for (i, (got, want)) in run.param.iter().zip(want).enumerate() {
                let error = (f64::from(*got) - want).abs();
                assert!(
                    error <= golden.tolerance,
                    "{} step {} [{i}]: {got}, expected {want}",
                    case.config,
                    run.step
                );
            }
        }
    }
}

#[derive(Deserialize)]
struct ScheduleGolden {
    steps_per_epoch: u64,
    n_steps: u64,
    cases: Vec<ScheduleCase>,
}

#[derive(Deserialize)]
struct ScheduleCase {
    config: Value,
    factors: Vec<f64>,
}

#[test]
fn schedules_are_pytorchs() {
    let golden: ScheduleGolden = serde_json::from_str(include_str!("golden/optim/schedule.json")).unwrap();
    for entry in schedule::ALL {
        assert!(golden.cases.iter().any(|c| c.config["name"] == entry.name), "no case for {}", entry.name);
    }
    let run = RunLength { steps_per_epoch: golden.steps_per_epoch, n_steps: golden.n_steps };
    for case in &golden.cases {
        let config: ScheduleConfig = serde_json::from_value(case.config.clone()).unwrap();
        let schedule = config.build(run).unwrap();
        for (done, want) in case.factors.iter().enumerate() {
            let got = schedule.at(done as u64);
            assert!((got - want).abs() <= 1e-12, "{} at {done}: {got}, expected {want}", case.config);
        }
    }
}

fn schedule(config: Value, steps_per_epoch: u64, n_steps: u64) -> schedule::Schedule {
    let config: ScheduleConfig = serde_json::from_value(config).unwrap();
    config.build(RunLength { steps_per_epoch, n_steps }).unwrap()
}

#[test]
fn the_cosine_stays_at_its_end() {
    let cosine = schedule(json!({"name": "cosine", "length": "20st", "min_factor": 0.1}), 5, 40);
    assert!([20, 21, 30, 1000].iter().all(|done| cosine.at(*done) == 0.1));
    assert!(cosine.at(19) > 0.1);
}

#[test]
fn a_run_within_its_warmup_still_learns() {
    for name in ["constant", "step", "cosine"] {
        let rise = schedule(json!({"name": name, "warmup": "10ep", "warmup_from": 0.0}), 5, 20);
        assert_eq!(rise.at(0), 0.0);
        assert_eq!(rise.at(10), 0.2, "{name}");
    }
}

/// ½(x² + 25y²): steep in y, shallow in x.
fn quadratic(p: &[f32]) -> (f32, Vec<f32>) {
    (0.5 * (p[0] * p[0] + 25.0 * p[1] * p[1]), vec![p[0], 25.0 * p[1]])
}

/// (1 − x)² + 100(y − x²)².
fn rosenbrock(p: &[f32]) -> (f32, Vec<f32>) {
    let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
    (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * p[0] * b, 200.0 * b])
}

type Problem = fn(&[f32]) -> (f32, Vec<f32>);

#[test]
fn every_optimiser_solves_two_toy_problems() {
    // (name, lr and steps for the quadratic, lr and steps for Rosenbrock's valley)
    let settings = [
        ("sgd", (0.05, 300), (1e-3, 20_000)),
        ("momentum", (0.02, 300), (3e-4, 8_000)),
        ("nesterov", (0.02, 300), (3e-4, 8_000)),
        ("adam", (0.1, 500), (0.02, 5_000)),
        ("adamw", (0.1, 500), (0.02, 5_000)),
    ];
    assert_eq!(settings.map(|s| s.0).as_slice(), optim::ALL.iter().map(|e| e.name).collect::<Vec<_>>());
    for (name, on_quadratic, on_rosenbrock) in settings {
        let problems: [(Problem, _, _); 2] =
            [(quadratic, [4.0, -2.0], on_quadratic), (rosenbrock, [-1.2, 1.0], on_rosenbrock)];
        for (problem, start, (lr, n_steps)) in problems {
            let mut run = Run::new(&json!({"name": name, "lr": lr, "weight_decay": 0.0}), start.to_vec());
            let first = problem(&run.param).0;
            for _ in 0..n_steps {
                let grad = problem(&run.param).1;
                run.update(&grad, 2, 1.0);
            }
            let last = problem(&run.param).0;
            assert!(last < 1e-5 * first, "{name}: loss from {first} to {last} at {:?}", run.param);
        }
    }
}

fn default_of(name: &str) -> Value {
    let config: OptimConfig = serde_json::from_value(json!(name)).unwrap();
    serde_json::to_value(config).unwrap()
}

/// The entry's keys and defaults are those of the config, and only `name` (and what is in `also`) stands beside them.
fn check_entry(entry: &Entry, mut config: Value, also: &[&str]) {
    let table = config.as_object_mut().unwrap();
    assert_eq!(table.remove("name"), Some(json!(entry.name)));
    also.iter().for_each(|key| assert!(table.remove(*key).is_some(), "{key}"));
    assert_eq!(table.len(), entry.keys.len(), "{}: {table:?}", entry.name);
    for key in entry.keys {
        let default: Value = serde_json::from_str(key.default).unwrap();
        assert_eq!(table[key.name], default, "{}.{}", entry.name, key.name);
    }
}

#[test]
fn the_registries_tell_the_truth() {
    for entry in optim::ALL {
        check_entry(entry, default_of(entry.name), &[]);
    }
    for entry in schedule::ALL {
        let config: ScheduleConfig = serde_json::from_value(json!(entry.name)).unwrap();
        check_entry(entry, serde_json::to_value(config).unwrap(), &["warmup", "warmup_from"]);
    }
    let plain = serde_json::to_value(ScheduleConfig::default()).unwrap();
    for key in schedule::WARMUP_KEYS {
        assert_eq!(plain[key.name], serde_json::from_str::<Value>(key.default).unwrap());
    }
}

/// Numbers just outside of a range.
fn outside(range: Range) -> Vec<f64> {
    match range {
        Range::AtLeast(min) => vec![min - 1.0],
        Range::Above(min) => vec![min],
        Range::Within(min, max) => vec![min - 0.5, max + 0.5],
        Range::Below(min, max) => vec![min - 0.5, max],
        _ => vec![],
    }
}

#[test]
fn every_number_outside_of_its_range_is_named() {
    for entry in optim::ALL {
        for key in entry.keys {
            for wrong in outside(key.range) {
                let values = if key.name == "betas" {
                    vec![json!([wrong, 0.9]), json!([0.9, wrong])]
                } else {
                    vec![json!(wrong)]
                };
                for value in values {
                    let config: OptimConfig =
                        serde_json::from_value(json!({"name": entry.name, key.name: value})).unwrap();
                    let error = config.build().unwrap_err();
                    assert_eq!((error.of, error.key, error.value), (entry.name, key.name, wrong));
                }
            }
        }
    }
    let run = RunLength { steps_per_epoch: 10, n_steps: 100 };
    let keys =
        schedule::ALL.iter().flat_map(|e| e.keys.iter().chain(&schedule::WARMUP_KEYS).map(|k| (e.name, k)));
    for (name, key) in keys {
        for wrong in outside(key.range) {
            let config: ScheduleConfig =
                serde_json::from_value(json!({"name": name, key.name: wrong})).unwrap();
            let text = config.build(run).unwrap_err().to_string();
            assert!(text.contains(&format!("`{}` is {wrong}", key.name)), "{text}");
        }
    }
}

#[test]
fn errors_say_what_and_what_instead() {
    let config: OptimConfig = serde_json::from_value(json!({"name": "adam", "betas": [0.9, 1.0]})).unwrap();
    let error = config.build().unwrap_err();
    assert_eq!(error.to_string(), "adam: `betas` is 1, expected from 0 to below 1");
    assert_eq!(error.hint(), "the default is `betas = [0.9, 0.999]`");

    let config: ScheduleConfig =
        serde_json::from_value(json!({"name": "step", "every": "0.001dur"})).unwrap();
    let error = config.build(RunLength { steps_per_epoch: 10, n_steps: 100 }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step: `every` is 0.001dur, which is 0 of the run's 100 steps, expected 1 step or more"
    );
    assert_eq!(error.hint(), "`every = \"1st\"` is the shortest");
}

#[test]
fn unknown_names_and_keys_are_refused() {
    let optimizer = |value: Value| serde_json::from_value::<OptimConfig>(value).unwrap_err().to_string();
    assert!(optimizer(json!("adamv")).contains("unknown variant `adamv`, expected one of `sgd`, `momentum`"));
    assert!(
        optimizer(json!({"name": "sgd", "momentum": 0.9}))
            .contains("unknown field `momentum`, expected one of `lr`")
    );
    assert!(optimizer(json!({"lr": 0.1})).contains("missing field `name`"));
    assert!(optimizer(json!({"name": "sgd", "decay": "l1"})).contains("unknown variant `l1`"));
    assert!(
        optimizer(json!({"name": "sgd", "decay_on": "bias"}))
            .contains("expected `weights`, `all`, `none` or a list")
    );

    let schedule = |value: Value| serde_json::from_value::<ScheduleConfig>(value).unwrap_err().to_string();
    assert!(
        schedule(json!({"name": "cosine", "gamma": 0.5}))
            .contains("unknown field `gamma`, expected `min_factor`")
    );
    assert!(schedule(json!({"name": "constant", "lenght": 1})).contains("unknown field `lenght`"));
    assert!(
        schedule(json!({"name": "cosine", "warmup": "5 s"})).contains("`5 s` is not a length of training")
    );
}

#[test]
fn configs_survive_writing_and_reading() {
    for config in [
        json!({"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1, "decay": "l2",
               "decay_on": ["*.weight"], "bias_correction": false}),
        json!({"name": "sgd", "lr": 0.5, "weight_decay": 0.1, "decay": "decoupled", "decay_on": "none"}),
    ] {
        let read: OptimConfig = serde_json::from_value(config.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), config);
    }
    let config =
        json!({"name": "cosine", "min_factor": 0.1, "length": "5ep", "warmup": "0.1dur", "warmup_from": 0.5});
    let read: ScheduleConfig = serde_json::from_value(config.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), config);
}
