//! The library's front door: a trainer of parts of one's own is the one that a config makes, and what goes wrong in it
//! is told by name.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thalweg::config::{GroupConfig, RunConfig};
use thalweg::data::augment::Pipeline;
use thalweg::data::{self, Affine, DataOptions, Task};
use thalweg::engine::Graph;
use thalweg::losses::{CrossEntropy, Loss, Mse};
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::{
    Adam, AdamW, Ema, Level, Lookahead, Mean, Momentum, OptimConfig, Optimizer, Outer, OuterMemory, Recipe,
    Sam, Sgd, StepInfo, Stopped,
};
use thalweg::schedule::{Cosine, Span};
use thalweg::source::{Arrays, Head, Pass, Preprocessed, Source, SourceError, Subset};
use thalweg::train::{Predictor, Prepared, Split, TrainError, Trainer, TrainerBuilder};

fn model(title: &str, shape: &[usize], outputs: usize) -> Model {
    let config: ModelConfig = title.parse().unwrap();
    Model::new(&config, shape, outputs).unwrap()
}

/// Points and the quarter of the plane that each is in.
fn quarters(n: usize) -> Arrays {
    let points: Vec<f32> = (0..2 * n).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.01).collect();
    let labels: Vec<u32> =
        points.chunks(2).map(|p| u32::from(p[0] > 0.0) + 2 * u32::from(p[1] > 0.0)).collect();
    Arrays::new(points, &[2]).classes(labels, 4)
}

fn build(data: impl Source + 'static) -> TrainerBuilder {
    Trainer::builder(model("2-16-4", &[2], 4), data, CrossEntropy::default(), Adam::default()).threads(2)
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn graphs_models_and_trainers_go_to_other_threads() {
    fn is_send<T: Send>() {}
    is_send::<Graph>();
    is_send::<Model>();
    is_send::<Trainer>();
    is_send::<Predictor>();
    let mut trainer = build(quarters(128)).epochs(2).build().unwrap();
    let (loss, mut trainer) = std::thread::spawn(move || (trainer.step().unwrap(), trainer)).join().unwrap();
    assert!(loss.is_finite() && trainer.step().unwrap() < 2.0);
}

/// The same data, model and settings by a config and by hand: the same weights, bit for bit.
#[test]
fn a_config_is_one_caller_of_the_trainer() {
    let words = [
        "data=digits",
        "model=64-32-10",
        "model.batch_norm=true",
        "epochs=3",
        "batch=50",
        "seed=4",
        "optimizer=momentum",
        "clip_norm=1",
        "schedule=cosine",
        "top_k=[3]",
    ];
    let config = RunConfig::load(None, &words.map(str::to_owned)).unwrap();
    let mut by_config = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();

    let data = Prepared::open(&config).unwrap();
    let source: Arc<dyn Source> = Arc::new(data.source());
    let part = |numbers: &[u32]| Subset::new(source.clone(), numbers.to_vec());
    let model = Model::new(&config.model, &[8, 8, 1], 10).unwrap();
    let mut by_hand =
        Trainer::builder(model, part(&data.splits.train), CrossEntropy::default(), Momentum::default())
            .valid(part(&data.splits.valid))
            .epochs(3)
            .batch(50)
            .seed(4)
            .threads(3)
            .clip_norm(1.0)
            .schedule(Cosine::default())
            .top_k(&[3])
            .build()
            .unwrap();
    let (a, b) = (by_config.fit().unwrap(), by_hand.fit().unwrap());
    assert_eq!(by_config.state.params, by_hand.state.params);
    assert_eq!(by_config.state.buffers, by_hand.state.buffers);
    assert_eq!(a.epochs, b.epochs);
    assert_eq!(a.epochs.len(), 3);
    let test = by_hand.evaluate(&part(&data.splits.test)).unwrap();
    assert_eq!(test, by_config.measure(Split::Test, None, false).unwrap().metrics);
    assert!(test.get("test_top3").unwrap() >= test.get("test_accuracy").unwrap());
}

/// Sharpness-aware minimization as a user would write it.
#[derive(Debug)]
struct OwnSam;

impl Outer for OwnSam {
    fn n_scratch(&self) -> usize {
        1
    }
    fn gradient(
        &self,
        _info: &StepInfo,
        below: &mut dyn Level,
        memory: &mut OuterMemory<'_>,
        params: &[f32],
        out: &mut [f32],
    ) -> Result<f32, Stopped> {
        let loss = below.gradient(params, out)?;
        let length = below.norm(out) + 1e-12;
        below.add(&mut memory.scratch[0], params, (0.1 / length) as f32, out);
        below.gradient(&memory.scratch[0], out)?;
        Ok(loss)
    }
}

/// Weights, states and figures of a run of a config on digits.
fn ran(mut trainer: Trainer) -> (Vec<f32>, Vec<f32>, Vec<thalweg::engine::StateVec>, Vec<record::Figures>) {
    let fitted = trainer.fit().unwrap();
    let averaged = trainer.evaluated().into_owned();
    (trainer.state.params, averaged, trainer.state.slots, fitted.epochs)
}

/// What a config says of optimizing can be said from Rust, with the same bits; so can a stage of one's own.
#[test]
fn a_recipe_is_the_optimizer_that_a_config_makes() {
    let common = ["data=digits", "model=64-16-10", "epochs=2", "batch=50", "threads=2"];
    let by_config = |words: &[&str]| {
        let words: Vec<String> = common.iter().chain(words).map(|w| w.to_string()).collect();
        let config = RunConfig::load(None, &words).unwrap();
        ran(Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap())
    };
    let config = RunConfig::load(None, &common.map(str::to_owned)).unwrap();
    let data = Prepared::open(&config).unwrap();
    let all: Arc<dyn Source> = Arc::new(data.source());
    let part = |numbers: &[u32]| Subset::new(all.clone(), numbers.to_vec());
    let start = |recipe: Recipe| {
        let model = model("64-16-10", &[8, 8, 1], 10);
        let builder = Trainer::builder(model, part(&data.splits.train), CrossEntropy::default(), recipe);
        builder.valid(part(&data.splits.valid)).epochs(2).batch(50).threads(2)
    };

    let slow = GroupConfig { lr_factor: 0.1, ..GroupConfig::new("*.bias") };
    let grouped = || Recipe::from(Adam::default()).group(&slow).unwrap();
    let ema = Ema { decay: 0.9, ..Ema::default() };
    let sam = Sam { rho: 0.1 };
    let built = |recipe| ran(start(recipe).average(ema).build().unwrap());
    let a = by_config(&[
        "groups=[{ match = \"*.bias\", lr_factor = 0.1 }]",
        "wrap=[{ name = \"sam\", rho = 0.1 }]",
        "average=ema",
        "average.decay=0.9",
    ]);
    assert!(a == built(grouped().wrap(sam).unwrap()), "other bits than the config's");
    assert!(a == built(grouped().outer(OwnSam)), "a stage of one's own");
    assert!(a.0 != a.1 && a.0 != built(grouped()).0, "there is an average, and SAM does something");

    let last = GroupConfig {
        weight_decay: Some(0.1),
        optimizer: Some(OptimConfig::Sgd(Sgd { lr: 0.05, ..Sgd::default() })),
        ..GroupConfig::new("2.*")
    };
    let a = by_config(&[
        "optimizer=adamw",
        "optimizer.weight_decay=0.01",
        "groups=[{ match = \"2.*\", weight_decay = 0.1, optimizer = { name = \"sgd\", lr = 0.05 } }]",
        "wrap=[\"lookahead\"]",
        "average=mean",
        "average.start=\"10st\"",
        "clip_norm=1",
        "clip_value=0.01",
        "schedule=cosine",
        "momentum_schedule=cosine",
        "weight_decay_schedule=cosine",
        "accumulate=2",
    ]);
    let recipe = Recipe::from(AdamW { weight_decay: 0.01, ..AdamW::default() });
    let recipe = recipe.group(&last).and_then(|r| r.clip_norm(1.0)).and_then(|r| r.clip_value(0.01)).unwrap();
    let b = start(recipe.wrap(Lookahead::default()).unwrap())
        .average(Mean { start: Span::Steps(10), ..Mean::default() })
        .schedule(Cosine::default())
        .momentum_schedule(Cosine::default())
        .weight_decay_schedule(Cosine::default())
        .accumulate(2);
    assert!(a == ran(b.build().unwrap()), "other bits than the config's");
}

/// What does not fit in a recipe is told by its key.
#[test]
fn recipes_out_of_range_are_told() {
    let of = || Recipe::from(Adam::default());
    let negative = GroupConfig { lr_factor: -1.0, ..GroupConfig::new("*") };
    let keys = [
        of().group(&negative).unwrap_err().key,
        of().clip_value(0.0).unwrap_err().key,
        of().clip_norm(f64::NAN).unwrap_err().key,
        of().wrap(Sam { rho: 0.0 }).unwrap_err().key,
    ];
    assert_eq!(keys, ["lr_factor", "clip_value", "clip_norm", "rho"]);
    let told = |b: TrainerBuilder| b.build().map(|_| ()).unwrap_err().to_string();
    let start = || build(quarters(128));
    assert_eq!(
        told(start().average(Ema { decay: 1.0, ..Ema::default() })),
        "ema: `decay` is 1, expected from 0 to below 1"
    );
    assert!(told(start().clip_norm(0.0)).contains("`clip_norm` is 0"));
    let unmatched = of().group(&GroupConfig::new("*.wieght")).unwrap();
    let model = model("2-16-4", &[2], 4);
    let error = told(Trainer::builder(model, quarters(128), CrossEntropy::default(), unmatched));
    assert!(error.contains("no parameter is called `*.wieght`"), "{error}");
}

/// Samples that are mixed have mixed labels, through a part of a split too: the bits of the config's run.
#[test]
fn mixed_samples_of_a_subset_have_mixed_labels() {
    for augment in ["augment=mixup", "augment=cutmix"] {
        let words =
            ["data=digits", "model=64-16-10", "epochs=2", "batch=50", "threads=2", "lr=0.01", augment];
        let config = RunConfig::load(None, &words.map(str::to_owned)).unwrap();
        let mut by_config = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();

        let data = Prepared::open(&config).unwrap();
        let train = &data.splits.train;
        let changes = Pipeline::new(&config.augment, &data.set, train, config.seed).unwrap();
        let all: Arc<dyn Source> = Arc::new(data.source().augmented(changes));
        let part = |numbers: &[u32]| Subset::new(all.clone(), numbers.to_vec());
        // a part of a part, of all of its samples and in another order of numbers
        let reversed: Vec<u32> = train.iter().rev().copied().collect();
        let last_first: Vec<u32> = (0..train.len() as u32).rev().collect();
        let nested = Subset::new(Arc::new(part(&reversed)), last_first);
        let adam = Adam { lr: 0.01, ..Adam::default() };
        let mut by_hand =
            Trainer::builder(model("64-16-10", &[8, 8, 1], 10), nested, CrossEntropy::default(), adam)
                .valid(part(&data.splits.valid))
                .epochs(2)
                .batch(50)
                .threads(2)
                .build()
                .unwrap();
        let (a, b) = (by_config.fit().unwrap(), by_hand.fit().unwrap());
        assert!(by_config.state.params == by_hand.state.params, "{augment}");
        assert_eq!(a.epochs, b.epochs);
    }
}

/// A part that is mixed with samples outside of it, such as those of the test part, is refused.
#[test]
fn samples_are_mixed_with_those_of_their_own_part_only() {
    let set = data::open("digits", &DataOptions::default()).unwrap();
    let everything: Vec<u32> = (0..set.len() as u32).collect();
    let mixup = "mixup".parse().unwrap();
    let changes = Pipeline::new(&mixup, &set, &everything, 0).unwrap();
    let source = Preprocessed::new(Arc::new(set), Affine::identity(), Affine::identity()).augmented(changes);
    let few = Subset::new(Arc::new(source.clone()), (0..100).collect());
    let start = |data: Subset| {
        let model = model("64-16-10", &[8, 8, 1], 10);
        Trainer::builder(model, data, CrossEntropy::default(), Adam::default()).threads(2)
    };
    let error = start(few.clone()).build().map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "samples are mixed with 1797 others, but 1697 of these are not among the 100 training samples"
    );
    assert_eq!(
        error.hint().unwrap(),
        "give `Pipeline::new` the numbers that `Subset::new` has: `Pipeline::new(&augment, &set, &numbers, seed)`"
    );
    // all of them, and a few that are only measured
    let all = Subset::new(Arc::new(source), everything);
    let mut trainer = start(all).valid(few.clone()).epochs(1).build().unwrap();
    trainer.fit().unwrap();
    assert!(trainer.evaluate(&few).unwrap().get("test_loss").is_some());
}

/// Numbers out of their range are errors of the builder as they are of a config, and never others in their place.
#[test]
fn numbers_out_of_range_are_told() {
    let told = |b: TrainerBuilder| {
        let error = b.build().map(|_| ()).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    let whole = |key: &str, got: usize, expected: &str, default: usize| {
        (format!("`{key}` is {got}, expected {expected}"), format!("the default is `{key}={default}`"))
    };
    let start = || build(quarters(128));
    let some = "a whole number, 1 or more";
    assert_eq!(told(start().batch(0)), whole("batch", 0, some, 64));
    assert_eq!(told(start().accumulate(0)), whole("accumulate", 0, some, 1));
    assert_eq!(told(start().eval_batch(0)), whole("eval_batch", 0, some, 256));
    assert_eq!(told(start().shards(0)), whole("shards", 0, "a whole number from 1 to 1024", 8));
    assert_eq!(told(start().shards(5000)), whole("shards", 5000, "a whole number from 1 to 1024", 8));
    assert_eq!(told(start().threads(65)), whole("threads", 65, "a whole number from 0 to 64", 0));
    // 0 threads are one for each core, and never more than shards
    let threads = |n, shards| start().shards(shards).threads(n).build().unwrap().session.n_threads();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(threads(0, 512), cores.min(64));
    assert_eq!((threads(0, 1), threads(3, 2)), (1, 2));
}

/// 128 samples in batches of 64 are 2 steps an epoch: 40 in the 20 epochs that nobody asked for.
#[test]
fn steps_alone_are_all_made_however_many_epochs_that_takes() {
    let n_steps = |b: TrainerBuilder| b.build().unwrap().length().n_steps;
    assert_eq!(n_steps(build(quarters(128)).batch(64)), 40);
    assert_eq!(n_steps(build(quarters(128)).batch(64).steps(100)), 100);
    assert_eq!(n_steps(build(quarters(128)).batch(64).steps(100).epochs(3)), 6);
}

#[test]
fn callbacks_see_every_step_and_may_stop() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let mut trainer = build(quarters(128))
        .valid(quarters(64))
        .batch(32)
        .epochs(10)
        .callback(move |event| {
            let figures = event.epoch.map(|e| (e.epoch, e.metrics.get("valid_loss").is_some()));
            noted.lock().unwrap().push((event.step, event.loss, figures, event.params[0]));
            if event.step == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .build()
        .unwrap();
    let fitted = trainer.fit().unwrap();
    assert!(fitted.stopped && fitted.epochs.len() == 1);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(seen[3].2, Some((1, true)));
    assert!(seen.iter().enumerate().all(|(i, s)| s.1.is_finite() && s.2.is_some() == (i == 3)));
    assert_ne!(seen[0].3, seen[5].3, "weights move");
    assert_eq!(trainer.state.params[0], seen[5].3);
}

#[test]
fn a_saved_trainer_goes_on_bit_for_bit() {
    let start = |epochs| build(quarters(200)).batch(32).epochs(epochs).build().unwrap();
    let mut whole = start(4);
    whole.fit().unwrap();
    let mut first = start(4);
    for _ in 0..9 {
        first.step().unwrap();
    }
    let file = path("library.safetensors");
    first.save(&file).unwrap();
    let mut second = start(4);
    second.load(&file).unwrap();
    second.fit().unwrap();
    assert_eq!(second.state.params, whole.state.params);
    assert_eq!(second.state.slots, whole.state.slots);

    // answers of the weights alone, and a file of another model
    whole.save(&file).unwrap();
    let mut predictor = Predictor::new(model("2-16-4", &[2], 4), 2);
    predictor.load(&file).unwrap();
    let inputs: Vec<f32> = (0..600).map(|i| i as f32 / 300.0 - 1.0).collect();
    let mut other = build(quarters(200)).build().unwrap();
    other.load(&file).unwrap();
    let answers = whole.predict(&inputs).unwrap();
    assert_eq!(other.predict(&inputs).unwrap(), answers);
    assert_eq!(predictor.predict(&inputs).unwrap(), answers);
    assert_eq!(answers.len(), 300 * 4);
    let mut wrong =
        Trainer::builder(model("2-8-4", &[2], 4), quarters(99), CrossEntropy::default(), Adam::default())
            .build()
            .unwrap();
    assert!(matches!(wrong.load(&file), Err(TrainError::Weights(_))));
}

/// A source that counts how many of its rows were asked for, and may fail.
struct Counting {
    rows: Arrays,
    n_read: Arc<AtomicUsize>,
    bad: Option<u32>,
}

impl Source for Counting {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn input_shape(&self) -> &[usize] {
        self.rows.input_shape()
    }
    fn heads(&self) -> &[Head] {
        self.rows.heads()
    }
    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.n_read.fetch_add(samples.len(), Ordering::Relaxed);
        match self.bad.filter(|bad| samples.contains(bad)) {
            Some(bad) => Err(format!("row {bad} is gone").into()),
            None => self.rows.inputs(samples, pass, out),
        }
    }
    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.rows.targets(samples, out)
    }
}

#[test]
fn an_evaluator_reads_its_data_once() {
    let n_read = Arc::new(AtomicUsize::new(0));
    let source = Counting { rows: quarters(300), n_read: n_read.clone(), bad: None };
    let mut trainer = build(source).eval_batch(64).build().unwrap();
    let mut read = |f: &mut dyn FnMut(&mut Trainer)| {
        n_read.store(0, Ordering::Relaxed);
        f(&mut trainer);
        n_read.load(Ordering::Relaxed)
    };
    let mut evaluators = Vec::new();
    // a sample is two inputs and two targets of 4 bytes
    for (bytes, n_held) in [(usize::MAX, 300), (130 * 16, 128), (0, 0)] {
        assert_eq!(read(&mut |t| evaluators.push(t.evaluator(Split::Train, bytes).unwrap())), n_held);
    }
    for (i, n_again) in [0, 300 - 128, 300].into_iter().enumerate() {
        for shift in [0.0, 0.25] {
            let n = read(&mut |t| {
                t.state.params[3] += shift;
                let (params, buffers) = (t.state.params.clone(), t.state.buffers.clone());
                let metrics = evaluators[i].measure(&mut t.session, (&params, &buffers)).unwrap();
                assert_eq!(metrics, t.measure(Split::Train, None, false).unwrap().metrics);
            });
            assert_eq!(n, n_again + 300, "rows read again, and by `measure`");
        }
    }
}

#[test]
fn a_source_that_fails_stops_the_step_and_is_named() {
    let n_read = Arc::new(AtomicUsize::new(0));
    let source = Counting { rows: quarters(128), n_read, bad: Some(77) };
    let mut trainer = build(source).batch(64).epochs(1).build().unwrap();
    let error = trainer.fit().unwrap_err();
    assert_eq!(error.to_string(), "cannot read samples: row 77 is gone");
    let (step, before) = (trainer.state.counters.step, trainer.state.params.clone());
    assert!(trainer.step().is_err());
    assert_eq!(
        (trainer.state.counters.step, &trainer.state.params),
        (step, &before),
        "the state is that before"
    );
}

/// Two trainers that share nothing run at the same time; each gives what it gives alone.
#[test]
fn trainers_run_beside_one_another() {
    let run = || {
        let mut trainer = build(quarters(256)).epochs(5).build().unwrap();
        trainer.fit().unwrap();
        trainer.state.params
    };
    let alone = run();
    let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(run)).collect();
    threads.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), alone));
}

#[test]
fn what_does_not_fit_is_told_before_training() {
    fn refused<L: Loss + 'static, O: Optimizer + 'static>(
        model: Model,
        data: Arrays,
        loss: L,
        optimizer: O,
    ) -> String {
        let built = Trainer::builder(model, data, loss, optimizer).build();
        built.map(|_| ()).unwrap_err().to_string()
    }
    let adam = Adam::default;
    let points = || Arrays::new(vec![0.5; 200], &[2]);
    let of = |data: Arrays| refused(model("2-16-4", &[2], 4), data, CrossEntropy::default(), adam());
    assert_eq!(
        of(points().classes([0; 99], 4)),
        "cannot read samples: 99 targets, expected 100 for 100 samples"
    );
    assert_eq!(of(points().classes([4; 100], 4)), "cannot read samples: class 4, expected 0 to 3");
    assert_eq!(
        of(points().classes([1; 100], 3)),
        "the model gives 4 values, the data has 3 classes or targets"
    );
    assert_eq!(
        of(Arrays::new(vec![0.5; 300], &[3]).classes([1; 100], 4)),
        "the model takes samples of shape [2], the data has [3]"
    );
    assert_eq!(of(Arrays::new(vec![], &[2]).classes([], 4)), "the training data have no samples");
    assert_eq!(
        of(points().numbers(vec![0.5; 400], 4)),
        "loss `cross_entropy` needs classes, but the targets are numbers"
    );
    let few = Arrays::new(vec![0.5; 20], &[2]).numbers(vec![0.5; 10], 1);
    let few = || Trainer::builder(model("2-16-1", &[2], 1), few.clone(), Mse {}, adam());
    let small = few().batch(64).build().unwrap_err().to_string();
    assert_eq!(small, "`batch` is 64, more than the 10 training samples");
    assert_eq!(few().epochs(3).build().unwrap().length().n_steps, 3);
    let mut trainer = build(quarters(128)).build().unwrap();
    let other = Arrays::new(vec![0.5; 20], &[2]).classes([0; 10], 3);
    let error = trainer.evaluate(&other).unwrap_err().to_string();
    assert!(error.contains("3 classes") && error.contains("4 classes"), "{error}");
    assert!(matches!(trainer.predict(&[1.0; 3]), Err(TrainError::SampleShape { .. })));
}

/// Rows of another source, whose only head is told in another way.
struct Told(Arrays, Vec<Head>);

impl Source for Told {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn input_shape(&self) -> &[usize] {
        self.0.input_shape()
    }
    fn heads(&self) -> &[Head] {
        &self.1
    }
    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.0.inputs(samples, pass, out)
    }
    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.0.targets(samples, out)
    }
}

/// The classes of other samples are those of training, in the same order.
#[test]
fn samples_with_other_classes_are_told() {
    let labels = || (0..100).map(|i| i % 2);
    let of = |names: [&str; 2]| Arrays::new(vec![0.5; 200], &[2]).named_classes(labels(), names);
    let start = || {
        let model = model("2-8-2", &[2], 2);
        Trainer::builder(model, of(["cat", "dog"]), CrossEntropy::default(), Adam::default())
    };
    let mut trainer = start().valid(of(["cat", "dog"])).build().unwrap();
    trainer.evaluate(&of(["cat", "dog"])).unwrap();
    let unnamed = Arrays::new(vec![0.5; 200], &[2]).classes(labels(), 2);
    let valid = start().valid(of(["dog", "cat"])).build().map(|_| ()).unwrap_err();
    for (error, told) in [
        (
            trainer.evaluate(&of(["dog", "cat"])).unwrap_err(),
            "class 0 of the samples is `dog`, expected `cat`",
        ),
        (trainer.evaluate(&unnamed).unwrap_err(), "class 0 of the samples is `0`, expected `cat`"),
        (valid, "class 0 of the samples is `dog`, expected `cat`"),
    ] {
        assert_eq!(error.to_string(), told);
        assert!(error.hint().is_some());
    }
}

/// Numbers are measured in the unit that the model learned, whatever the source of other samples says of its own.
#[test]
fn other_numbers_are_measured_by_the_map_of_training() {
    let numbers = || {
        let x: Vec<f32> = (0..100).map(|i| i as f32 / 50.0 - 1.0).collect();
        let y: Vec<f32> = x.iter().map(|x| 300.0 + 40.0 * x).collect();
        Arrays::new(x, &[1]).numbers(y, 1)
    };
    let mapped = || {
        let map = Some(Affine { scale: vec![0.025], shift: vec![-7.5] });
        let task = Task::Regression { targets: vec!["0".into()] };
        Told(numbers(), vec![Head { map, ..Head::only(task) }])
    };
    let trained = |valid: Box<dyn Fn(TrainerBuilder) -> TrainerBuilder>| {
        let builder = Trainer::builder(model("1-1", &[1], 1), mapped(), Mse {}, Adam::default());
        let mut trainer = valid(builder).epochs(2).build().unwrap();
        let valid_loss = trainer.fit().unwrap().last("valid_loss").unwrap();
        (valid_loss, trainer)
    };
    let (expected, mut trainer) = trained(Box::new(move |b| b.valid(mapped())));
    let (got, _) = trained(Box::new(move |b| b.valid(numbers())));
    assert_eq!(got, expected);
    let own = trainer.evaluate(&mapped()).unwrap();
    assert_eq!(trainer.evaluate(&numbers()).unwrap(), own);
    assert!(own.get("test_loss").unwrap() < 10.0, "in the unit that is learned");
}
