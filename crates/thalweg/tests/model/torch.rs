//! A net that PyTorch made: its weights are read, its results, gradients and running averages are met.

use super::{close, model, run};
use engine::exec::StepContext;
use engine::graph::{Graph, Layout, Slot};
use engine::ops::losses::CrossEntropy;
use engine::{Draw, Executor, Plan, PlanOptions, Pool, Wanted};
use std::path::PathBuf;
use std::sync::Arc;
use thalweg::engine;
use thalweg::model::weights::{WeightsFile, read};
use thalweg::model::{Mode, Model};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/model").join(name)
}

/// The tensors of `torch_run.safetensors`: x, eval, train, gradient, buffers.
fn torch_run() -> [Vec<f32>; 5] {
    let file = WeightsFile::open(&fixture("torch_run.safetensors")).unwrap();
    let shapes: std::collections::BTreeMap<_, _> = file.tensors().unwrap().into_iter().collect();
    let mut slots = Vec::new();
    for name in ["x", "eval", "train", "gradient", "buffers"] {
        let offset = slots.last().map_or(0, |s: &Slot| s.range().end);
        slots.push(Slot::new(name, shapes[name].clone(), offset));
    }
    let layout = Layout { slots };
    let mut flat = vec![0.0; layout.len()];
    file.load(&mut [(&layout, &mut flat)]).unwrap();
    std::array::from_fn(|i| flat[layout.slots[i].range()].to_vec())
}

/// The net of `golden.py`, with its weights.
fn torch_net() -> (Model, Vec<f32>, Vec<f32>) {
    let layers = r#"{"layers": [{"type": "linear", "units": 4}, "batch_norm", "gelu", {"type": "linear", "units": 4},
        "layer_norm", {"type": "elu", "alpha": 0.5}, {"type": "linear", "units": "outputs"}]}"#;
    let net = model(layers, &[5], 3);
    let (mut params, mut buffers) = net.init(0);
    let sets = &mut [(net.params(), &mut params[..]), (net.buffers(), &mut buffers[..])];
    let matched = read(&fixture("torch_net.safetensors"), sets).unwrap();
    assert_eq!(
        (matched.prefix.as_str(), &matched.ignored[..]),
        ("net.", &["net.1.num_batches_tracked".to_owned()][..])
    );
    (net, params, buffers)
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn results_and_running_averages() {
    let (net, params, mut buffers) = torch_net();
    let [x, eval, train, _, moved] = torch_run();
    close(&run(&net, &x, &params, &mut buffers, Mode::Eval), &f64s(&eval), 1e-6);
    close(&run(&net, &x, &params, &mut buffers, Mode::Train), &f64s(&train), 1e-6);
    close(&buffers, &f64s(&moved), 1e-6);
}

#[test]
fn gradients_of_the_cross_entropy() {
    let (net, params, buffers) = torch_net();
    let [x, _, _, gradient, _] = torch_run();
    let mut g = Graph::new();
    let input = net.input(&mut g, 6).unwrap();
    let labels = g.input("labels", [6]).unwrap();
    let y = net.forward(&mut g, input, Mode::Train).unwrap();
    let loss = g.cross_entropy(y, labels, CrossEntropy::default()).unwrap().mean;
    let gradients = g.gradients(loss, &net.param_vars(&g)).unwrap();
    let wanted = Wanted { outputs: vec![loss], gradients, assigns: true };
    let options = PlanOptions::new(6, 2, 1);
    let mut executor =
        Executor::new(Arc::new(Plan::compile(&g, &wanted, options).unwrap()), Arc::new(Pool::new(1)));
    let labels = [0.0, 1.0, 2.0, 2.0, 1.0, 0.0];
    executor.run(
        StepContext { params: &params, buffers: &buffers, tangents: &[], draw: Draw::default() },
        &[&x[..], &labels[..]],
    );
    let mut got = vec![f32::NAN; params.len()];
    executor.gradients(&mut got);
    close(&got, &f64s(&gradient), 1e-6);
}
