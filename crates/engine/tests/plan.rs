//! Plans: live values never overlap in memory, workers and fusion change nothing, what is printed, what is refused.
//!
//! `UPDATE=1 cargo test -p thalweg-engine --test plan` rewrites the printed plans.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use engine::graph::{Built, Graph, Var};
use engine::ops::Op;
use engine::ops::losses::CrossEntropy;
use engine::ops::pooling::PoolOptions;
use engine::ops::resize::Resize;
use engine::plan::{CACHE_BYTES, Extent, Finish, Kernel, Loc, Loop, Span, Step};
use engine::reference::{Feed as Values, evaluate};
use engine::rng::{Purpose, Rng};
use engine::{Draw, Executor, Feed, Plan, PlanOptions, Pool, StateVec, StepContext, Update, Wanted};

/// What a random network is made of; all a function of the round.
#[derive(Clone, Debug)]
struct Recipe {
    batch: usize,
    widths: Vec<usize>,
    /// one of [`BLOCKS`] after each hidden layer
    blocks: Vec<usize>,
    residual: bool,
    weighted: bool,
    round: u64,
}

type Block = fn(&mut Graph, Var) -> Built<Var>;

const BLOCKS: &[Block] = &[
    Graph::relu,
    Graph::tanh,
    Graph::gelu,
    |g, x| {
        let channels = g.shape(x)[1];
        let (gamma, beta) = (g.param("gamma", [channels])?, g.param("beta", [channels])?);
        let (mean, index) = g.buffer("mean", [channels])?;
        let n = g.batch_norm(x, gamma, beta, 1e-1)?;
        let moved = g.sub(n.mean, mean)?;
        let moved = g.scale(moved, 0.1)?;
        let moved = g.add(mean, moved)?;
        g.assign(index, moved)?;
        g.relu(n.y)
    },
    |g, x| {
        let channels = g.shape(x)[1];
        let (gamma, beta) = (g.param("gamma", [channels])?, g.param("beta", [channels])?);
        let y = g.layer_norm(x, gamma, beta, 1e-1)?;
        g.silu(y)
    },
    |g, x| {
        let y = g.relu(x)?;
        g.dropout(y, 0.3)
    },
    |g, x| {
        let [batch, n] = g.shape(x)[..] else { unreachable!("a layer's result") };
        let image = g.reshape(x, [batch, n, 1, 1])?;
        let windows = PoolOptions { kernel: [3, 1], stride: [1, 1], padding: [1, 0], ceil: false };
        let y = g.max_pool2d(image, &windows)?;
        let y = g.resize(y, [n, 2], Resize::Bilinear)?;
        let y = g.flatten_image(y)?;
        g.slice(y, 1, 0, n)
    },
];

impl Recipe {
    fn random(round: u64) -> Recipe {
        let rng = Rng::new(11, Purpose::Probe, 0, round);
        let at = |n: usize, i: u64| rng.below(n as u64, i) as usize;
        let hidden = at(4, 0);
        Recipe {
            batch: 2 + at(30, 1),
            widths: (0..hidden as u64 + 2).map(|i| 1 + at(40, 10 + i)).collect(),
            blocks: (0..hidden as u64).map(|i| at(BLOCKS.len(), 30 + i)).collect(),
            residual: at(2, 2) == 0,
            weighted: at(2, 3) == 0,
            round,
        }
    }

    fn build(&self) -> Built<(Graph, Wanted)> {
        let mut g = Graph::new();
        let mut x = g.input("x", [self.batch, self.widths[0]])?;
        let labels = g.input("labels", [self.batch])?;
        for (i, pair) in self.widths.windows(2).enumerate() {
            x = g.scope(format!("fc{i}"), |g| {
                let (weight, bias) = (g.param("weight", [pair[1], pair[0]])?, g.param("bias", [pair[1]])?);
                let y = g.linear(x, weight, Some(bias))?;
                let Some(block) = self.blocks.get(i) else { return Ok(y) };
                let y = BLOCKS[*block](g, y)?;
                if self.residual && pair[0] == pair[1] { g.add(x, y) } else { Ok(y) }
            })?;
        }
        let classes = self.widths[self.widths.len() - 1];
        let weights = if self.weighted { Some(g.buffer("class_weights", [classes])?.0) } else { None };
        let loss =
            g.scope("loss", |g| g.cross_entropy(x, labels, CrossEntropy { smoothing: 0.1, weights }))?;
        let gradients = g.gradients(loss.mean, &params(&g))?;
        Ok((g, Wanted { outputs: vec![loss.mean, x], gradients, assigns: true }))
    }

    fn values(&self, g: &Graph) -> Values {
        let rng = Rng::new(12, Purpose::Probe, 0, self.round);
        let numbers = |n: usize, from: u64| {
            (0..n as u64).map(move |i| f64::from(rng.uniform(from << 32 | i) * 2.0 - 0.9))
        };
        let classes = self.widths[self.widths.len() - 1] as u64;
        Values {
            inputs: vec![
                numbers(self.batch * self.widths[0], 1).collect(),
                (0..self.batch as u64).map(|i| rng.below(classes, 9 << 32 | i) as f64).collect(),
            ],
            params: numbers(g.params.len(), 2).collect(),
            buffers: numbers(g.buffers.len(), 3).map(f64::abs).collect(),
            tangents: Vec::new(),
            draw: Draw { seed: 3, step: 5, first_row: 0 },
        }
    }
}

fn params(g: &Graph) -> Vec<Var> {
    g.vars().filter(|v| matches!(g.node(*v).op, Op::Param(_))).collect()
}

/// Outputs, gradients and new buffers of one run, one after the other.
fn run(g: &Graph, wanted: &Wanted, values: &Values, options: PlanOptions) -> Vec<f32> {
    let plan = Plan::compile(g, wanted, options).unwrap();
    let mut executor = Executor::new(Arc::new(plan), Arc::new(Pool::new(options.workers)));
    let f32s = |values: &[f64]| values.iter().map(|x| *x as f32).collect::<Vec<f32>>();
    let (params, mut buffers) = (f32s(&values.params), f32s(&values.buffers));
    let (x, labels) = (f32s(&values.inputs[0]), f32s(&values.inputs[1]));
    let context = StepContext { params: &params, buffers: &buffers, tangents: &[], draw: values.draw };
    executor.run(context, &[&x[..], &labels[..]]);
    let mut found = Vec::new();
    for i in 0..wanted.outputs.len() {
        let mut out = vec![f32::NAN; executor.output_len(i)];
        executor.output(i, &mut out);
        found.extend(out);
    }
    let mut gradient = vec![f32::NAN; params.len()];
    executor.gradients(&mut gradient);
    executor.assign(&mut buffers);
    found.into_iter().chain(gradient).chain(buffers).collect()
}

/// The same by the reference, without the buffers.
fn exact(g: &Graph, wanted: &Wanted, values: &Values) -> Vec<f64> {
    let all: Vec<Var> = wanted.outputs.iter().chain(&wanted.gradients).copied().collect();
    evaluate(g, values, &all).into_iter().flat_map(|t| t.data).collect()
}

fn close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    let scale = want.iter().fold(1.0f64, |s, x| s.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let off = (f64::from(*g) - w).abs() / scale;
        assert!(off <= tolerance, "{what}: value {i} is {g}, not {w}: off by {off:e}");
    }
}

/// Which step wrote each element of the first worker's arena last.
struct Memory<'a> {
    g: &'a Graph,
    plan: &'a Plan,
    /// the rows at hand
    rows: Range<usize>,
    written_by: Vec<Option<usize>>,
    /// nodes that some step computes
    computed: HashSet<Var>,
}

impl<'a> Memory<'a> {
    fn new(g: &'a Graph, plan: &'a Plan) -> Self {
        let rows = plan.options.worker_rows(0);
        let computed = plan.steps.iter().flat_map(|s| s.nodes.iter().copied()).collect();
        Memory { g, plan, rows, written_by: vec![None; plan.arena_len], computed }
    }

    fn range(&self, span: &Span) -> Option<Range<usize>> {
        let range = match (span.loc, span.len) {
            (Loc::Arena(start), Extent::PerRow(n) | Extent::OfBatch(n)) => {
                start + n * self.rows.start..start + n * self.rows.end
            }
            (Loc::Arena(start) | Loc::Chunk(start), len) => start..start + len.of(self.rows.len()),
            _ => return None,
        };
        assert!(range.end <= self.plan.arena_len, "{span:?} is beyond the arena");
        Some(range)
    }

    /// What must be in memory to read these values: themselves, or what they are views of.
    fn sources(&self, values: impl IntoIterator<Item = Var>) -> HashSet<Var> {
        let mut found = HashSet::new();
        let mut left: Vec<Var> = values.into_iter().collect();
        while let Some(v) = left.pop() {
            if self.computed.contains(&v) {
                found.insert(v);
            } else {
                left.extend(&self.g.node(v).inputs);
            }
        }
        found
    }

    /// Every element of the span was written last by a step that computes one of the sources, one step for all.
    fn check_read(&self, what: &str, span: &Span, sources: &HashSet<Var>) {
        let Some(range) = self.range(span) else { return };
        for i in range.clone() {
            let by = self.written_by[i];
            let Some(step) = by else { panic!("{what} reads element {i}, which nothing wrote") };
            assert_eq!(by, self.written_by[range.start], "{what} reads {span:?}, which two steps wrote");
            let nodes = &self.plan.steps[step].nodes;
            assert!(
                nodes.iter().any(|n| sources.contains(n)),
                "{what} reads {span:?}, overwritten by step {step}"
            );
        }
    }

    fn step(&mut self, at: usize, step: &Step) {
        let (reads, writes) = (step.kernel.get().reads(), step.kernel.get().writes());
        let own: HashSet<Var> = step.nodes.iter().copied().collect();
        let inputs =
            step.nodes.iter().flat_map(|v| self.g.node(*v).inputs.clone()).filter(|v| !own.contains(v));
        let sources = self.sources(inputs);
        for span in &reads {
            self.check_read(&format!("step {at}"), span, &sources);
        }
        let ranges: Vec<Range<usize>> = writes.iter().filter_map(|s| self.range(s)).collect();
        for (i, range) in ranges.iter().enumerate() {
            let others = ranges[..i].iter().cloned().chain(reads.iter().filter_map(|s| self.range(s)));
            for other in others {
                let apart = range.end <= other.start || other.end <= range.start || range.is_empty();
                assert!(apart || other.is_empty(), "step {at} writes {range:?}, which meets {other:?}");
            }
            self.written_by[range.clone()].fill(Some(at));
        }
    }

    /// All chunks through the steps of a loop.
    fn run(&mut self, each: &Loop) {
        let o = self.plan.options;
        let all = o.worker_rows(0);
        let pieces: Vec<Range<usize>> = match each.chunk {
            None => vec![all.clone()],
            Some(most) => {
                let shards = o.worker_shards(0).map(|s| o.shard_rows(s));
                shards
                    .flat_map(|r| r.clone().step_by(most).map(move |at| at..(at + most).min(r.end)))
                    .collect()
            }
        };
        for piece in pieces {
            self.rows = piece;
            each.steps.clone().for_each(|at| self.step(at, &self.plan.steps[at]));
        }
        self.rows = all;
    }

    fn end(&self, wanted: &Wanted) {
        for (v, span) in wanted.outputs.iter().zip(&self.plan.outputs) {
            self.check_read("an output", span, &self.sources([*v]));
        }
        for (v, finish) in wanted.gradients.iter().zip(&self.plan.finish) {
            match finish {
                Finish::Gemm { a, b, .. } => {
                    let sources = self.sources(self.g.node(*v).inputs.iter().copied());
                    self.check_read("a gradient", a, &sources);
                    self.check_read("a gradient", b, &sources);
                }
                Finish::Conv { x, dy, .. } => {
                    let sources = self.sources(self.g.node(*v).inputs.iter().copied());
                    self.check_read("a gradient", x, &sources);
                    self.check_read("a gradient", dy, &sources);
                }
                Finish::Ready(span) => self.check_read("a gradient", span, &self.sources([*v])),
                Finish::Shards { .. } => {}
            }
        }
    }
}

#[test]
fn no_value_is_overwritten_while_someone_reads_it() {
    for round in 0..200 {
        let recipe = Recipe::random(round);
        let (g, wanted) = recipe.build().unwrap();
        let cache = CACHE_BYTES;
        for (workers, fuse, cache_bytes) in
            [(1, true, cache), (1, false, cache), (3, true, cache), (1, true, 1500), (2, false, 300)]
        {
            let options = PlanOptions { fuse, cache_bytes, ..PlanOptions::new(recipe.batch, 4, workers) };
            let plan = Plan::compile(&g, &wanted, options).unwrap();
            let mut memory = Memory::new(&g, &plan);
            plan.loops.iter().for_each(|l| memory.run(l));
            memory.end(&wanted);
        }
    }
}

#[test]
fn workers_chunks_and_fusion_change_nothing() {
    for round in 0..40 {
        let recipe = Recipe::random(1000 + round);
        let (g, wanted) = recipe.build().unwrap();
        let values = recipe.values(&g);
        let exact = exact(&g, &wanted, &values);
        let options = |workers, fuse| PlanOptions { fuse, ..PlanOptions::new(recipe.batch, 4, workers) };
        for fuse in [true, false] {
            let one = run(&g, &wanted, &values, options(1, fuse));
            close(&format!("{recipe:?} fuse {fuse}"), &one, &exact, 3e-5);
            for (workers, cache_bytes) in [(2, CACHE_BYTES), (3, 400), (4, CACHE_BYTES), (1, 2000), (2, 0)] {
                let options = PlanOptions { cache_bytes, ..options(workers, fuse) };
                let more = run(&g, &wanted, &values, options);
                let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let what = format!("{recipe:?}, fuse {fuse}: {workers} workers, chunks for {cache_bytes} B");
                assert_eq!(bits(&one), bits(&more), "{what}");
            }
        }
    }
}

/// Batches smaller than the number of workers: some have no row at all.
/// Whatever works in an executor's memory takes it alone: two threads that share one are refused by the compiler.
#[test]
fn whoever_works_in_an_executor_has_it_alone() {
    type Vector<'v> = &'v mut [f32];
    let _: fn(&mut Executor, StepContext<'_>, &dyn Feed) = Executor::run;
    let _: fn(&mut Executor, Vector<'_>) = Executor::gradients;
    let _: fn(&mut Executor, Vector<'_>) -> f64 = Executor::gradients_squared;
    let _: fn(&mut Executor, &[f32]) -> f64 = Executor::sum_squares;
    let _: fn(&mut Executor, Vector<'_>, &mut [StateVec], &dyn Update) = Executor::update;
    let _: fn(&mut Executor, Vector<'_>, Vector<'_>, &mut [StateVec], &dyn Update) = Executor::apply;
    let _: fn(&mut Executor, Vector<'_>, Vector<'_>, &mut [StateVec], &dyn Update) = Executor::apply_whole;
}

#[test]
fn workers_without_rows() {
    for (batch, block) in [(1, 0), (1, 4), (1, 5), (2, 3), (3, 3), (0, 0)] {
        let recipe = Recipe {
            batch,
            widths: vec![5, 6, 6, 3],
            blocks: vec![block; 2],
            residual: true,
            weighted: false,
            round: 1,
        };
        let (g, wanted) = recipe.build().unwrap();
        let values = recipe.values(&g);
        let options = |workers, shards| PlanOptions::new(batch, shards, workers);
        let one = run(&g, &wanted, &values, options(1, 4));
        if batch > 0 {
            close(&format!("batch {batch}, block {block}"), &one, &exact(&g, &wanted, &values), 1e-5);
        }
        for workers in [2, 4] {
            let more = run(&g, &wanted, &values, options(workers, 4));
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(
                bits(&one),
                bits(&more),
                "batch {batch}, block {block}: 1 and {workers} workers differ"
            );
        }
    }
}

fn small(block: usize) -> Recipe {
    Recipe {
        batch: 8,
        widths: vec![6, 5, 4, 3],
        blocks: vec![block; 2],
        residual: false,
        weighted: false,
        round: 0,
    }
}

fn plan_of(g: &Graph, wanted: &Wanted) -> Plan {
    Plan::compile(g, wanted, PlanOptions::new(8, 2, 2)).unwrap()
}

/// Compares with the file, or rewrites it.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(text == expected, "{name} has changed; `UPDATE=1` rewrites it. It would be:\n{text}");
}

#[test]
fn a_perceptron_as_text() {
    let (g, wanted) = small(0).build().unwrap();
    let text = plan_of(&g, &wanted).print(&g);
    let count = |what: &str| text.lines().filter(|l| l.contains(what)).count();
    assert_eq!(count("+bias+relu"), 2, "bias and relu join the product\n{text}");
    assert_eq!(count("+gate"), 2, "the gradient of relu joins the product\n{text}");
    let softmax: Vec<&str> = text.lines().filter(|l| l.contains("exp")).collect();
    let all = ["one_hot", "ln", "recip"].iter().all(|name| softmax[0].contains(name));
    assert!(softmax.len() == 1 && all, "softmax, cross entropy and its gradient are one program\n{text}");
    golden("mlp.plan", &text);
}

#[test]
fn a_perceptron_with_batch_norm_as_text() {
    let (g, wanted) = small(3).build().unwrap();
    golden("mlp-bn.plan", &plan_of(&g, &wanted).print(&g));
}

#[test]
fn what_nobody_wants_is_not_computed() {
    let (g, wanted) = small(0).build().unwrap();
    let mut more = g.clone();
    let extra = more.unary(engine::ops::unary::Fn1::Exp, wanted.outputs[1]).unwrap();
    let extra = more.sum(extra).unwrap();
    let (plan, other) = (plan_of(&g, &wanted), plan_of(&more, &wanted));
    assert_eq!(plan, other);
    let all: Vec<Var> = wanted.outputs.iter().chain(&wanted.gradients).copied().collect();
    assert!(!more.live(&all)[extra.index()] && more.live(&[extra])[extra.index()]);
    let forward = plan_of(&g, &Wanted { outputs: vec![wanted.outputs[1]], ..Wanted::default() });
    let products = forward.steps.iter().filter(|s| matches!(s.kernel, Kernel::Gemm(_))).count();
    assert_eq!((products, forward.finish.len()), (3, 0));
    assert!(forward.steps.iter().all(|s| matches!(s.kernel, Kernel::Gemm(_) | Kernel::Feeding(_))));
    assert!(matches!(forward.outputs[0].len, Extent::PerRow(3)));
}

fn refused(build: impl FnOnce(&mut Graph) -> Built<Var>) -> String {
    build(&mut Graph::new()).unwrap_err().to_string()
}

#[test]
fn shape_errors_name_the_layer() {
    let linear = |g: &mut Graph| {
        let x = g.input("x", [64, 784])?;
        g.scope("block2", |g| {
            g.scope("fc1", |g| {
                let weight = g.param("weight", [10, 512])?;
                g.linear(x, weight, None)
            })
        })
    };
    let text = "matmul `block2.fc1`: inner sizes differ: x is [64, 784], weight is [10, 512]";
    assert_eq!(refused(linear), text);
    let add = |g: &mut Graph| {
        let x = g.input("x", [64, 784])?;
        g.scope("skip", |g| {
            let v = g.param("v", [10])?;
            g.add(x, v)
        })
    };
    assert_eq!(refused(add), "add `skip`: shapes [64, 784] and [10] do not fit together");
    let outside = |g: &mut Graph| {
        let x = g.input("x", [64, 784])?;
        g.reshape(x, [64, 10])
    };
    let text = "reshape: cannot view [64, 784] (50176 elements) as [64, 10] (640 elements)";
    assert_eq!(refused(outside), text);
}

/// What is said of an operator in layer `pool` on images of this shape.
fn refused_image(shape: &[usize], f: impl Fn(&mut Graph, Var) -> Built<Var>) -> String {
    refused(|g| {
        let x = g.input("x", shape)?;
        g.scope("pool", |g| f(g, x))
    })
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let windows = |kernel, stride, padding, ceil| PoolOptions { kernel, stride, padding, ceil };
    let max = |shape: &[usize], options| refused_image(shape, |g, x| g.max_pool2d(x, &options));
    let images = &[8, 4, 5, 3];
    assert_eq!(
        max(images, windows([2, 7], [1, 1], [0, 0], false)),
        "max_pool `pool`: the kernel spans 7 of the width, which is 5 with its padding"
    );
    assert_eq!(
        max(images, windows([8, 2], [2, 2], [1, 0], true)),
        "max_pool `pool`: the kernel spans 8 of the height, which is 6 with its padding"
    );
    assert_eq!(
        max(images, windows([2, 2], [2, 0], [0, 0], false)),
        "max_pool `pool`: stride must be at least 1, got 0"
    );
    assert_eq!(
        max(images, windows([0, 2], [2, 2], [0, 0], false)),
        "max_pool `pool`: kernel must be at least 1, got 0"
    );
    assert_eq!(
        max(images, windows([3, 3], [2, 2], [1, 2], false)),
        "max_pool `pool`: padding must be at most half of the kernel, got 2"
    );
    assert_eq!(
        max(&[8, 0, 5, 3], PoolOptions::square(2)),
        "max_pool `pool`: images of [8, 0, 5, 3] have no pixels"
    );
    assert_eq!(
        max(&[8, 15], PoolOptions::square(2)),
        "max_pool `pool`: expected 4 ([B, H, W, C]) axes, got [8, 15]"
    );
    let resize = refused_image(images, |g, x| g.resize(x, [4, 0], Resize::Nearest));
    assert_eq!(resize, "resize `pool`: size must be at least 1, got 0");
    let adaptive = refused_image(images, |g, x| g.adaptive_avg_pool2d(x, [0, 1]));
    assert_eq!(adaptive, "adaptive_avg_pool `pool`: size must be at least 1, got 0");
    let crop = refused_image(images, |g, x| g.crop(x, [1, 0], [4, 5]));
    assert_eq!(crop, "slice `pool`: slice 1..5 is beyond axis 1 of [8, 4, 5, 3]");
    let groups = refused_image(images, |g, x| g.group_norm(x, 2, 1e-5));
    assert_eq!(groups, "group_norm `pool`: 3 channels cannot be cut into 2 equal groups");
}

/// What would mix rows of the batch is found when the plan is made, and says where.
#[test]
fn the_batch_axis_stays_first_and_whole() {
    let mut g = Graph::new();
    let x = g.input("x", [8, 6]).unwrap();
    let y = g.scope("turn", |g| g.transpose(x, &[1, 0])).unwrap();
    let wanted = Wanted { outputs: vec![y], ..Wanted::default() };
    let options = PlanOptions::new(8, 2, 1);
    let error = Plan::compile(&g, &wanted, options).unwrap_err();
    assert_eq!(error.to_string(), "transpose `turn`: the batch axis must stay first and whole");
}

/// A gradient can be read as an output too.
#[test]
fn gradients_as_outputs() {
    let recipe = small(0);
    let (g, mut wanted) = recipe.build().unwrap();
    let values = recipe.values(&g);
    wanted.outputs.extend(wanted.gradients.clone());
    let got = run(&g, &wanted, &values, PlanOptions::new(8, 2, 2));
    close("gradients as outputs", &got, &exact(&g, &wanted, &values), 1e-5);
}
