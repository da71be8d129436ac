//! Optimizers and schedules against PyTorch, on toy problems, and as configs.

use std::sync::Arc;

use engine::graph::{Graph, Var};
use engine::{Draw, Executor, Layout, Plan, PlanOptions, Pool, StateVec, StepContext, Wanted};
use serde::Deserialize;
use serde_json::{Value, json};
use thalweg::config::RunConfig;
use thalweg::optim::{
    self, Block, ClipNorm, ElementStage, Level, OptimConfig, Optimizer, Outer, OuterMemory, Part, Recipe,
    Slope, Stage, StateSpec, StepInfo, Stopped, Tensor, TensorStage, Updater,
};
use thalweg::registry::{Entry, Range};
use thalweg::schedule::{self, RunLength, ScheduleConfig};

/// A program with a recipe: `feed` gives the inputs of a step.
struct Run {
    executor: Executor,
    updater: Updater,
    params: Vec<f32>,
    states: Vec<StateVec>,
    done: u64,
}

/// The batch of one step, in memory.
struct Batch<'a> {
    executor: &'a mut Executor,
    inputs: [&'a [f32]; 2],
}

impl Slope for Batch<'_> {
    fn run(&mut self, _part: Part, params: &[f32]) -> Result<f32, Stopped> {
        self.executor
            .run(StepContext { params, buffers: &[], tangents: &[], draw: Draw::default() }, &self.inputs);
        Ok(self.executor.scalar(0))
    }

    fn program(&mut self) -> &mut Executor {
        self.executor
    }
}

/// What builds a loss of two inputs, and gives it with the parameters.
type Build = fn(&mut Graph) -> (Var, Vec<Var>);

impl Run {
    fn new(recipe: Recipe, build: Build, batch: usize, params: Vec<f32>) -> Run {
        let mut g = Graph::new();
        let (loss, vars) = build(&mut g);
        let gradients = g.gradients(loss, &vars).unwrap();
        let wanted = Wanted { outputs: vec![loss], gradients, assigns: false };
        let plan = Plan::compile(&g, &wanted, PlanOptions::new(batch, 1, 1)).unwrap();
        let executor = Executor::new(Arc::new(plan), Arc::new(Pool::new(1)));
        let layout: &Layout = &g.params;
        assert_eq!(layout.len(), params.len());
        let updater = Updater::new(recipe, layout).unwrap();
        Run { states: updater.start(&params), executor, updater, params, done: 0 }
    }

    fn step(&mut self, inputs: [&[f32]; 2]) -> Result<f32, Stopped> {
        let mut batch = Batch { executor: &mut self.executor, inputs };
        let loss = self.updater.step(self.done, &mut batch, &mut self.params, &mut self.states)?;
        self.done += 1;
        Ok(loss)
    }
}

/// Σ a·x + Σ b·y with a of two axes, which decays, and b of one: the gradients are the inputs, bit for bit.
fn given_gradients<const A: usize, const B: usize>(g: &mut Graph) -> (Var, Vec<Var>) {
    let (x, y) = (g.input("x", [1, A]).unwrap(), g.input("y", [1, B]).unwrap());
    let (a, b) = (g.param("a", [A, 1]).unwrap(), g.param("b", [B]).unwrap());
    let row = g.reshape(a, [A]).unwrap();
    let (ax, by) = (g.mul(x, row).unwrap(), g.mul(y, b).unwrap());
    let (ax, by) = (g.sum(ax).unwrap(), g.sum(by).unwrap());
    (g.add(ax, by).unwrap(), vec![a, b])
}

/// mean (tanh(x·wᵀ + b) − y)², w: [4, 3], five rows.
fn small_network(g: &mut Graph) -> (Var, Vec<Var>) {
    let (x, y) = (g.input("x", [5, 3]).unwrap(), g.input("y", [5, 4]).unwrap());
    let (w, b) = (g.param("w", [4, 3]).unwrap(), g.param("b", [4]).unwrap());
    let z = g.linear(x, w, Some(b)).unwrap();
    let z = g.tanh(z).unwrap();
    (g.mse(z, y).unwrap().mean, vec![w, b])
}

fn recipe(config: &Value) -> Recipe {
    let config: OptimConfig = serde_json::from_value(config.clone()).unwrap();
    Recipe::new(Arc::from(config.build().unwrap()))
}

#[derive(Deserialize)]
struct OptimGolden {
    tolerance: f64,
    n_decaying: usize,
    init: Vec<f32>,
    grads: Vec<Vec<f32>>,
    cases: Vec<OptimCase>,
}

#[derive(Deserialize)]
struct OptimCase {
    config: Value,
    clip: Option<ClipNorm>,
    params: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct ChainGolden {
    tolerance: f64,
    w: Vec<f32>,
    b: Vec<f32>,
    x: Vec<Vec<f32>>,
    y: Vec<Vec<f32>>,
    cases: Vec<ChainCase>,
}

#[derive(Deserialize)]
struct ChainCase {
    words: Vec<String>,
    params: Vec<Vec<f64>>,
}

fn optim_golden() -> OptimGolden {
    serde_json::from_str(include_str!("golden/optim/optim.json")).unwrap()
}

fn chain_golden() -> ChainGolden {
    serde_json::from_str(include_str!("golden/optim/chains.json")).unwrap()
}

fn assert_close(what: &dyn std::fmt::Debug, step: usize, got: &[f32], want: &[f64], tolerance: f64) {
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(*got) - want).abs();
        assert!(error <= tolerance, "{what:?} step {step} [{i}]: {got}, expected {want}");
    }
}

#[test]
fn every_optimizer_has_a_golden_case() {
    let (optim, chains) = (optim_golden(), chain_golden());
    for entry in optim::ALL {
        let named = |c: &ChainCase| c.words.contains(&format!("optimizer={}", entry.name));
        let found =
            optim.cases.iter().any(|c| c.config["name"] == entry.name) || chains.cases.iter().any(named);
        assert!(found, "no case for {}", entry.name);
    }
    for entry in optim::WRAPPERS.iter().chain(optim::AVERAGES) {
        let found = chains.cases.iter().any(|c| c.words.iter().any(|w| w.contains(entry.name)));
        assert!(found, "no case for {}", entry.name);
    }
}

/// The generator makes sure that every setting of a case moves the result by at least 20 tolerances.
#[test]
fn ten_steps_are_pytorchs() {
    let golden = optim_golden();
    assert_eq!((golden.n_decaying, golden.init.len()), (4, 8));
    for case in &golden.cases {
        let mut recipe = recipe(&case.config);
        recipe.clip_norm = case.clip;
        let mut run = Run::new(recipe, given_gradients::<4, 4>, 1, golden.init.clone());
        for (step, (grad, want)) in golden.grads.iter().zip(&case.params).enumerate() {
            run.step([&grad[..4], &grad[4..]]).unwrap();
            assert_close(&case.config, step + 1, &run.params, want, golden.tolerance);
        }
    }
}

/// LAMB, wrappers, averages, groups, clipping by value and other schedules, on a network that differentiates itself.
#[test]
fn chains_are_those_of_pytorch_and_timm() {
    let golden = chain_golden();
    for case in &golden.cases {
        let config = RunConfig::load(None, &case.words).unwrap_or_else(|e| panic!("{:?}: {e}", case.words));
        let n_steps = case.params.len() as u64;
        let recipe = Recipe::from_config(&config, RunLength { steps_per_epoch: 4, n_steps }).unwrap();
        let start = [&golden.w[..], &golden.b].concat();
        let mut run = Run::new(recipe, small_network, 5, start);
        for (step, want) in case.params.iter().enumerate() {
            run.step([&golden.x[step], &golden.y[step]]).unwrap();
            let averaged = run.updater.averaged(&run.params, &run.states, run.done);
            let got = averaged.as_deref().unwrap_or(&run.params);
            assert_close(&case.words, step + 1, got, want, golden.tolerance);
        }
    }
}

/// The chain's stages one by one give what the fused kernel gives, but for rounding.
#[test]
fn a_chain_that_no_kernel_covers_is_the_same_update() {
    /// Does nothing, and keeps the kernel from covering the chain.
    #[derive(Debug)]
    struct Nothing;
    impl ElementStage for Nothing {
        fn apply(&self, _: &StepInfo, _: &mut Block) {}
    }
    #[derive(Debug)]
    struct Apart(Box<dyn Optimizer>);
    impl Optimizer for Apart {
        fn lr(&self) -> f64 {
            self.0.lr()
        }
        fn weight_decay(&self) -> f64 {
            self.0.weight_decay()
        }
        fn stages(&self, decay: f64) -> Vec<Stage> {
            let between = Stage::Element(Arc::new(Nothing));
            self.0.stages(decay).into_iter().flat_map(|stage| [between.clone(), stage]).collect()
        }
    }
    let golden = optim_golden();
    for case in golden.cases.iter().filter(|case| case.clip.is_none()) {
        let config: OptimConfig = serde_json::from_value(case.config.clone()).unwrap();
        let recipe = Recipe::new(Arc::new(Apart(config.build().unwrap())));
        let mut run = Run::new(recipe, given_gradients::<4, 4>, 1, golden.init.clone());
        for (step, (grad, want)) in golden.grads.iter().zip(&case.params).enumerate() {
            run.step([&grad[..4], &grad[4..]]).unwrap();
            assert_close(&case.config, step + 1, &run.params, want, golden.tolerance);
        }
    }
}

/// θ ← θ − α·g/√r, r the running mean of g² in each row: half of Adafactor, in a state with one number a row.
#[derive(Debug)]
struct ByRows;

#[derive(Debug)]
struct RowMeans;

impl TensorStage for RowMeans {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec { shape: vec![shape.first().copied().unwrap_or(1)], ..StateSpec::like("rows", &[]) }]
    }

    fn apply(&self, _info: &StepInfo, tensor: &mut Tensor<'_, '_>) {
        let (_, update, [rows]) = tensor.split();
        let width = update.len() / rows.len();
        for (row, mean) in update.chunks_mut(width).zip(rows) {
            let square = row.iter().map(|u| u * u).sum::<f32>() / width as f32;
            *mean = 0.9 * *mean + 0.1 * square;
            row.iter_mut().for_each(|u| *u /= mean.sqrt() + 1e-8);
        }
    }
}

impl Optimizer for ByRows {
    fn lr(&self) -> f64 {
        0.05
    }

    fn stages(&self, _decay: f64) -> Vec<Stage> {
        vec![Stage::Tensor(Arc::new(RowMeans)), Stage::Step]
    }
}

#[test]
fn an_optimizer_of_ones_own_keeps_a_number_a_row() {
    let golden = chain_golden();
    let start = [&golden.w[..], &golden.b].concat();
    let mut run = Run::new(Recipe::new(Arc::new(ByRows)), small_network, 5, start.clone());
    assert_eq!(run.states.len(), 1);
    // a row for each output of `w`, and one for each element of `b`
    assert_eq!((run.states[0].range(0).len(), run.states[0].range(1).len()), (4, 4));
    let names: Vec<String> =
        run.updater.states()[0].layout().slots.iter().map(|s| format!("{} {}", s.name, s.shape)).collect();
    assert_eq!(names, ["optimizer.rows.w [4]", "optimizer.rows.b [4]"]);
    let first = run.step([&golden.x[0], &golden.y[0]]).unwrap();
    // the first step is α·g/(√0.1·rms), so no element of a row of 3 moves by more than α·√3/√0.1
    for (new, old) in run.params.iter().zip(&start) {
        let moved = (new - old).abs();
        assert!(moved > 0.0 && moved <= 0.05 * 3f32.sqrt() / 0.1f32.sqrt() + 1e-6, "{moved}");
    }
    let mut last = first;
    for _ in 0..100 {
        last = run.step([&golden.x[0], &golden.y[0]]).unwrap();
    }
    assert!(last < 0.8 * first, "{first} {last}");
}

/// Halves the step until the loss falls: an outer stage that asks for the loss at other weights and moves them itself.
#[derive(Debug)]
struct Backtracking;

impl Outer for Backtracking {
    fn states(&self) -> Vec<String> {
        vec!["last_step".into()]
    }

    fn n_scratch(&self) -> usize {
        2
    }

    fn apply(
        &self,
        _info: &StepInfo,
        below: &mut dyn Level,
        memory: &mut OuterMemory<'_>,
        params: &mut [f32],
        gradient: &mut [f32],
    ) -> Result<(), Stopped> {
        let [trial, unused] = memory.scratch else { unreachable!() };
        let before = below.gradient(params, unused)?;
        let mut step = 64.0;
        loop {
            below.add(trial, params, -step, gradient);
            if below.gradient(trial, unused)? < before || step < 1e-6 {
                break;
            }
            step *= 0.5;
        }
        params.copy_from_slice(trial);
        memory.states[0].values_mut().fill(step);
        Ok(())
    }
}

#[test]
fn a_line_search_is_an_outer_stage() {
    let golden = chain_golden();
    let start = [&golden.w[..], &golden.b].concat();
    let mut recipe = recipe(&json!("sgd"));
    recipe.outers.push(Box::new(Backtracking));
    let mut run = Run::new(recipe, small_network, 5, start);
    let mut losses = Vec::new();
    for _ in 0..30 {
        losses.push(run.step([&golden.x[0], &golden.y[0]]).unwrap());
    }
    assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "{losses:?}");
    assert!(losses[29] < 0.7 * losses[0], "{losses:?}");
    assert!(run.states[0].values().iter().all(|step| *step < 64.0 && *step > 0.0));
}

#[test]
fn groups_that_do_not_fit_are_refused() {
    let refused = |groups: &str| {
        let config = RunConfig::load(None, &[format!("groups={groups}")]).unwrap();
        let recipe = Recipe::from_config(&config, RunLength { steps_per_epoch: 1, n_steps: 1 }).unwrap();
        let mut g = Graph::new();
        small_network(&mut g);
        let error = Updater::new(recipe, &g.params).map(|_| ()).unwrap_err();
        (error.to_string(), error.hint())
    };
    let (text, hint) = refused("[{ match = \"*.bias\", freeze = true }]");
    assert_eq!(text, "`groups`: no parameter is called `*.bias`; the first of 2 names is `w`");
    assert!(hint.contains("`*` for the part that may vary"), "{hint}");
    let (text, _) = refused("[{ match = \"*\", lr_factor = 0.5 }, { match = \"b\", freeze = true }]");
    assert_eq!(text, "`groups`: every parameter called `b` is in an earlier group");
    let (text, _) = refused("[{ match = \"*\", freeze = true }]");
    assert_eq!(text, "`groups` freezes all 2 parameters");
    let config = |groups: &str| RunConfig::load(None, &[format!("groups={groups}")]).unwrap_err().to_string();
    let negative = config("[{ match = \"b\", lr_factor = -1.0 }]");
    assert!(
        negative.starts_with("`groups[0].lr_factor` is -1.0 on the command line, expected"),
        "{negative}"
    );
    let unknown = ["groups=[{ match = \"b\" }, { match = \"w\", lr_facto = 0.1 }]".to_owned()];
    let unknown = RunConfig::load(None, &unknown).unwrap_err();
    assert_eq!(unknown.to_string(), "unknown key `groups[1].lr_facto` on the command line");
    assert!(unknown.hint().contains("`groups[1].lr_factor`"), "{}", unknown.hint());
    let own = config("[{ match = \"b\", optimizer = { name = \"adam\", lrr = 1 } }]");
    assert!(own.starts_with("unknown key `groups[0].optimizer.lrr`"), "{own}");
    assert!(config("[{ freeze = true }]").contains("a group needs the key `match`, such as"));
}

#[test]
fn frozen_parameters_stay_and_have_no_state() {
    let golden = chain_golden();
    let start = [&golden.w[..], &golden.b].concat();
    let words =
        ["optimizer=adamw", "average=ema", "groups=[{ match = \"w\", freeze = true }]"].map(String::from);
    let config = RunConfig::load(None, &words).unwrap();
    let recipe = Recipe::from_config(&config, RunLength { steps_per_epoch: 1, n_steps: 9 }).unwrap();
    let mut run = Run::new(recipe, small_network, 5, start.clone());
    for _ in 0..3 {
        run.step([&golden.x[0], &golden.y[0]]).unwrap();
    }
    assert_eq!(run.params[..12], start[..12]);
    assert!(run.params[12..].iter().zip(&start[12..]).all(|(new, old)| new != old));
    assert!(run.states.iter().all(|s| s.range(0).is_empty() && s.range(1).len() == 4));
    let averaged = run.updater.averaged(&run.params, &run.states, 3).unwrap();
    assert_eq!(averaged[..12], start[..12]);
    assert_eq!(run.updater.notes(), ["group `w`: 1 parameters of 12 numbers, frozen"]);
}

#[derive(Deserialize)]
struct ScheduleGolden {
    steps_per_epoch: u64,
    n_steps: u64,
    cases: Vec<ScheduleCase>,
}

#[derive(Deserialize)]
struct ScheduleCase {
    config: Value,
    factors: Vec<f64>,
}

#[test]
fn schedules_are_pytorchs() {
    let golden: ScheduleGolden = serde_json::from_str(include_str!("golden/optim/schedule.json")).unwrap();
    for entry in schedule::ALL {
        assert!(golden.cases.iter().any(|c| c.config["name"] == entry.name), "no case for {}", entry.name);
    }
    let run = RunLength { steps_per_epoch: golden.steps_per_epoch, n_steps: golden.n_steps };
    for case in &golden.cases {
        let config: ScheduleConfig = serde_json::from_value(case.config.clone()).unwrap();
        let schedule = config.build(run).unwrap();
        for (done, want) in case.factors.iter().enumerate() {
            let got = schedule.at(done as u64);
            assert!((got - want).abs() <= 1e-12, "{} at {done}: {got}, expected {want}", case.config);
        }
    }
}

fn schedule(config: Value, steps_per_epoch: u64, n_steps: u64) -> schedule::Schedule {
    let config: ScheduleConfig = serde_json::from_value(config).unwrap();
    config.build(RunLength { steps_per_epoch, n_steps }).unwrap()
}

#[test]
fn waves_begin_and_end_low() {
    for waves in [1, 2, 4, 9] {
        let coslog = schedule(json!({"name": "coslog", "waves": waves}), 2, 4000);
        let factors: Vec<f64> = (0..4000).map(|done| coslog.at(done)).collect();
        let peaks = factors.windows(3).filter(|w| w[0] < w[1] && w[1] >= w[2]).count();
        assert_eq!(peaks, waves);
        assert!(factors[3999] < 1e-4 && factors.iter().all(|f| (0.0..=1.0).contains(f)));
    }
}

#[test]
fn the_cosine_stays_at_its_end() {
    let cosine = schedule(json!({"name": "cosine", "length": "20st", "min_factor": 0.1}), 5, 40);
    assert!([20, 21, 30, 1000].iter().all(|done| cosine.at(*done) == 0.1));
    assert!(cosine.at(19) > 0.1);
}

#[test]
fn a_run_within_its_warmup_still_learns() {
    for entry in schedule::ALL.iter().filter(|entry| entry.name != "coslog") {
        let rise = schedule(json!({"name": entry.name, "warmup": "10ep", "warmup_from": 0.0}), 5, 20);
        assert_eq!(rise.at(0), 0.0);
        assert_eq!(rise.at(10), 0.2, "{}", entry.name);
    }
    let rises: ScheduleConfig = serde_json::from_value(json!({"name": "coslog", "warmup": "10ep"})).unwrap();
    let error = rises.build(RunLength { steps_per_epoch: 5, n_steps: 20 }).unwrap_err();
    assert_eq!(error.to_string(), "`coslog` rises from 0 by itself, and `schedule.warmup` is 10ep");
}

/// ½(x² + 25y²): steep in y, shallow in x.
fn quadratic(p: &[f32]) -> (f32, Vec<f32>) {
    (0.5 * (p[0] * p[0] + 25.0 * p[1] * p[1]), vec![p[0], 25.0 * p[1]])
}

/// (1 − x)² + 100(y − x²)².
fn rosenbrock(p: &[f32]) -> (f32, Vec<f32>) {
    let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
    (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * p[0] * b, 200.0 * b])
}

type Problem = fn(&[f32]) -> (f32, Vec<f32>);

/// A third element of the parameter stays at 1: LAMB's steps are shares of its norm, which must not come to nothing.
#[test]
fn every_optimizer_solves_two_toy_problems() {
    // learning rate and steps for the quadratic, and for Rosenbrock's valley
    let settings = |name| match name {
        "sgd" => ((0.05, 300), (1e-3, 20_000)),
        "momentum" | "nesterov" => ((0.02, 300), (3e-4, 8_000)),
        "lamb" => ((3e-3, 3_000), (2e-4, 40_000)),
        _ => ((0.1, 500), (0.02, 5_000)),
    };
    for (name, (on_quadratic, on_rosenbrock)) in optim::ALL.iter().map(|e| (e.name, settings(e.name))) {
        let problems: [(Problem, _, _); 2] =
            [(quadratic, [4.0, -2.0], on_quadratic), (rosenbrock, [-1.2, 1.0], on_rosenbrock)];
        for (problem, start, (lr, n_steps)) in problems {
            let recipe = recipe(&json!({"name": name, "lr": lr, "weight_decay": 0.0}));
            let mut run = Run::new(recipe, given_gradients::<3, 1>, 1, [&start[..], &[1.0, 0.0]].concat());
            let first = problem(&run.params).0;
            for _ in 0..n_steps {
                let grad = problem(&run.params).1;
                run.step([&[grad[0], grad[1], 0.0], &[0.0]]).unwrap();
            }
            let last = problem(&run.params).0;
            assert!(last < 1e-5 * first, "{name}: loss from {first} to {last} at {:?}", run.params);
        }
    }
}

fn default_of(name: &str) -> Value {
    let config: OptimConfig = serde_json::from_value(json!(name)).unwrap();
    serde_json::to_value(config).unwrap()
}

/// The entry's keys and defaults are those of the config, and only `name` (and what is in `also`) stands beside them.
fn check_entry(entry: &Entry, mut config: Value, also: &[&str]) {
    let table = config.as_object_mut().unwrap();
    assert_eq!(table.remove("name"), Some(json!(entry.name)));
    also.iter().for_each(|key| assert!(table.remove(*key).is_some(), "{key}"));
    assert_eq!(table.len(), entry.keys.len(), "{}: {table:?}", entry.name);
    for key in entry.keys {
        let default: Value = serde_json::from_str(key.default).unwrap();
        assert_eq!(table[key.name], default, "{}.{}", entry.name, key.name);
    }
}

#[test]
fn the_registries_tell_the_truth() {
    for entry in optim::ALL {
        check_entry(entry, default_of(entry.name), &[]);
    }
    for entry in optim::WRAPPERS {
        let config: optim::WrapConfig = serde_json::from_value(json!(entry.name)).unwrap();
        check_entry(entry, serde_json::to_value(config).unwrap(), &[]);
    }
    for entry in optim::AVERAGES {
        let config: optim::AverageConfig = serde_json::from_value(json!(entry.name)).unwrap();
        check_entry(entry, serde_json::to_value(config).unwrap(), &[]);
    }
    for entry in schedule::ALL {
        let config: ScheduleConfig = serde_json::from_value(json!(entry.name)).unwrap();
        check_entry(entry, serde_json::to_value(config).unwrap(), &["warmup", "warmup_from"]);
    }
    let plain = serde_json::to_value(ScheduleConfig::default()).unwrap();
    for key in schedule::Warmup::KEYS {
        assert_eq!(plain[key.name], serde_json::from_str::<Value>(key.default).unwrap());
    }
}

/// Numbers just outside of a range.
fn outside(range: Range) -> Vec<f64> {
    match range {
        Range::AtLeast(min) => vec![min - 1.0],
        Range::Above(min) => vec![min],
        Range::Within(min, max) => vec![min - 0.5, max + 0.5],
        Range::Below(min, max) => vec![min - 0.5, max],
        _ => vec![],
    }
}

#[test]
fn every_number_outside_of_its_range_is_named() {
    for entry in optim::ALL {
        for key in entry.keys {
            for wrong in outside(key.range) {
                let values = if key.name == "betas" {
                    vec![json!([wrong, 0.9]), json!([0.9, wrong])]
                } else {
                    vec![json!(wrong)]
                };
                for value in values {
                    let config: OptimConfig =
                        serde_json::from_value(json!({"name": entry.name, key.name: value})).unwrap();
                    let error = config.build().unwrap_err();
                    assert_eq!((error.of, error.key, error.value), (entry.name, key.name, wrong));
                }
            }
        }
    }
    let run = RunLength { steps_per_epoch: 10, n_steps: 100 };
    let keys =
        schedule::ALL.iter().flat_map(|e| e.keys.iter().chain(schedule::Warmup::KEYS).map(|k| (e.name, k)));
    for (name, key) in keys {
        for wrong in outside(key.range) {
            let config: ScheduleConfig =
                serde_json::from_value(json!({"name": name, key.name: wrong})).unwrap();
            let text = config.build(run).unwrap_err().to_string();
            assert!(text.contains(&format!("`{}` is {wrong}", key.name)), "{text}");
        }
    }
}

#[test]
fn errors_say_what_and_what_instead() {
    let config: OptimConfig = serde_json::from_value(json!({"name": "adam", "betas": [0.9, 1.0]})).unwrap();
    let error = config.build().unwrap_err();
    assert_eq!(error.to_string(), "adam: `betas` is 1, expected from 0 to below 1");
    assert_eq!(error.hint(), "the default is `betas = [0.9, 0.999]`");

    let config: ScheduleConfig =
        serde_json::from_value(json!({"name": "step", "every": "0.001dur"})).unwrap();
    let error = config.build(RunLength { steps_per_epoch: 10, n_steps: 100 }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step: `every` is 0.001dur, which is 0 of the run's 100 steps, expected 1 step or more"
    );
    assert_eq!(error.hint(), "`schedule.every=1st` is the shortest");
}

#[test]
fn unknown_names_and_keys_are_refused() {
    let optimizer = |value: Value| serde_json::from_value::<OptimConfig>(value).unwrap_err().to_string();
    assert!(optimizer(json!("adamv")).contains("unknown variant `adamv`, expected one of `sgd`, `momentum`"));
    assert!(
        optimizer(json!({"name": "sgd", "momentum": 0.9}))
            .contains("unknown field `momentum`, expected one of `lr`")
    );
    assert!(optimizer(json!({"lr": 0.1})).contains("missing field `name`"));
    assert!(optimizer(json!({"name": "sgd", "decay": "l1"})).contains("unknown variant `l1`"));
    assert!(
        optimizer(json!({"name": "sgd", "decay_on": "bias"}))
            .contains("expected `weights`, `all`, `none` or a list")
    );

    let schedule = |value: Value| serde_json::from_value::<ScheduleConfig>(value).unwrap_err().to_string();
    assert!(
        schedule(json!({"name": "cosine", "gamma": 0.5}))
            .contains("unknown field `gamma`, expected `min_factor`")
    );
    assert!(schedule(json!({"name": "constant", "lenght": 1})).contains("unknown field `lenght`"));
    assert!(
        schedule(json!({"name": "cosine", "warmup": "5 s"})).contains("`5 s` is not a length of training")
    );
}

#[test]
fn configs_survive_writing_and_reading() {
    for config in [
        json!({"name": "adamw", "lr": 1e-3, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1, "decay": "l2",
               "decay_on": ["*.weight"], "bias_correction": false}),
        json!({"name": "sgd", "lr": 0.5, "weight_decay": 0.1, "decay": "decoupled", "decay_on": "none"}),
    ] {
        let read: OptimConfig = serde_json::from_value(config.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), config);
    }
    let config =
        json!({"name": "cosine", "min_factor": 0.1, "length": "5ep", "warmup": "0.1dur", "warmup_from": 0.5});
    let read: ScheduleConfig = serde_json::from_value(config.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), config);
}

/// Moves along an average of the gradient, in a state of that name.
#[derive(Debug)]
struct Averaging;

impl ElementStage for Averaging {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec::like("average", shape)]
    }

    fn apply(&self, _info: &StepInfo, block: &mut Block<'_, '_>) {
        let (_, update, [average]) = block.split();
        for (u, m) in update.iter_mut().zip(average) {
            *m = 0.5 * *m + *u;
            *u = *m;
        }
    }
}

impl Optimizer for Averaging {
    fn lr(&self) -> f64 {
        0.1
    }

    fn stages(&self, _decay: f64) -> Vec<Stage> {
        vec![Stage::Element(Arc::new(Averaging)), Stage::Step]
    }
}

/// The averaged weights are those, whatever an optimizer of one's own calls its states, of all parameters or of some.
#[test]
fn averaged_weights_are_found_beside_a_state_of_their_name() {
    let words = |own: &[&str]| {
        let average = ["average=mean", "average.start=0st", "average.every=1st", "optimizer=sgd", "lr=0.1"];
        let words: Vec<String> = average.iter().chain(own).map(|w| (*w).to_owned()).collect();
        let config = RunConfig::load(None, &words).unwrap();
        Recipe::from_config(&config, RunLength { steps_per_epoch: 1, n_steps: 9 }).unwrap()
    };
    let of_all = || {
        let mut recipe = words(&[]);
        recipe.optimizer = Arc::new(Averaging);
        recipe
    };
    let of_group = |name: &str| {
        let mut recipe = words(&[&format!("groups=[{{ match = \"{name}\", lr_factor = 2.0 }}]")]);
        recipe.groups[0].optimizer = Some(Arc::new(Averaging));
        recipe
    };
    for recipe in [of_all(), of_group("a"), of_group("b")] {
        let mut run = Run::new(recipe, given_gradients::<2, 2>, 1, vec![1.0, 2.0, 3.0, 4.0]);
        let mut sums = [0.0; 4];
        for i in 0..4 {
            let x = i as f32 - 1.5;
            run.step([&[x, 0.5], &[0.25, -x]]).unwrap();
            sums.iter_mut().zip(&run.params).for_each(|(sum, p)| *sum += f64::from(*p));
        }
        let averaged = run.updater.averaged(&run.params, &run.states, run.done).unwrap();
        let mean: Vec<f64> = sums.iter().map(|sum| sum / 4.0).collect();
        assert_close(&"averaged", 4, &averaged, &mean, 1e-6);
    }
}

/// Each state has a name of its own in a checkpoint, those of stages around the whole too.
#[test]
fn states_of_outer_stages_have_names_of_their_own() {
    let mut recipe = recipe(&json!({"name": "momentum"}));
    recipe.outers = vec![Box::new(Backtracking), Box::new(Backtracking)];
    let run = Run::new(recipe, given_gradients::<2, 2>, 1, vec![0.0; 4]);
    let names: Vec<&str> = run.updater.states().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["momentum_buffer", "last_step", "last_step_2"]);
}

/// What is asked for before training: the vectors that a step makes, besides weights and states.
#[test]
fn the_vectors_of_a_step_are_told_before() {
    let n = |config: Value, change: &dyn Fn(&mut Recipe), n_parts: usize| {
        let mut recipe = recipe(&config);
        change(&mut recipe);
        Run::new(recipe, given_gradients::<2, 2>, 1, vec![0.0; 4]).updater.n_vectors(n_parts)
    };
    let (adam, lamb) = (json!({"name": "adam"}), json!({"name": "lamb"}));
    assert_eq!(n(adam.clone(), &|_| {}, 1), 0);
    assert_eq!(n(adam.clone(), &|_| {}, 2), 1);
    assert_eq!(n(adam.clone(), &|r| r.clip_norm = Some(ClipNorm::new(1.0).unwrap()), 1), 1);
    assert_eq!(n(lamb, &|_| {}, 1), 1);
    assert_eq!(n(adam, &|r| r.outers = vec![Box::new(Backtracking)], 1), 3);
}
