//! Pooling, resizing and norms of images against PyTorch's results and gradients, frozen in `golden/torch` beside the
//! script that wrote them.

use std::path::Path;
use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::pooling::PoolOptions;
use engine::ops::resize::Resize;
use engine::ops::unary::Fn1;
use engine::{Draw, Executor, Plan, PlanOptions, Pool, StepContext, Wanted};
use serde_json::Value;

/// Largest difference, relative to the largest value: both sides round in f32, in different orders.
const TOLERANCE: f64 = 3e-6;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|x| x as usize).collect()
}

fn pair(value: &Value) -> [usize; 2] {
    sizes(value).try_into().unwrap()
}

fn operator(g: &mut Graph, x: Var, op: &str, a: &Value) -> Built<Var> {
    let windows = || PoolOptions {
        kernel: pair(&a["kernel"]),
        stride: pair(&a["stride"]),
        padding: pair(&a["padding"]),
        ceil: a["ceil"].as_bool().unwrap(),
    };
    match op {
        "max_pool" => g.max_pool2d(x, &windows()),
        "avg_pool" => g.avg_pool2d(x, &windows(), a["count_padding"].as_bool().unwrap()),
        "adaptive" => g.adaptive_avg_pool2d(x, pair(&a["size"])),
        "nearest" => g.resize(x, pair(&a["size"]), Resize::Nearest),
        "bilinear" => g.resize(x, pair(&a["size"]), Resize::Bilinear),
        "group_norm" => g.group_norm(x, a["groups"].as_u64().unwrap() as usize, 1e-5),
        "instance_norm" => g.instance_norm(x, 1e-5),
        _ => unreachable!("an operator {op}"),
    }
}

fn check(what: &str, got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0f64, |s, x| s.max(x.abs()));
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*g) - e).abs() / scale;
        assert!(error <= TOLERANCE, "{what}[{i}]: got {g}, PyTorch has {e}, error {error:e}");
    }
}

#[test]
fn results_and_gradients_are_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch/windows.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let pool = Arc::new(Pool::new(1));
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 60);
    for case in cases {
        let (op, image) = (case["op"].as_str().unwrap(), case["image"].as_str().unwrap());
        let what = format!("{op} {} of {image}", case["arguments"]);
        let image = &golden["images"][image];
        let data: Vec<f32> = numbers(&image["data"]).into_iter().map(|x| x as f32).collect();
        let shape = sizes(&image["shape"]);
        let mut g = Graph::new();
        let x = g.input("x", shape.clone()).unwrap();
        let y = operator(&mut g, x, op, &case["arguments"]).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(g.shape(y)[..], sizes(&case["shape"]), "{what}");
        let square = g.unary(Fn1::Square, y).unwrap();
        let sum = g.sum(square).unwrap();
        let half = g.scale(sum, 0.5).unwrap();
        let dx = g.gradients(half, &[x]).unwrap()[0];
        let wanted = Wanted { outputs: vec![y, dx], ..Wanted::default() };
        let options = PlanOptions::new(shape[0], 2, 1);
        let mut executor =
            Executor::new(Arc::new(Plan::compile(&g, &wanted, options).unwrap()), pool.clone());
        executor.run(
            StepContext { params: &[], buffers: &[], tangents: &[], draw: Draw::default() },
            &[&data[..]],
        );
        for (i, name) in ["y", "dx"].into_iter().enumerate() {
            let mut out = vec![f32::NAN; executor.output_len(i)];
            executor.output(i, &mut out);
            check(&format!("{what}: {name}"), &out, &numbers(&case[name]));
        }
    }
}
