//! Models: names and shapes as PyTorch's, results against independent references, every message, weights in files.

use engine::exec::StepContext;
use engine::graph::{Graph, Layout};
use engine::{Draw, Executor, Plan, PlanOptions, Pool, Wanted};
use std::sync::Arc;
use thalweg::engine;
use thalweg::model::{Mode, Model, ModelConfig};

mod config;
mod finetune;
#[path = "../common/formula.rs"]
mod formula;
mod images;
mod init;
mod layers;
mod torch;
mod torch_layers;
mod weights;

/// A config written as JSON.
fn config(json: &str) -> Result<ModelConfig, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn model(json: &str, input_shape: &[usize], n_outputs: usize) -> Model {
    Model::new(&config(json).unwrap(), input_shape, n_outputs).unwrap()
}

/// Names and shapes, one a line.
fn listing(layout: &Layout) -> Vec<String> {
    layout.slots.iter().map(|s| format!("{} {}", s.name, s.shape)).collect()
}

/// Numbers that look random, in [-1, 1).
fn noise(n: usize, salt: u64) -> Vec<f32> {
    let rng = engine::rng::Rng::new(salt, engine::rng::Purpose::Probe, 0, 0);
    (0..n as u64).map(|i| 2.0 * rng.uniform(i) - 1.0).collect()
}

/// One batch through a model by the fast path; buffers take their new values in training.
fn run(model: &Model, x: &[f32], params: &[f32], buffers: &mut [f32], mode: Mode) -> Vec<f32> {
    let batch = x.len() / model.input_shape().iter().product::<usize>();
    let mut g = Graph::new();
    let input = model.input(&mut g, batch).unwrap();
    let y = model.forward(&mut g, input, mode).unwrap();
    let wanted = Wanted { outputs: vec![y], gradients: vec![], assigns: mode == Mode::Train };
    let options = PlanOptions::new(batch, 2, 1);
    let mut executor =
        Executor::new(Arc::new(Plan::compile(&g, &wanted, options).unwrap()), Arc::new(Pool::new(1)));
    let draw = Draw { seed: 3, step: 5, first_row: 0 };
    executor.run(StepContext { params, buffers, tangents: &[], draw }, &[x]);
    let mut out = vec![f32::NAN; executor.output_len(0)];
    executor.output(0, &mut out);
    if mode == Mode::Train {
        executor.assign(buffers);
    }
    out
}

#[track_caller]
fn close(got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(1.0f64, |s, x| s.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(*g) - w).abs() <= tolerance * scale, "[{i}]: got {g}, want {w}");
    }
}
