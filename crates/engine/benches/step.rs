//! Whole training steps of dense networks: `cargo bench -p thalweg-engine --bench step [THREADS] [NETWORK]`.

#![allow(clippy::print_stdout, reason = "figures for developers")]

use std::sync::Arc;
use std::time::Instant;

use engine::graph::{Built, Graph, Var};
use engine::kernels::update::{AdamScale, Scale, adam};
use engine::ops::losses::CrossEntropy;
use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Piece, Plan, PlanOptions, Pool, StateVec, StepContext, Update, Wanted};

struct Adam(AdamScale);

impl Update for Adam {
    fn apply(&self, piece: Piece) {
        let scale = Scale { lr: 1e-3, grad: 1.0, l2: 0.0, keep: 1.0 };
        if let [m, v] = piece.states {
            adam(&scale, &self.0, piece.values, piece.gradient, m, v);
        }
    }
}

fn mlp(g: &mut Graph, batch: usize, sizes: &[usize], norm: bool) -> Built<(Var, Vec<Var>)> {
    let mut x = g.input("x", [batch, sizes[0]])?;
    let labels = g.input("labels", [batch])?;
    let last = sizes.len() - 2;
    let mut params = vec![];
    for (i, pair) in sizes.windows(2).enumerate() {
        x = g.scope(i.to_string(), |g| {
            let w = g.param("weight", [pair[1], pair[0]])?;
            let b = g.param("bias", [pair[1]])?;
            params.extend([w, b]);
            let mut y = g.linear(x, w, Some(b))?;
            if norm && i < last {
                let (gamma, beta) = (g.param("gamma", [pair[1]])?, g.param("beta", [pair[1]])?);
                params.extend([gamma, beta]);
                y = g.batch_norm(y, gamma, beta, 1e-5)?.y;
            }
            if i < last { g.relu(y) } else { Ok(y) }
        })?;
    }
    Ok((g.cross_entropy(x, labels, CrossEntropy::default())?.mean, params))
}

fn main() {
    let threads: usize = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(2);
    let pool = Arc::new(Pool::new(threads));
    let wide: Vec<usize> = [784].into_iter().chain([500; 10]).chain([10]).collect();
    let cases: [(&str, usize, &[usize], bool); 4] = [
        ("784-128-10 b64", 64, &[784, 128, 10], false),
        ("784-512-512-10 b128", 128, &[784, 512, 512, 10], false),
        ("784-10x500-10 b128", 128, &wide, false),
        ("784-10x500-10 b128 bn", 128, &wide, true),
    ];
    for (name, batch, sizes, norm) in cases {
        if std::env::args().skip(1).any(|a| !a.starts_with('-') && a.parse::<usize>().is_err() && a != name) {
            continue;
        }
        let mut g = Graph::new();
        let (loss, params) = mlp(&mut g, batch, sizes, norm).unwrap();
        let gradients = g.gradients(loss, &params).unwrap();
        let wanted = Wanted { outputs: vec![loss], gradients, assigns: false };
        let plan = Plan::compile(&g, &wanted, PlanOptions::new(batch, 8, threads)).unwrap();
        if std::env::args().any(|a| a == "--plan") {
            println!("{}", plan.print(&g));
        }
        let flops = plan.total_cost().flops as f64;
        let mut executor = Executor::new(Arc::new(plan), pool.clone());
        let rng = Rng::new(0, Purpose::Init, 0, 0);
        let n = g.params.len();
        let mut values: Vec<f32> = (0..n as u64).map(|i| 0.05 * rng.normal(i)).collect();
        let mut states = [(); 2].map(|()| StateVec::like(&g.params));
        let x: Vec<f32> = (0..(batch * sizes[0]) as u64).map(|i| rng.uniform(i)).collect();
        let labels: Vec<f32> = (0..batch).map(|i| (i % 10) as f32).collect();
        let mut times = vec![[0.0; 2]; 0];
        for step in 1..=400u64 {
            let start = Instant::now();
            let context = StepContext {
                params: &values,
                buffers: &[],
                tangents: &[],
                draw: Draw { seed: 0, step, first_row: 0 },
            };
            executor.run(context, &[&x[..], &labels[..]]);
            let middle = start.elapsed();
            let scale = Adam(AdamScale::new(1e-3, [0.9, 0.999], 1e-8, Some(step)));
            executor.update(&mut values, &mut states, &scale);
            times.push([middle.as_secs_f64() * 1e3, start.elapsed().as_secs_f64() * 1e3]);
        }
        let median = |i: usize| {
            let mut t: Vec<f64> = times[50..].iter().map(|t| t[i]).collect();
            t.sort_by(f64::total_cmp);
            t[t.len() / 2]
        };
        let (first, all) = (median(0), median(1));
        println!(
            "{name:<24} {all:.3} ms a step ({first:.3} forward and back), {:.0} GFLOP/s, loss {:.4}",
            flops / all / 1e6,
            executor.scalar(0)
        );
    }
}
