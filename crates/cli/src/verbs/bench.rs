//! `thalweg bench`: whole training steps on numbers in memory, for comparison with other libraries.

mod case;

use std::sync::Arc;
use std::time::Instant;

use case::Case;
use clap::ValueEnum;
use serde_json::json;
use thalweg::engine::exec::MAX_WORKERS;
use thalweg::engine::ops::losses::CrossEntropy;
use thalweg::engine::rng::{Purpose, Rng};
use thalweg::engine::{Draw, Executor, Graph, Plan, PlanOptions, Pool, StateVec, StepContext, Wanted};
use thalweg::model::{Mode, Model};
use thalweg::optim::{Part, Recipe, Slope, Stopped, Updater};
use thalweg::train::{Need, TrainError};

use crate::failure::Failure;
use crate::ui::Ui;

/// Time whole training steps in memory (forward, loss, backward, update), or evaluations of a batch
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is timed
    what: What,
    /// The network and batch, such as `mlp-784-512-512-10-b128`, `resnet20-b128` or `resnet20-forward-b256`
    #[arg(long)]
    case: String,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seconds of measuring, after a tenth of it to warm up
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// As many as the peers have.
const N_BATCHES: u64 = 8;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Whole training steps
    Step,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let What::Step = args.what;
    let case = Case::parse(&args.case).ok_or_else(|| {
        let hint = "`--case mlp-784-512-512-10-b128`; `10x500` stands for ten layers of 500, `-bn` for batch norm; \
                    or `resnet20-b128`, `resnet20-forward-b256`, `2c2d-b128`, `cnn-1-32-64-b128`, `vgg16bn-b64`";
        Failure::wrong("cli.bench-case", format!("unknown case `{}`", args.case), hint)
    })?;
    let threads = args.threads.clamp(1, MAX_WORKERS);
    let (blocks, flops) = Bench::new(case, threads)?.measure(args.seconds.clamp(0.01, 600.0));
    let mut sorted = blocks.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    ui.say(&format!(
        "{}: {median:.3} ms a step, {:.0} GFLOP/s, {} threads",
        args.case,
        flops / median / 1e6,
        threads
    ));
    ui.result(json!({ "peer": "thalweg", "setting": "default", "case": args.case, "threads": threads, "ms": blocks }));
    Ok(())
}

/// A compiled case with its weights, its optimizer's state and its batches.
struct Bench {
    executor: Executor,
    params: Vec<f32>,
    buffers: Vec<f32>,
    states: Vec<StateVec>,
    /// none in evaluation
    updater: Option<Updater>,
    /// inputs of a batch, taken in turn
    batches: Vec<Vec<f32>>,
    targets: Vec<f32>,
    flops: f64,
    step: u64,
}

impl Bench {
    fn new(case: Case, threads: usize) -> Result<Self, Failure> {
        let model = Model::new(&case.model()?, &case.sample, case.classes).map_err(TrainError::from)?;
        let plan = case.plan(&model, threads)?;
        let recipe = (!case.forward).then(|| Recipe::new(case.optimizer()));
        let updater = recipe.map(|recipe| Updater::new(recipe, model.params())).transpose();
        let updater = updater.map_err(TrainError::from)?;
        let states = updater.iter().flat_map(Updater::states).map(|s| s.layout().len());
        let n_state = states.fold(model.params().len(), usize::saturating_add);
        let samples = case.sample.iter().fold(case.batch, |n, size| n.saturating_mul(*size));
        let need = Need {
            data: samples.saturating_mul(N_BATCHES as usize * size_of::<f32>()),
            state: n_state.saturating_mul(size_of::<f32>()),
            programs: Executor::bytes_for(&plan),
            answers: 0,
            batch: case.batch,
            eval_batch: 1,
            window: 0,
        };
        if !need.can_be_had() {
            return Err(TrainError::Memory { need }.into());
        }
        let (params, buffers) = model.init(0);
        let rng = Rng::new(0, Purpose::Probe, 0, 0);
        let n_inputs = (case.batch * case.sample.iter().product::<usize>()) as u64;
        Ok(Bench {
            states: updater.as_ref().map_or_else(Vec::new, |updater| updater.start(&params)),
            params,
            buffers,
            updater,
            batches: (0..N_BATCHES)
                .map(|b| (0..n_inputs).map(|i| rng.uniform(b * n_inputs + i)).collect())
                .collect(),
            targets: (0..case.batch).map(|i| (i % case.classes) as f32).collect(),
            flops: plan.total_cost().flops as f64,
            executor: Executor::new(Arc::new(plan), Arc::new(Pool::new(threads))),
            step: 0,
        })
    }

    /// Milliseconds a step, the mean of each block of about 50 ms, and operations in a step.
    fn measure(mut self, seconds: f64) -> (Vec<f64>, f64) {
        let first = self.block(3);
        let n = ((50.0 / first) as usize).clamp(1, 10_000);
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < seconds / 10.0 {
            self.block(n);
        }
        let started = Instant::now();
        let mut blocks = vec![self.block(n)];
        while started.elapsed().as_secs_f64() < seconds {
            blocks.push(self.block(n));
        }
        (blocks, self.flops)
    }

    /// Milliseconds a step, the mean of `n`.
    fn block(&mut self, n: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..n {
            self.once();
        }
        start.elapsed().as_secs_f64() * 1e3 / n as f64
    }

    fn once(&mut self) {
        let inputs = &self.batches[(self.step % N_BATCHES) as usize][..];
        self.step += 1;
        let draw = Draw { seed: 0, step: self.step, first_row: 0 };
        let executor = &mut self.executor;
        let Some(updater) = &mut self.updater else {
            executor.run(
                StepContext { params: &self.params, buffers: &self.buffers, tangents: &[], draw },
                &[inputs],
            );
            return;
        };
        let mut slope = Batch { executor, buffers: &self.buffers, draw, feed: [inputs, &self.targets[..]] };
        // a batch is one part, and its loss is not looked at
        let _ = updater.step(self.step - 1, &mut slope, &mut self.params, &mut self.states);
        self.executor.assign(&mut self.buffers);
    }
}

/// A batch in memory.
struct Batch<'a> {
    executor: &'a mut Executor,
    buffers: &'a [f32],
    draw: Draw,
    feed: [&'a [f32]; 2],
}

impl Slope for Batch<'_> {
    fn run(&mut self, _part: Part, params: &[f32]) -> Result<f32, Stopped> {
        self.executor
            .run(StepContext { params, buffers: self.buffers, tangents: &[], draw: self.draw }, &self.feed);
        Ok(0.0)
    }

    fn program(&mut self) -> &mut Executor {
        self.executor
    }
}

impl Case {
    /// The whole step's plan, or the evaluation's.
    fn plan(&self, model: &Model, threads: usize) -> Result<Plan, TrainError> {
        let mut g = Graph::new();
        let x = model.input(&mut g, self.batch)?;
        let options = PlanOptions::new(self.batch, threads.max(8), threads);
        if self.forward {
            let y = model.forward(&mut g, x, Mode::Eval)?;
            let wanted = Wanted { outputs: vec![y], gradients: vec![], assigns: false };
            return Ok(Plan::compile(&g, &wanted, options)?);
        }
        let labels = g.input("labels", [self.batch])?;
        let y = model.forward(&mut g, x, Mode::Train)?;
        let loss = g.cross_entropy(y, labels, CrossEntropy::default())?.mean;
        let gradients = g.gradients(loss, &model.param_vars(&g))?;
        let wanted = Wanted { outputs: vec![loss], gradients, assigns: true };
        Ok(Plan::compile(&g, &wanted, options)?)
    }
}
