//! Whole runs against PyTorch's: first gradients, 200 losses, last weights and running averages, logits in evaluation.
//!
//! The frozen side is in `golden/parity`, with the generator that wrote it. Everything here goes the way of a user: a
//! config of words, the data in a file, the first weights in a file.

#![allow(clippy::print_stdout, reason = "the distances found, for those who ask with --nocapture")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Draw, Executor, Layout, Plan, Pool, Slot, StepContext};
use thalweg::config::RunConfig;
use thalweg::engine;
use thalweg::model::weights::WeightsFile;
use thalweg::train::{Prepared, ProgramKey, Trainer};

const BATCH: usize = 64;
const STEPS: usize = 200;

/// Largest differences allowed: some ten times those measured, and far below what the rule of decay changes.
#[derive(Clone, Copy)]
struct Tolerance {
    /// of a loss, relative
    loss: f64,
    /// of a weight, a running average or a logit, absolute
    value: f64,
}

const ADAM: Tolerance = Tolerance { loss: 3e-6, value: 5e-6 };
/// The losses of this run go down to 0.02, where each digit that rounding moves counts for more.
const SGD: Tolerance = Tolerance { loss: 1e-4, value: 2e-5 };

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity").join(name)
}

/// All tensors of a golden file under our model's names.
fn tensors(name: &str, layouts: &[&Layout]) -> Vec<Vec<f32>> {
    let mut flat: Vec<Vec<f32>> = layouts.iter().map(|l| vec![f32::NAN; l.len()]).collect();
    let mut sets: Vec<_> = layouts.iter().copied().zip(flat.iter_mut().map(Vec::as_mut_slice)).collect();
    WeightsFile::open(&golden(name)).unwrap().load(&mut sets).unwrap();
    flat
}

fn losses(stem: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(golden(&format!("{stem}.json"))).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["losses"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap()).collect()
}

fn trainer(model: &str, words: &[&str]) -> Trainer {
    let (data, init) = (golden("data.npz"), golden(&format!("{model}.init.safetensors")));
    let common = [
        &*format!("data={}", data.display()),
        &*format!("init_from={}", init.display()),
        "data.valid=0",
        "data.test=0",
        "preprocess=none",
        "shuffle=false",
        "batch=64",
        "steps=200",
        "model=20-32-32-5",
        if model == "mlp-bn" { "model.batch_norm=true" } else { "model.batch_norm=false" },
    ];
    let words: Vec<String> = common.iter().chain(words).map(|w| (*w).to_owned()).collect();
    let config = RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}\nhint: {}", e.hint()));
    Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap()
}

/// Largest difference; NaN counts as the largest of all.
fn worst(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let apart = got.iter().zip(expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
    apart.fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

/// The same, in parts of the expected value.
fn worst_relative(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let apart = got.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs());
    apart.fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

/// Largest difference in the tensors that take part.
fn worst_in(layout: &Layout, got: &[f32], expected: &[f32], takes_part: impl Fn(&str) -> bool) -> f64 {
    let slots = layout.slots.iter().filter(|s| takes_part(&s.name)).map(Slot::range);
    slots.map(|r| worst(&got[r.clone()], &expected[r])).fold(0.0, f64::max)
}

/// Batch norm takes the mean away, so the gradient of a bias before it is 0 but for rounding. Adam makes steps of full
/// length out of that rounding: such a bias walks at random, and its running mean after it, in PyTorch as here.
fn is_noise_under_adam(model: &str, name: &str) -> bool {
    model == "mlp-bn" && (["0.bias", "3.bias"].contains(&name) || name.ends_with("running_mean"))
}

/// Trains as PyTorch did and compares all that it left.
fn check(model: &str, optimizer: &str, words: &[&str], tolerance: Tolerance) {
    let stem = format!("{model}.{optimizer}");
    let mut trainer = trainer(model, words);
    let got: Vec<f64> = (0..STEPS).map(|_| f64::from(trainer.step().unwrap())).collect();
    let expected = losses(&stem);
    let first = worst_relative(&got[..1], &expected[..1]);
    let loss = worst_relative(&got, &expected);
    assert!(first <= 1e-6, "{stem}: first loss is off by {first:e}");
    assert!(loss <= tolerance.loss, "{stem}: a loss is off by {loss:e}");

    let (params, buffers) = trainer.session.model.layout();
    let last = tensors(&format!("{stem}.final.safetensors"), &[params, buffers]);
    let takes_part = |name: &str| optimizer == "sgd" || !is_noise_under_adam(model, name);
    let weight = worst_in(params, &trainer.state.params, &last[0], takes_part);
    let average = worst_in(buffers, &trainer.state.buffers, &last[1], takes_part);
    assert!(weight <= tolerance.value, "{stem}: a weight is off by {weight:e}");
    assert!(average <= tolerance.value, "{stem}: a running average is off by {average:e}");

    // evaluation is judged from PyTorch's own last state, so that no noise is in it
    trainer.state.params.copy_from_slice(&last[0]);
    trainer.state.buffers.copy_from_slice(&last[1]);
    let logit = worst(&logits(&mut trainer), &golden_logits(&stem));
    assert!(logit <= 1e-5, "{stem}: a logit is off by {logit:e}");
    println!(
        "{stem}: first {first:.1e} loss {loss:.1e} weight {weight:.1e} average {average:.1e} logit {logit:.1e}"
    );
}

/// What the model gives for the first rows, in evaluation.
fn logits(trainer: &mut Trainer) -> Vec<f32> {
    let order: Vec<u32> = (0..512).collect();
    assert_eq!(trainer.prepared().unwrap().splits.train, order, "samples are not in the order of the file");
    trainer.measure(thalweg::train::Split::Train, None, true).unwrap().outputs[..BATCH * 5].to_vec()
}

fn golden_logits(stem: &str) -> Vec<f32> {
    let slot = Slot::new("logits", [BATCH, 5], 0);
    let layout = Layout { slots: vec![slot] };
    tensors(&format!("{stem}.logits.safetensors"), &[&layout]).swap_remove(0)
}

#[test]
fn sgd_with_momentum() {
    for model in ["mlp", "mlp-bn"] {
        let words = ["optimizer=momentum", "optimizer.lr=0.05", "optimizer.momentum=0.9"];
        check(model, "sgd", &words, SGD);
    }
}

#[test]
fn adam() {
    for model in ["mlp", "mlp-bn"] {
        check(model, "adam", &["optimizer=adam", "optimizer.lr=0.001"], ADAM);
    }
}

#[test]
fn adamw_that_decays_all() {
    for model in ["mlp", "mlp-bn"] {
        check(model, "adamw", &["optimizer=adamw", "lr=0.001", "optimizer.decay_on=all"], ADAM);
    }
}

#[test]
fn adamw_that_decays_matrices() {
    for model in ["mlp", "mlp-bn"] {
        check(model, "adamw-matrices", &["optimizer=adamw", "lr=0.001"], ADAM);
    }
}

/// Which parameters decay must be worth more than the tolerance, or the tests above could not tell.
#[test]
fn tolerances_are_smaller_than_what_the_rule_of_decay_changes() {
    for model in ["mlp", "mlp-bn"] {
        let trainer = trainer(model, &[]);
        let layouts = trainer.session.model.layout();
        let last = |rule: &str| {
            tensors(&format!("{model}.{rule}.final.safetensors"), &[layouts.0, layouts.1]).swap_remove(0)
        };
        for (a, b) in [("adam", "adamw"), ("adam", "adamw-matrices"), ("adamw", "adamw-matrices")] {
            let (a_losses, b_losses) = (losses(&format!("{model}.{a}")), losses(&format!("{model}.{b}")));
            let loss = worst_relative(&a_losses, &b_losses);
            let takes_part = |name: &str| !is_noise_under_adam(model, name);
            let weight = worst_in(layouts.0, &last(a), &last(b), takes_part);
            println!("{model} {a} {b}: loss {loss:.1e} weight {weight:.1e}");
            assert!(loss > 100.0 * ADAM.loss, "{model}: {a} and {b} differ by {loss:e} in losses only");
            assert!(weight > 100.0 * ADAM.value, "{model}: {a} and {b} differ by {weight:e} in weights only");
        }
    }
}

/// Gradients of all parameters for the first batch, measured against the largest of each tensor.
#[test]
fn first_gradients() {
    for model in ["mlp", "mlp-bn"] {
        for threads in ["threads=1", "threads=2"] {
            let trainer = trainer(model, &[threads]);
            let got = first_gradient(&trainer);
            let layout = trainer.session.model.params();
            let expected = tensors(&format!("{model}.grads.safetensors"), &[layout]).swap_remove(0);
            let largest = |values: &[f32]| values.iter().fold(0.0f64, |m, x| m.max(f64::from(x.abs())));
            for slot in &layout.slots {
                let (got, expected) = (&got[slot.range()], &expected[slot.range()]);
                let noise = is_noise_under_adam(model, &slot.name);
                let off = if noise { largest(got) } else { worst(got, expected) / largest(expected) };
                let allowed = if noise { 3e-7 } else { 3e-6 };
                assert!(off <= allowed, "{model}, {threads}: {} is off by {off:e}", slot.name);
                println!("{model} {threads} {}: off by {off:.1e}", slot.name);
            }
        }
    }
}

fn first_gradient(trainer: &Trainer) -> Vec<f32> {
    let options = trainer.session.options(BATCH);
    let step = trainer.session.graph(&ProgramKey::train(BATCH)).unwrap();
    let plan = Arc::new(Plan::compile(&step.graph, &step.wanted, options).unwrap());
    let mut executor = Executor::new(plan, Arc::new(Pool::new(options.workers)));
    let (set, reading) = (&trainer.prepared().unwrap().set, &trainer.prepared().unwrap().reading);
    let rows: Vec<u32> = (0..BATCH as u32).collect();
    let (mut x, mut y) = (vec![f32::NAN; BATCH * set.n_inputs()], vec![f32::NAN; BATCH]);
    set.gather(&rows, &reading.inputs, &mut x).unwrap();
    set.gather_targets(&rows, &reading.targets, &mut y);
    let (params, buffers) = trainer.weights();
    executor.run(StepContext { params, buffers, tangents: &[], draw: Draw::default() }, &[&x[..], &y[..]]);
    let mut gradient = vec![f32::NAN; params.len()];
    executor.gradients(&mut gradient);
    gradient
}
