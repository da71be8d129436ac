//! Training steps of convolutional networks on random images: `cargo bench -p thalweg-engine --bench images [THREADS]
//! [--plan]`.

#![allow(clippy::print_stdout, reason = "figures for developers")]

use std::sync::Arc;
use std::time::Instant;

use engine::graph::{Built, Graph, Var};
use engine::kernels::update::{Scale, momentum};
use engine::ops::conv::{ConvOptions, Padding};
use engine::ops::losses::CrossEntropy;
use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Piece, Plan, PlanOptions, Pool, StateVec, StepContext, Update, Wanted};

struct Momentum;

impl Update for Momentum {
    fn apply(&self, piece: Piece) {
        let scale = Scale { lr: 1e-2, grad: 1.0, l2: 1e-4, keep: 1.0 };
        if let [m] = piece.states {
            momentum(&scale, 0.9, piece.values, piece.gradient, m);
        }
    }
}

/// A 3×3 convolution with batch norm.
fn conv_norm(g: &mut Graph, x: Var, channels: usize, stride: usize) -> Built {
    let inner = g.shape(x).last_dim();
    let w = g.param("weight", [3, 3, inner, channels])?;
    let options = ConvOptions { stride: [stride; 2], padding: Padding::both(1, 1), ..ConvOptions::default() };
    let y = g.conv2d(x, w, &options)?;
    let (gamma, beta) = (g.param("gamma", [channels])?, g.param("beta", [channels])?);
    Ok(g.batch_norm(y, gamma, beta, 1e-5)?.y)
}

/// The ResNet of He et al. for CIFAR, with 1×1 convolutions where the shape changes.
fn resnet(g: &mut Graph, x: Var, blocks: usize) -> Built {
    let y = g.scope("stem", |g| conv_norm(g, x, 16, 1))?;
    let mut y = g.relu(y)?;
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            y = g.scope(format!("{stage}.{block}"), |g| {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let z = g.scope("a", |g| conv_norm(g, y, channels, stride))?;
                let z = g.relu(z)?;
                let z = g.scope("b", |g| conv_norm(g, z, channels, 1))?;
                let skip = if stride == 1 {
                    y
                } else {
                    let w = g.param("skip", [1, 1, channels / 2, channels])?;
                    g.conv2d(y, w, &ConvOptions { stride: [2, 2], ..ConvOptions::default() })?
                };
                let sum = g.add(z, skip)?;
                g.relu(sum)
            })?;
        }
    }
    let n = g.shape(y).to_vec();
    let total = g.sum_axes(y, 1, 3)?;
    let mean = g.scale(total, 1.0 / (n[1] * n[2]) as f32)?;
    let mean = g.reshape(mean, [n[0], n[3]])?;
    let (w, b) = (g.param("fc", [10, n[3]])?, g.param("bias", [10])?);
    g.linear(mean, w, Some(b))
}

fn main() {
    let threads: usize = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(2);
    let pool = Arc::new(Pool::new(threads));
    for (name, batch, blocks) in [("resnet20 b128", 128, 3)] {
        let mut g = Graph::new();
        let x = g.input("x", [batch, 32, 32, 3]).unwrap();
        let labels = g.input("labels", [batch]).unwrap();
        let y = resnet(&mut g, x, blocks).unwrap();
        let loss = g.cross_entropy(y, labels, CrossEntropy::default()).unwrap().mean;
        let params: Vec<Var> =
            g.vars().filter(|v| matches!(g.node(*v).op, engine::ops::Op::Param(_))).collect();
        let gradients = g.gradients(loss, &params).unwrap();
        let wanted = Wanted { outputs: vec![loss], gradients, assigns: false };
        let plan = Plan::compile(&g, &wanted, PlanOptions::new(batch, 8, threads)).unwrap();
        if std::env::args().any(|a| a == "--plan") {
            println!("{}", plan.print(&g));
        }
        let flops = plan.total_cost().flops as f64;
        let arena = plan.arena_len * 4 * threads;
        let mut executor = Executor::new(Arc::new(plan), pool.clone());
        let rng = Rng::new(0, Purpose::Init, 0, 0);
        let n = g.params.len();
        let mut values: Vec<f32> = (0..n as u64).map(|i| 0.05 * rng.normal(i)).collect();
        let mut m = [StateVec::like(&g.params)];
        let x: Vec<f32> = (0..(batch * 3072) as u64).map(|i| rng.uniform(i)).collect();
        let labels: Vec<f32> = (0..batch).map(|i| (i % 10) as f32).collect();
        let mut times = vec![];
        for step in 1..=20u64 {
            let start = Instant::now();
            let context = StepContext {
                params: &values,
                buffers: &[],
                tangents: &[],
                draw: Draw { seed: 0, step, first_row: 0 },
            };
            executor.run(context, &[&x[..], &labels[..]]);
            executor.update(&mut values, &mut m, &Momentum);
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.drain(..3);
        times.sort_by(f64::total_cmp);
        let all = times[times.len() / 2];
        println!(
            "{name:<24} {all:.1} ms a step, {:.0} GFLOP/s, arenas {} MiB, loss {:.4}",
            flops / all / 1e6,
            arena >> 20,
            executor.scalar(0)
        );
    }
}
