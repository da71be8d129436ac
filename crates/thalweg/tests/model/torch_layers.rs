//! Every layer of images against PyTorch: results, gradients of inputs and parameters, running averages.
//!
//! The frozen side is in `golden/layers`, with the generator that wrote it; both sides make inputs by one formula.

use super::close;
use super::formula::noise;
use engine::exec::StepContext;
use engine::graph::{Graph, Layout, Slot};
use engine::plan::CACHE_BYTES;
use engine::{Draw, Executor, Plan, PlanOptions, Pool, Wanted};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thalweg::engine;
use thalweg::layers::LayerConfig;
use thalweg::model::weights::WeightsFile;
use thalweg::model::{Mode, Model};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/layers").join(name)
}

/// All tensors of the golden file, in PyTorch's layouts.
fn results() -> BTreeMap<String, Vec<f32>> {
    let file = WeightsFile::open(&golden("cases.safetensors")).unwrap();
    let mut slots = Vec::new();
    for (name, shape) in file.tensors().unwrap() {
        let offset = slots.last().map_or(0, |s: &Slot| s.range().end);
        slots.push(Slot::new(name, shape, offset));
    }
    let all = Layout { slots };
    let mut values = vec![f32::NAN; all.len()];
    file.load(&mut [(&all, &mut values)]).unwrap();
    all.slots.iter().map(|s| (s.name.clone(), values[s.range()].to_vec())).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// `[B, C, ..]` as `[B, .., C]`.
fn channels_last(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let (batch, channels) = (shape[0], shape[1]);
    let pixels: usize = shape[2..].iter().product();
    let at = |b: usize, p: usize, c: usize| values[(b * channels + c) * pixels + p];
    (0..batch)
        .flat_map(|b| (0..pixels).flat_map(move |p| (0..channels).map(move |c| (b, p, c))))
        .map(|(b, p, c)| at(b, p, c))
        .collect()
}

/// `[O, I, ..]` as `[.., I, O]`; anything else as it is.
fn kernel_last(values: &[f32], slot: &Slot) -> Vec<f32> {
    let (file, memory) = (slot.file_shape(), &slot.shape);
    if memory.len() < 4 {
        return values.to_vec();
    }
    let taps: usize = file[2..].iter().product();
    let (outputs, inputs) = (file[0], file[1]);
    let at = |k: usize, i: usize, o: usize| values[(o * inputs + i) * taps + k];
    (0..taps)
        .flat_map(|k| (0..inputs).flat_map(move |i| (0..outputs).map(move |o| (k, i, o))))
        .map(|(k, i, o)| at(k, i, o))
        .collect()
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

fn without_batch(shape: &[usize]) -> Vec<usize> {
    shape[2..].iter().copied().chain([shape[1]]).collect()
}

fn check(case: &Value, results: &BTreeMap<String, Vec<f32>>, workers: usize) {
    let name = case["name"].as_str().unwrap();
    let layers: Vec<LayerConfig> = serde_json::from_value(case["layers"].clone()).unwrap();
    let (x_shape, y_shape) = (sizes(&case["x"]), sizes(&case["y"]));
    let model = Model::from_fn(&without_batch(&x_shape), move |b, x| b.sequence(&layers, x)).unwrap();
    let filled = |suffix: &str, n: usize| noise(&format!("{name}.{suffix}"), n);
    let x = channels_last(&filled("x", x_shape.iter().product()), &x_shape);
    let dy = channels_last(&filled("dy", y_shape.iter().product()), &y_shape);
    let mut params = Vec::new();
    for slot in &model.params().slots {
        params.extend(kernel_last(&filled(&slot.name, slot.shape.numel()), slot));
    }
    let mut buffers = model.init(0).1;

    let batch = x_shape[0];
    let mut g = Graph::new();
    let input = model.input(&mut g, batch).unwrap();
    let y = model.forward(&mut g, input, Mode::Train).unwrap();
    let arriving = g.input("dy", g.shape(y).clone()).unwrap();
    let product = g.mul(y, arriving).unwrap();
    let loss = g.sum(product).unwrap();
    let vars: Vec<_> = std::iter::once(input).chain(model.param_vars(&g)).collect();
    let mut gradients = g.gradients(loss, &vars).unwrap();
    let dx = gradients.remove(0);
    let wanted = Wanted { outputs: vec![y, dx], gradients, assigns: true };
    let options = PlanOptions { batch, shards: 2, workers, fuse: true, cache_bytes: CACHE_BYTES };
    let mut executor =
        Executor::new(Arc::new(Plan::compile(&g, &wanted, options).unwrap()), Arc::new(Pool::new(workers)));
    let context = StepContext { params: &params, buffers: &buffers, tangents: &[], draw: Draw::default() };
    executor.run(context, &[&x[..], &dy[..]]);
    let output = |i: usize| {
        let mut out = vec![f32::NAN; executor.output_len(i)];
        executor.output(i, &mut out);
        out
    };
    close(&output(0), &f64s(&channels_last(&results[&format!("{name}.y")], &y_shape)), 2e-6);
    close(&output(1), &f64s(&channels_last(&results[&format!("{name}.dx")], &x_shape)), 4e-6);
    let mut gradient = vec![f32::NAN; params.len()];
    if !gradient.is_empty() {
        executor.gradients(&mut gradient);
    }
    for slot in &model.params().slots {
        let want = kernel_last(&results[&format!("{name}.d.{}", slot.name)], slot);
        close(&gradient[slot.range()], &f64s(&want), 4e-6);
    }
    executor.assign(&mut buffers);
    for slot in &model.buffers().slots {
        close(&buffers[slot.range()], &f64s(&results[&format!("{name}.b.{}", slot.name)]), 2e-6);
    }
    let n = results.keys().filter(|key| key.split('.').next() == Some(name)).count();
    assert_eq!(
        n,
        2 + model.params().slots.len() + model.buffers().slots.len(),
        "{name}: tensors that nobody asked for"
    );
}

#[test]
fn layers_of_images_are_pytorchs() {
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(golden("cases.json")).unwrap()).unwrap();
    let results = results();
    for case in cases.as_array().unwrap() {
        println!("{}", case["name"]);
        check(case, &results, 1);
        check(case, &results, 2);
    }
}
