//! `thalweg bench`: whole training steps on numbers in memory, for comparison with other libraries.

use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use serde_json::json;
use thalweg::engine::ops::losses::CrossEntropy;
use thalweg::engine::rng::{Purpose, Rng};
use thalweg::engine::{Draw, Executor, Graph, Piece, Plan, PlanOptions, Pool, StepContext, Update, Wanted};
use thalweg::model::{Mode, Model, ModelConfig};
use thalweg::optim::{self, Adam, Optimizer, StepInfo};

use thalweg::train::TrainError;

use crate::failure::Failure;
use crate::ui::Ui;

/// Time whole training steps (forward, loss, backward, Adam) in memory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is timed
    what: What,
    /// The network and batch, such as `mlp-784-512-512-10-b128` or `mlp-784-10x500-10-b128-bn`
    #[arg(long)]
    case: String,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seconds of measuring, after a tenth of it to warm up
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Whole training steps
    Step,
}

struct Case {
    sizes: Vec<usize>,
    batch: usize,
    batch_norm: bool,
}

struct Move<'a> {
    optimizer: &'a dyn Optimizer,
    info: StepInfo,
}

impl Update for Move<'_> {
    fn apply(&self, p: Piece) {
        let piece = optim::Piece { param: p.values, grad: p.gradient, slots: p.states, decays: false };
        self.optimizer.update(&self.info, piece);
    }
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let What::Step = args.what;
    let case = Case::parse(&args.case).ok_or_else(|| {
        let hint = "`--case mlp-784-512-512-10-b128`; `10x500` stands for ten layers of 500, `-bn` for batch norm";
        Failure::wrong(format!("unknown case `{}`", args.case), hint)
    })?;
    let threads = args.threads.clamp(1, 64);
    let (blocks, flops) = case.measure(threads, args.seconds.clamp(0.01, 600.0))?;
    let mut sorted = blocks.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    ui.say(&format!("{}: {median:.3} ms a step, {:.0} GFLOP/s, {} threads", args.case, flops / median / 1e6, threads));
    ui.result(json!({ "peer": "thalweg", "setting": "default", "case": args.case, "threads": threads, "ms": blocks }));
    Ok(())
}

impl Case {
    fn parse(text: &str) -> Option<Self> {
        let mut case = Case { sizes: vec![], batch: 0, batch_norm: false };
        for word in text.strip_prefix("mlp-")?.split('-') {
            match (word.strip_prefix('b'), word.split_once('x')) {
                (Some("n"), _) => case.batch_norm = true,
                (Some(n), _) => case.batch = n.parse().ok()?,
                (None, Some((n, width))) => {
                    let (n, width) = (n.parse().ok().filter(|n| *n <= 1000)?, width.parse().ok()?);
                    case.sizes.extend(std::iter::repeat_n::<usize>(width, n));
                }
                (None, None) => case.sizes.push(word.parse().ok()?),
            }
        }
        (case.sizes.len() >= 2 && (1..=1 << 16).contains(&case.batch)).then_some(case)
    }

    fn model(&self) -> Result<Model, Failure> {
        let words: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        let mut config: ModelConfig = words.join("-").parse().map_err(TrainError::from)?;
        if let ModelConfig::Preset(thalweg::model::Preset::Mlp(mlp)) = &mut config {
            mlp.batch_norm = self.batch_norm;
        }
        Model::new(&config, &self.sizes[..1], self.sizes[self.sizes.len() - 1]).map_err(|e| TrainError::from(e).into())
    }

    /// Milliseconds a step, the mean of each block of about 50 ms, and operations in a step.
    fn measure(&self, threads: usize, seconds: f64) -> Result<(Vec<f64>, f64), Failure> {
        let model = self.model()?;
        let (mut params, mut buffers) = model.init(0);
        let mut g = Graph::new();
        let x = model.input(&mut g, self.batch).map_err(TrainError::from)?;
        let labels = g.input("labels", [self.batch]).map_err(TrainError::from)?;
        let y = model.forward(&mut g, x, Mode::Train).map_err(TrainError::from)?;
        let loss = g.cross_entropy(y, labels, CrossEntropy::default()).map_err(TrainError::from)?.mean;
        let gradients = g.gradients(loss, &model.param_vars(&g)).map_err(TrainError::from)?;
        let wanted = Wanted { outputs: vec![loss], gradients, assigns: true };
        let options = PlanOptions::new(self.batch, threads.max(8), threads);
        let plan = Plan::compile(&g, &wanted, options).map_err(TrainError::from)?;
        let flops = plan.total_cost().flops as f64;
        let executor = Executor::new(Arc::new(plan), Arc::new(Pool::new(threads)));
        let rng = Rng::new(0, Purpose::Probe, 0, 0);
        let inputs: Vec<f32> = (0..(self.batch * self.sizes[0]) as u64).map(|i| rng.uniform(i)).collect();
        let classes = self.sizes[self.sizes.len() - 1];
        let targets: Vec<f32> = (0..self.batch).map(|i| (i % classes) as f32).collect();
        let (mut m, mut v) = (vec![0.0; params.len()], vec![0.0; params.len()]);
        let adam = Adam::default();
        let mut step = 0;
        let mut block = |n: usize| {
            let start = Instant::now();
            for _ in 0..n {
                step += 1;
                let draw = Draw { seed: 0, step, first_row: 0 };
                let context = StepContext { params: &params, buffers: &buffers, draw };
                executor.run(context, &[&inputs[..], &targets[..]]);
                let change = Move { optimizer: &adam, info: StepInfo { step, lr: 1e-3, grad_scale: 1.0 } };
                executor.update(&mut params, &mut [&mut m, &mut v], &change);
                executor.assign(&mut buffers);
            }
            start.elapsed().as_secs_f64() * 1e3 / n as f64
        };
        let first = block(3);
        let n = ((50.0 / first) as usize).clamp(1, 10_000);
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < seconds / 10.0 {
            block(n);
        }
        let started = Instant::now();
        let mut blocks = vec![block(n)];
        while started.elapsed().as_secs_f64() < seconds {
            blocks.push(block(n));
        }
        Ok((blocks, flops))
    }
}
