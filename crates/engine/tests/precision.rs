//! Gradients on inputs on which sums cancel: no further from f64 than five times PyTorch's in f32, whose distances are
//! frozen in `golden/torch` beside the script that found them.

#![allow(clippy::print_stdout, reason = "the distances found, for those who ask with --nocapture")]

use std::path::Path;
use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::Op;
use engine::ops::conv::{ConvOptions, Padding};
use engine::ops::losses::CrossEntropy;
use engine::ops::pooling::PoolOptions;
use engine::reference::Feed as Values;
use engine::{Executor, Feed, Plan, PlanOptions, Pool, StepContext, Wanted};
use serde_json::Value;

/// How much further than PyTorch's a gradient may be.
const TIMES: f64 = 5.0;
/// Below this part of the largest element nobody needs to be: what f32 can hold.
const HALF_UNIT: f64 = 6e-8;

/// The numbers of the script's `value`.
fn value(n: usize, salt: u32) -> impl Iterator<Item = f64> {
    (1..=n as u32).map(move |i| {
        let mut h = i.wrapping_mul(0x9E37_79B1).wrapping_add(salt.wrapping_mul(0x85EB_CA77));
        h ^= h >> 15;
        h = h.wrapping_mul(0x2C1B_3C6D);
        h ^= h >> 12;
        f64::from(h >> 8) / 8_388_608.0 - 1.0
    })
}

/// A network under way; leaves are numbered in the order of the script.
#[derive(Default)]
struct Net {
    g: Graph,
    values: Values,
    salt: u32,
}

impl Net {
    fn numbers(&mut self, shape: &[usize], low: f64, high: f64) -> Vec<f64> {
        self.salt += 1;
        let n = shape.iter().product();
        value(n, self.salt)
            .map(|v| f64::from((v * ((high - low) / 2.0) + (high + low) / 2.0) as f32))
            .collect()
    }

    fn input(&mut self, shape: &[usize], data: Vec<f64>) -> Built {
        self.values.inputs.push(data);
        self.g.input(&format!("x{}", self.values.inputs.len()), shape)
    }

    fn leaf(&mut self, shape: &[usize]) -> Built {
        self.leaf_in(shape, -1.0, 1.0)
    }

    fn leaf_in(&mut self, shape: &[usize], low: f64, high: f64) -> Built {
        let data = self.numbers(shape, low, high);
        self.input(shape, data)
    }

    fn param(&mut self, name: &str, shape: &[usize]) -> Built {
        self.param_in(name, shape, -1.0, 1.0)
    }

    fn param_in(&mut self, name: &str, shape: &[usize], low: f64, high: f64) -> Built {
        let data = self.numbers(shape, low, high);
        self.values.params.extend(data);
        self.g.param(name, shape)
    }

    fn norm_params(&mut self, c: usize) -> Built<(Var, Var)> {
        Ok((self.param_in("gamma", &[c], 0.5, 1.5)?, self.param("beta", &[c])?))
    }

    /// Σy·w with a weight of its own for each element.
    fn weighed(&mut self, y: Var) -> Built {
        let shape = self.g.shape(y).to_vec();
        let w = self.leaf(&shape)?;
        let product = self.g.mul(y, w)?;
        self.g.sum(product)
    }

    fn cross_entropy(&mut self, y: Var, step: usize) -> Built {
        let [n, classes] = self.g.shape(y)[..] else { unreachable!("logits") };
        let labels = self.input(&[n], (0..n).map(|i| (i * step % classes) as f64).collect())?;
        Ok(self.g.cross_entropy(y, labels, CrossEntropy::default())?.mean)
    }

    fn conv(&mut self, x: Var, w: Var, pad: usize, stride: usize, groups: usize) -> Built {
        let padding = Padding::both(pad, pad);
        self.g.conv2d(x, w, &ConvOptions { padding, groups, stride: [stride; 2], dilation: [1, 1] })
    }

    fn mean_over_image(&mut self, x: Var) -> Built {
        self.g.global_avg_pool(x)
    }
}

type Case = (&'static str, fn(&mut Net) -> Built);

const CASES: &[Case] = &[
    ("bias_of_canceling_sums", |n| {
        let x = n.leaf(&[64, 16, 16, 8])?;
        let b = n.param("bias", &[8])?;
        let half = n.numbers(&[32, 16, 16, 8], -1.0, 1.0);
        let both = half.iter().copied().chain(half.iter().map(|v| -v)).collect();
        let w = n.input(&[64, 16, 16, 8], both)?;
        let y = n.g.add(x, b)?;
        let y = n.g.mul(y, w)?;
        n.g.sum(y)
    }),
    ("bias_before_batch_norm", |n| {
        let x = n.leaf(&[64, 12, 12, 16])?;
        let b = n.param("bias", &[16])?;
        let (gamma, beta) = n.norm_params(16)?;
        let y = n.g.add(x, b)?;
        let y = n.g.batch_norm(y, gamma, beta, 1e-5)?.y;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("batch_norm_before_instance_norm", |n| {
        let x = n.leaf(&[32, 16, 16, 8])?;
        let (gamma, beta) = n.norm_params(8)?;
        let y = n.g.batch_norm(x, gamma, beta, 1e-5)?.y;
        let w = n.param("weight", &[3, 3, 1, 8])?;
        let y = n.conv(y, w, 0, 1, 8)?;
        let y = n.g.max_pool2d(y, &PoolOptions::square(2))?;
        let y = n.g.instance_norm(y, 1e-5)?;
        n.weighed(y)
    }),
    ("average_pool_before_instance_norm", |n| {
        let x = n.leaf(&[16, 24, 24, 4])?;
        let (gamma, beta) = n.norm_params(4)?;
        let y = n.g.batch_norm(x, gamma, beta, 1e-5)?.y;
        let windows = PoolOptions { stride: [1, 1], ..PoolOptions::square(3) };
        let y = n.g.avg_pool2d(y, &windows, true)?;
        let y = n.g.instance_norm(y, 1e-5)?;
        n.weighed(y)
    }),
    ("large_means", |n| {
        let x = n.leaf_in(&[32, 12, 12, 8], 99.0, 101.0)?;
        let (gamma, beta) = n.norm_params(8)?;
        let y = n.g.batch_norm(x, gamma, beta, 1e-5)?.y;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("numbers_before_layer_norm", |n| {
        let x = n.leaf(&[64, 20, 96])?;
        let b = n.param("bias", &[20, 1])?;
        let (gamma, beta) = n.norm_params(96)?;
        let y = n.g.add(x, b)?;
        let y = n.g.layer_norm(y, gamma, beta, 1e-5)?;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("long_layer_norm", |n| {
        let x = n.leaf(&[16, 4096])?;
        let p = n.param_in("scale", &[1], 0.5, 1.5)?;
        let (gamma, beta) = n.norm_params(4096)?;
        let y = n.g.mul(x, p)?;
        let y = n.g.layer_norm(y, gamma, beta, 1e-5)?;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("group_norm", |n| {
        let x = n.leaf(&[16, 16, 16, 16])?;
        let b = n.param("bias", &[16])?;
        let y = n.g.add(x, b)?;
        let y = n.g.group_norm(y, 4, 1e-5)?;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("global_average_pool", |n| {
        let x = n.leaf(&[32, 32, 32, 8])?;
        let p = n.param_in("scale", &[8], 0.5, 1.5)?;
        let b = n.param("bias", &[8])?;
        let y = n.g.mul(x, p)?;
        let y = n.g.add(y, b)?;
        let y = n.mean_over_image(y)?;
        let mean = n.g.mean_axes(y, 1, 2)?;
        let y = n.g.sub(y, mean)?;
        let y = n.g.mul(y, y)?;
        n.weighed(y)
    }),
    ("large_rows", |n| {
        let x = n.leaf_in(&[8, 4096], 99.0, 101.0)?;
        let (gamma, beta) = n.norm_params(4096)?;
        let y = n.g.layer_norm(x, gamma, beta, 1e-5)?;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("large_channels", |n| {
        let x = n.leaf_in(&[2, 64, 64, 48], 99.0, 101.0)?;
        let (gamma, beta) = n.norm_params(48)?;
        let y = n.g.batch_norm(x, gamma, beta, 1e-5)?.y;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("large_images", |n| {
        let x = n.leaf_in(&[1, 256, 256, 2], 99.0, 101.0)?;
        let (gamma, beta) = n.norm_params(2)?;
        let y = n.g.instance_norm(x, 1e-5)?;
        let y = n.g.mul(y, gamma)?;
        let y = n.g.add(y, beta)?;
        let y = n.g.tanh(y)?;
        n.weighed(y)
    }),
    ("large_pixels", |n| {
        let x = n.leaf_in(&[4, 64, 64, 32], 99.0, 101.0)?;
        let (gamma, beta) = n.norm_params(32)?;
        let y = n.mean_over_image(x)?;
        let y = n.g.layer_norm(y, gamma, beta, 1e-9)?;
        n.weighed(y)
    }),
    ("many_classes", |n| {
        let x = n.leaf(&[16, 8])?;
        let (w, b) = (n.param("weight", &[4096, 8])?, n.param("bias", &[4096])?);
        let y = n.g.linear(x, w, Some(b))?;
        n.cross_entropy(y, 7)
    }),
    ("softmax_and_dense", |n| {
        let x = n.leaf(&[256, 64])?;
        let (w, b) = (n.param("weight", &[10, 64])?, n.param("bias", &[10])?);
        let y = n.g.linear(x, w, Some(b))?;
        n.cross_entropy(y, 7)
    }),
    ("dense_chain", |n| {
        let mut y = n.leaf(&[512, 32])?;
        for i in 0..3 {
            let w = n.param_in(&format!("weight{i}"), &[32, 32], -0.3, 0.3)?;
            let b = n.param(&format!("bias{i}"), &[32])?;
            y = n.g.linear(y, w, Some(b))?;
            y = n.g.tanh(y)?;
        }
        n.weighed(y)
    }),
    ("convolutions", |n| {
        let mut y = n.leaf(&[16, 16, 16, 4])?;
        let sizes = [(3, 1, 1, 4, 8), (1, 1, 1, 8, 16), (5, 1, 1, 16, 8), (3, 2, 2, 8, 8)];
        for (i, (k, stride, groups, c, o)) in sizes.into_iter().enumerate() {
            let w = n.param_in(&format!("weight{i}"), &[k, k, c / groups, o], -0.3, 0.3)?;
            let b = n.param(&format!("bias{i}"), &[o])?;
            y = n.conv(y, w, k / 2, stride, groups)?;
            y = n.g.add(y, b)?;
            y = n.g.tanh(y)?;
        }
        n.weighed(y)
    }),
    ("residual_block", |n| {
        let x = n.leaf(&[32, 8, 8, 16])?;
        let mut y = x;
        for i in 0..2 {
            let w = n.param_in(&format!("weight{i}"), &[3, 3, 16, 16], -0.2, 0.2)?;
            let gamma = n.param_in(&format!("gamma{i}"), &[16], 0.5, 1.5)?;
            let beta = n.param(&format!("beta{i}"), &[16])?;
            y = n.conv(y, w, 1, 1, 1)?;
            y = n.g.batch_norm(y, gamma, beta, 1e-5)?.y;
            y = n.g.relu(y)?;
        }
        let y = n.g.add(x, y)?;
        let y = n.mean_over_image(y)?;
        let (w, b) = (n.param("weight", &[10, 16])?, n.param("bias", &[10])?);
        let y = n.g.linear(y, w, Some(b))?;
        n.cross_entropy(y, 3)
    }),
];

/// The flat gradient of the fast path.
fn fast(net: &Net, gradients: &[Var], shards: usize) -> Vec<f32> {
    let f32s = |v: &[f64]| v.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let wanted = Wanted { gradients: gradients.to_vec(), ..Wanted::default() };
    let options = PlanOptions::new(net.g.inputs[0].shape[0], shards, 1);
    let mut executor =
        Executor::new(Arc::new(Plan::compile(&net.g, &wanted, options).unwrap()), Arc::new(Pool::new(1)));
    let inputs: Vec<Vec<f32>> = net.values.inputs.iter().map(|x| f32s(x)).collect();
    let params = f32s(&net.values.params);
    executor.run(
        StepContext { params: &params, buffers: &[], tangents: &[], draw: net.values.draw },
        &Whole(&inputs),
    );
    let mut gradient = vec![f32::NAN; params.len()];
    executor.gradients(&mut gradient);
    gradient
}

struct Whole<'a>(&'a [Vec<f32>]);

impl Feed for Whole<'_> {
    fn fill(&self, input: usize, rows: std::ops::Range<usize>, out: &mut [f32]) {
        let slices: Vec<&[f32]> = self.0.iter().map(Vec::as_slice).collect();
        slices[..].fill(input, rows, out);
    }
}

fn check((name, build): Case, golden: &Value) -> Vec<String> {
    let mut net = Net::default();
    let loss = build(&mut net).unwrap();
    let params: Vec<Var> = net.g.vars().filter(|v| matches!(net.g.node(*v).op, Op::Param(_))).collect();
    let gradients = net.g.gradients(loss, &params).unwrap();
    let mut worse = vec![];
    for shards in [1, 8] {
        let got = fast(&net, &gradients, shards);
        for slot in &net.g.params.slots {
            let what = format!("{name} {} in {shards} shards", slot.name);
            let golden = &golden[name][&slot.name];
            let exact = golden["values"].as_array().unwrap();
            let ours = got[slot.range()].iter().step_by(slot.shape.numel().div_ceil(64));
            assert_eq!(ours.len(), exact.len(), "{what}");
            let apart = ours.zip(exact).map(|(g, e)| (f64::from(*g) - e.as_f64().unwrap()).abs());
            let error = apart.fold(0.0, |worst, e| if e <= worst { worst } else { e });
            let theirs = golden["error"].as_f64().unwrap();
            let allowed = TIMES * theirs.max(HALF_UNIT * golden["largest"].as_f64().unwrap());
            println!("{what}: {error:.2e}, PyTorch {theirs:.2e}, {:.2} of what is allowed", error / allowed);
            if error.is_nan() || error > allowed {
                worse.push(format!("{what}: off by {error:.2e}, PyTorch by {theirs:.2e}"));
            }
        }
    }
    worse
}

#[test]
fn gradients_are_about_as_exact_as_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torch/precision.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(golden["cases"].as_object().unwrap().len(), CASES.len());
    let worse: Vec<String> = CASES.iter().flat_map(|case| check(*case, &golden["cases"])).collect();
    assert!(worse.is_empty(), "{}", worse.join("\n"));
}

#[test]
fn a_long_sum_beyond_f32_is_infinite() {
    let mut net = Net::default();
    let x = net.input(&[80, 1], [vec![3e38; 40], vec![-1.0; 40]].concat()).unwrap();
    let b = net.param("bias", &[1]).unwrap();
    let y = net.g.mul(x, b).unwrap();
    let loss = net.g.sum(y).unwrap();
    let gradients = net.g.gradients(loss, &[b]).unwrap();
    for shards in [1, 2] {
        assert_eq!(fast(&net, &gradients, shards), [f32::INFINITY]);
    }
}
