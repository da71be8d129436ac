//! Several heads: losses, gradients and figures against those by hand in f64, missing targets among them; from a config
//! and from the library; one head is what it was.

#![allow(clippy::result_large_err, reason = "tests only")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use record::{Existing, Outcome, RunDir, Status};
use thalweg::config::RunConfig;
use thalweg::losses::{CrossEntropy, Huber, Mse};
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::Sgd;
use thalweg::source::Arrays;
use thalweg::train::{self, Answers, Kept, Output, Prepared, ProgramKey, Silent, Split, Trained, Trainer};

const N: usize = 60;
const COLORS: [&str; 3] = ["blue", "green", "red"];

/// Samples of two numbers, each with a color and two sizes, some of them not known.
struct Sample {
    x: [f64; 2],
    color: Option<usize>,
    sizes: Option<[f64; 2]>,
}

fn samples() -> Vec<Sample> {
    let sample = |i: usize| {
        let x = [(i * 7 % 19) as f64 / 8.0 - 1.0, (i * 5 % 23) as f64 / 8.0 - 1.5];
        let color = (i % 5 != 2).then_some((i * i + i / 3) % 3);
        let sizes = (i % 4 != 1).then_some([x[0] * 2.0 - x[1] + 0.25, (i % 7) as f64 / 4.0]);
        Sample { x, color, sizes }
    };
    (0..N).map(sample).collect()
}

/// As a table; missing targets are empty fields.
fn table(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut text = "a,color,b,height,width\n".to_owned();
    for s in samples() {
        let color = s.color.map_or("", |c| COLORS[c]);
        let size = |j: usize| s.sizes.map_or(String::new(), |sizes| sizes[j].to_string());
        text += &format!("{},{color},{},{},{}\n", s.x[0], s.x[1], size(0), size(1));
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// What a linear model with weights `w` (`[5, 2]`, then 5 biases) gives: three scores of colors, two sizes.
fn outputs(w: &[f64], x: &[f64; 2]) -> Vec<f64> {
    (0..5).map(|k| w[2 * k] * x[0] + w[2 * k + 1] * x[1] + w[10 + k]).collect()
}

/// Mean losses of the two heads over the samples whose target is known, and the gradient of c·first + s·second.
fn by_hand(w: &[f64], samples: &[Sample], [c, s]: [f64; 2]) -> ([f64; 2], Vec<f64>) {
    let n = [
        samples.iter().filter(|s| s.color.is_some()).count() as f64,
        samples.iter().filter(|s| s.sizes.is_some()).count() as f64,
    ];
    let (mut losses, mut gradient) = ([0.0; 2], vec![0.0; 15]);
    for sample in samples {
        let z = outputs(w, &sample.x);
        let mut dz = [0.0; 5];
        if let Some(color) = sample.color {
            let sum: f64 = z[..3].iter().map(|z| z.exp()).sum();
            losses[0] += (sum.ln() - z[color]) / n[0];
            for k in 0..3 {
                dz[k] = c * (z[k].exp() / sum - if k == color { 1.0 } else { 0.0 }) / n[0];
            }
        }
        if let Some(sizes) = sample.sizes {
            for j in 0..2 {
                let r = z[3 + j] - sizes[j];
                losses[1] += r * r / 2.0 / n[1];
                dz[3 + j] = s * r / n[1];
            }
        }
        for k in 0..5 {
            gradient[2 * k] += dz[k] * sample.x[0];
            gradient[2 * k + 1] += dz[k] * sample.x[1];
            gradient[10 + k] += dz[k];
        }
    }
    (losses, gradient)
}

fn close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 2e-6 * expected.abs().max(0.1), "{what}: {got}, by hand {expected}");
}

/// Two steps of the whole data, compared with those by hand, and the figures between them.
fn check(trainer: &mut Trainer, names: [&str; 2], weights: [f64; 2], lr: f64) {
    let samples = samples();
    for step in 0..2 {
        let before: Vec<f64> = trainer.state.params.iter().map(|x| f64::from(*x)).collect();
        let (losses, gradient) = by_hand(&before, &samples, weights);
        let total = weights[0] * losses[0] + weights[1] * losses[1];
        let metrics = trainer.measure(Split::Train, None, false).unwrap().metrics;
        let figure = |name: String| metrics.get(&name).unwrap_or_else(|| panic!("no {name} in {metrics:?}"));
        close(figure(format!("train_{}_loss", names[0])), losses[0], "loss of colors");
        close(figure(format!("train_{}_loss", names[1])), losses[1], "loss of sizes");
        close(figure("train_loss".into()), total, "weighted sum");
        let known = || samples.iter().filter_map(|s| s.color.map(|c| (outputs(&before, &s.x), c)));
        let right = known().filter(|(z, c)| (0..3).all(|k| z[k] <= z[*c])).count() as f64;
        close(figure(format!("train_{}_accuracy", names[0])), right / known().count() as f64, "accuracy");
        close(figure(format!("train_{}_rmse", names[1])), losses[1].sqrt(), "rmse");

        close(f64::from(trainer.step().unwrap()), total, "trained loss");
        for (i, g) in gradient.iter().enumerate() {
            let moved = (before[i] - f64::from(trainer.state.params[i])) / lr;
            assert!((moved - g).abs() < 2e-6, "step {step}: gradient {i} is {moved}, by hand {g}");
        }
    }
}

fn config(words: &[String]) -> RunConfig {
    RunConfig::load(None, words).unwrap_or_else(|e| panic!("{e}\nhint: {}", e.hint()))
}

fn words(path: &Path) -> Vec<String> {
    [
        &*format!("data={}", path.display()),
        "heads=[{name=\"color\"},{name=\"size\",target=[\"height\",\"width\"],loss=\"mse\",weight=0.5}]",
        "data.valid=0",
        "data.test=0",
        "preprocess=none",
        "standardize_targets=false",
        "model=linear",
        "optimizer=sgd",
        "optimizer.weight_decay=0",
        "lr=0.125",
        "batch=60",
        "epochs=2",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Words with others in place of those of the same keys.
fn with(mut words: Vec<String>, others: &[&str]) -> Vec<String> {
    let key = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
    for other in others {
        words.retain(|word| key(word) != key(other));
        words.push((*other).to_owned());
    }
    words
}

#[test]
fn a_config_with_two_heads_is_that_by_hand() {
    let config = config(&words(&table("heads.csv")));
    let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
    assert_eq!(trainer.session.model.n_outputs(), 5);
    check(&mut trainer, ["color", "size"], [1.0, 0.5], 0.125);
}

fn arrays() -> Arrays {
    let samples = samples();
    let x: Vec<f32> = samples.iter().flat_map(|s| s.x.map(|x| x as f32)).collect();
    let sizes: Vec<f32> =
        samples.iter().flat_map(|s| s.sizes.map_or([f32::NAN; 2], |v| v.map(|x| x as f32))).collect();
    Arrays::new(x, &[2])
        .class_head("hue", samples.iter().map(|s| s.color.map(|c| c as u32)), 3)
        .number_head("extent", sizes, 2)
}

fn linear() -> Model {
    Model::new(&"2-5".parse::<ModelConfig>().unwrap(), &[2], 5).unwrap()
}

#[test]
fn the_library_with_two_heads_is_that_by_hand() {
    let optimizer = Sgd { lr: 0.25, ..Sgd::default() };
    let mut trainer = Trainer::builder(linear(), arrays(), CrossEntropy::default(), optimizer)
        .head("extent", Mse {}, 2.0)
        .batch(N)
        .threads(2)
        .build()
        .unwrap();
    check(&mut trainer, ["hue", "extent"], [1.0, 2.0], 0.25);
    // the losses of samples by the names of their heads; those without a target are 0 and weigh nothing
    let all: Vec<u32> = (0..N as u32).collect();
    let program = trainer.run(&ProgramKey::measure(N), &all).unwrap();
    let each = program.output(&Output::Losses("hue".into())).unwrap().to_vec();
    let weights = program.output(&Output::Weights("hue".into())).unwrap().to_vec();
    for (i, sample) in samples().iter().enumerate() {
        assert_eq!(weights[i], if sample.color.is_some() { 1.0 } else { 0.0 });
        assert_eq!(each[i] == 0.0, sample.color.is_none(), "{i}");
    }
}

/// A batch in which no target of a head is known: it adds nothing, and its gradient is nothing.
#[test]
fn a_batch_without_targets_of_a_head_moves_nothing_of_it() {
    let x: Vec<f32> = (0..16).map(|i| i as f32 / 8.0).collect();
    let labels = (0..8u32).map(|i| (i >= 4).then_some(i % 3));
    let data = Arrays::new(x, &[2]).class_head("a", labels, 3).number_head("b", vec![1.0; 16], 2);
    let mut trainer = Trainer::builder(linear(), data, CrossEntropy::default(), Sgd::default())
        .head("b", Huber::default(), 1.0)
        .batch(4)
        .in_order()
        .build()
        .unwrap();
    let before = trainer.state.params.clone();
    assert!(trainer.step().unwrap().is_finite());
    let changed = |i: usize| before[i] != trainer.state.params[i];
    assert!((0..6).chain(10..13).all(|i| !changed(i)), "head `a` has nothing to learn from");
    assert!((6..10).chain(13..15).any(changed), "head `b` learns");
    trainer.step().unwrap();
    assert!((0..6).any(|i| before[i] != trainer.state.params[i]), "now head `a` learns too");
}

/// One head with a name is the run without it, bit for bit.
#[test]
fn a_list_of_one_head_is_todays_task() {
    let run = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let config = config(&words);
        let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
        for _ in 0..30 {
            trainer.step().unwrap();
        }
        (trainer.state.params, trainer.state.buffers)
    };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-head.csv");
    let row = |i: usize| format!("{},{},{}\n", i % 13, i % 29, if i % 13 > i % 29 { "yes" } else { "no" });
    std::fs::write(&path, "a,b,c\n".to_owned() + &(0..300).map(row).collect::<String>()).unwrap();
    let data_of = format!("data={}", path.display());
    let weighted = "loss={name=\"cross_entropy\",class_weights=[1,3]}";
    let head = "heads=[{name=\"c\",loss={name=\"cross_entropy\",class_weights=[1,3]}}]";
    assert_eq!(run(&[&data_of, weighted, "model=mlp-16"]), run(&[&data_of, head, "model=mlp-16"]));
}

#[test]
fn a_whole_run_with_heads_is_measured_resumed_and_answers() {
    let path = table("heads-run.csv");
    let folder = |name: &str| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        path
    };
    let mut words = words(&path);
    words.retain(|w| {
        !w.starts_with("data.valid") && !w.starts_with("data.test") && !w.starts_with("standard")
    });
    let words = with(words, &["batch=16", "epochs=6", "model=mlp-16"]);
    let go = |folder: &Path, words: &[String]| {
        let dir = RunDir::create_at(folder, Existing::Refuse).unwrap();
        train::train(&config(words), &dir, &mut Silent, &AtomicBool::new(false)).unwrap()
    };
    let (whole, cut) = (folder("heads-whole"), folder("heads-cut"));
    let summary = go(&whole, &words);
    assert_eq!(
        (summary.status, summary.task.as_str(), summary.metric.as_str()),
        (Status::Done, "heads", "loss")
    );
    let best = summary.best.clone().unwrap().metrics;
    for name in [
        "valid_loss",
        "valid_color_accuracy",
        "valid_size_r2",
        "test_loss",
        "test_color_loss",
        "test_size_rmse",
    ] {
        assert!(best.get(name).is_some_and(f64::is_finite), "{name} in {best:?}");
    }
    let sum = best.get("valid_color_loss").unwrap() + 0.5 * best.get("valid_size_loss").unwrap();
    close(best.get("valid_loss").unwrap(), sum, "weighted sum");

    go(&cut, &with(words.clone(), &["epochs=3"]));
    let dir = RunDir::resume(&cut).unwrap();
    let resumed = train::resume(&dir, &["epochs=6".into()], &mut Silent, &AtomicBool::new(false)).unwrap();
    assert_eq!(resumed.weights_sha256, summary.weights_sha256);
    drop(dir);

    let dir = RunDir::open(&whole).unwrap();
    let config = config(&words);
    let evaluation = dir.load().unwrap().evaluation.unwrap();
    let Outcome::Heads(heads) = &evaluation.outcome else { panic!("{evaluation:?}") };
    assert_eq!(heads.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(), ["color", "size"]);
    assert!(
        heads.iter().all(|h| 0 < h.samples && h.samples < evaluation.samples),
        "some are missing: {heads:?}"
    );

    let mut trained = Trained::open(&dir, config.clone(), Kept::Best).unwrap();
    let own = trained.measure_own(Kept::Best).unwrap();
    assert_eq!(own.measured.metrics.get("test_loss"), best.get("test_loss"));
    let new = trained.measure_new(Kept::Best).unwrap();
    assert!(new.measured.metrics.get("test_color_accuracy").is_some());
    let Answers::Heads(answers) = trained.answer().unwrap() else { panic!("two heads") };
    let [(_, Answers::Classes { classes, chosen, scores }), (_, Answers::Numbers { targets, values })] =
        &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert_eq!((classes.join(","), chosen.len(), scores.len()), ("blue,green,red".into(), N, 3 * N));
    assert_eq!((targets.join(","), values.len()), ("height,width".into(), 2 * N));
    assert!(scores.chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
    // sizes are learned standardized and told in their own unit
    let mean = |v: &[f64]| v.iter().step_by(2).sum::<f64>() / N as f64;
    let truth: Vec<f64> = samples().iter().filter_map(|s| s.sizes.map(|z| z[0])).collect();
    let truth = truth.iter().sum::<f64>() / truth.len() as f64;
    assert!((mean(values) - truth).abs() < 0.5, "{} against {truth}", mean(values));
}

#[test]
fn wrong_heads_are_told_by_name() {
    let path = table("heads-wrong.csv");
    let refused = |heads: &str, more: &[&str]| {
        let words = with(with(words(&path), &[&format!("heads={heads}")]), more);
        let told = RunConfig::load(None, &words).map_err(|e| e.to_string());
        told.and_then(|c| {
            let data = Prepared::open(&c).map_err(|e| e.to_string())?;
            Trainer::new(&c, data).map(|_| ()).map_err(|e| e.to_string())
        })
        .unwrap_err()
    };
    let two = "[{name=\"color\"},{name=\"color\",target=\"width\"}]";
    assert!(refused(two, &[]).contains("two heads are called `color`"), "{}", refused(two, &[]));
    let text = refused("[{name=\"colors\"}]", &[]);
    assert!(text.contains("colors"), "{text}");
    let text = refused("[{name=\"color\",loss=\"mse\",weight=-1}]", &[]);
    assert!(text.starts_with("`heads[0].weight` is -1 on the command line, expected"), "{text}");
    let text = refused("[{name=\"height\",loss=\"cross_entropy\",task=\"regression\"}]", &[]);
    assert!(text.starts_with("head `height`: ") && text.contains("needs classes"), "{text}");
    let text = refused("[{name=\"color\",weight=0},{name=\"height\",weight=0}]", &[]);
    assert!(text.contains("the weight of every head is 0"), "{text}");
    let hinted = |heads: &str| {
        let config = config(&with(words(&path), &[&format!("heads={heads}")]));
        let made = Prepared::open(&config).and_then(|data| Trainer::new(&config, data));
        made.map(|_| ()).map_err(|error| error.hint().unwrap_or_default())
    };
    let hint = hinted("[{name=\"height\",loss=\"cross_entropy\",task=\"regression\"}]").unwrap_err();
    assert_eq!(hint, "`height` without `loss` takes what suits its targets");
    hinted("[{name=\"height\",task=\"regression\"}]").unwrap();
    let weights = |w: &str| format!("[{{name=\"color\",loss={{name=\"cross_entropy\",class_weights={w}}}}}]");
    let hint = hinted(&weights("[1,2]")).unwrap_err();
    assert_eq!(hint, "`class_weights = \"balanced\"` in the loss of `color`, or a list of 3 numbers");
    hinted(&weights("\"balanced\"")).unwrap();
    hinted(&weights("[1,2,3]")).unwrap();
    let text = refused("[{name=\"color\"}]", &["loss=mse"]);
    assert!(text.contains("if there are several heads, each has its own `loss`"), "{text}");
    let text = refused("[{name=\"color\"}]", &["data=digits"]);
    assert!(text.contains("need a table"), "{text}");
    let text = refused("[{target=\"color\"}]", &[]);
    assert!(text.contains("a head needs the key `name`"), "{text}");
    // the hint, typed, cures it
    let digits = |heads: &str| Prepared::open(&config(&["data=digits".to_owned(), heads.to_owned()]));
    let error = digits("heads=[{name=\"color\"}]").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("`heads=[]` learns the one target of `digits`"));
    assert!(digits("heads=[]").is_ok());
}

#[test]
fn misspelled_heads_are_told_as_any_other_key() {
    let path = table("heads-spelling.csv");
    let load = |list: &str| {
        RunConfig::load(None, &with(words(&path), &[&format!("heads=[{{name=\"size\"}},{list}]")]))
    };
    for (list, message, hint, cured) in [
        (
            "{nmae=\"color\"}",
            "unknown key `heads[1].nmae`",
            "did you mean `heads[1].name`?",
            "{name=\"color\"}",
        ),
        (
            "{name=\"color\",wieght=2}",
            "unknown key `heads[1].wieght`",
            "did you mean `heads[1].weight` (default 1.0)?",
            "{name=\"color\",weight=2}",
        ),
        (
            "{name=\"color\",loss=\"cross_entrpy\"}",
            "unknown loss `cross_entrpy`",
            "did you mean `cross_entropy`?",
            "{name=\"color\",loss=\"cross_entropy\"}",
        ),
        (
            "{name=\"color\",loss={name=\"cross_entropy\",smothing=0.1}}",
            "unknown key `heads[1].loss.smothing`",
            "did you mean `heads[1].loss.smoothing` (default 0.0)?",
            "{name=\"color\",loss={name=\"cross_entropy\",smoothing=0.1}}",
        ),
        (
            "{name=\"color\",task=\"regresion\"}",
            "`heads[1].task` is the text \"regresion\"",
            "write `task = regression` in that table of `heads`",
            "{name=\"color\",task=\"regression\"}",
        ),
        ("2", "`heads` is 2", "the default is `heads=[]`", "{name=\"color\"}"),
    ] {
        let error = load(list).expect_err(list);
        assert!(error.to_string().starts_with(&format!("{message} on the command line")), "{list}: {error}");
        assert_eq!(error.hint(), hint, "{list}");
        assert!(load(cured).is_ok(), "{cured}");
    }
}

/// A folder whose test file has a sample without the first head's target, then none at all.
#[test]
fn the_test_file_is_every_heads() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heads-test-file");
    std::fs::create_dir_all(&folder).unwrap();
    let row = |i: usize| format!("{},{},{},{}\n", i % 13, i % 29, ["no", "yes"][i % 2], i % 7);
    let train = "a,b,c,d\n".to_owned() + &(0..200).map(row).collect::<String>();
    std::fs::write(folder.join("train.csv"), train).unwrap();
    let open = |test: &str| {
        std::fs::write(folder.join("test.csv"), format!("a,b,c,d\n{test}")).unwrap();
        let data = format!("data={}", folder.display());
        let heads = "heads=[{name=\"c\"},{name=\"d\",task=\"regression\",loss=\"mse\"}]".to_owned();
        Prepared::open(&config(&[data, heads]))
    };
    for test in ["1,2,,3\n4,5,yes,1\n", "1,2,no,\n4,5,yes,\n", "1,2,,3\n4,5,,1\n"] {
        let prepared = open(test).unwrap();
        assert_eq!(prepared.splits.test, [200, 201], "{test}");
        assert_eq!(prepared.head_targets[0].len(), 202);
        assert_eq!(prepared.head_targets[1].len(), 202);
    }
    let prepared = open("1,2,,\n4,5,,\n").unwrap();
    assert!(prepared.set.notes.iter().any(|n| n.contains("has no targets and is not used")));
    assert!(prepared.head_targets.iter().all(|targets| targets.len() == 200));
    let empty = "a,b,c,d\n".to_owned() + &(0..20).map(|i| format!("{i},{i},,{i}\n")).collect::<String>();
    std::fs::write(folder.join("train.csv"), empty).unwrap();
    let error = open("1,2,,3\n").unwrap_err().to_string();
    assert!(error.contains("no training sample has a target of head `c`"), "{error}");
}

/// Of 200 samples two have a target of `d`, both in the training part or not.
#[test]
fn parts_without_a_target_are_told() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heads-rare.csv");
    let known = |i: usize| if i < 2 { i.to_string() } else { String::new() };
    let row = |i: usize| format!("{},{},{},{}\n", i % 13, i % 29, ["no", "yes"][i % 2], known(i));
    std::fs::write(&path, "a,b,c,d\n".to_owned() + &(0..200).map(row).collect::<String>()).unwrap();
    let data = format!("data={}", path.display());
    let open = |heads: &str, more: &[&str]| {
        let words = [&data[..], heads].into_iter().chain(more.iter().copied()).map(String::from);
        Prepared::open(&config(&words.collect::<Vec<_>>()))
    };
    let rare = "{name=\"d\",task=\"regression\",loss=\"mse\"}";
    let both = format!("heads=[{{name=\"c\"}},{rare}]");
    let prepared = (0..20).find_map(|seed| open(&both, &[&format!("data.split_seed={seed}")]).ok()).unwrap();
    let said = "head `d` has no figures for the validation part: no sample there has its target";
    assert!(prepared.splits.warnings.iter().any(|w| w.starts_with(said)), "{:?}", prepared.splits.warnings);
    let refuse = |seed: usize| {
        open(&format!("heads=[{rare}]"), &[&format!("data.split_seed={seed}")]).err().map(|e| (seed, e))
    };
    let told = |error: &train::TrainError| error.to_string().contains("no sample of the validation part");
    let (seed, error) = (0..20).filter_map(refuse).find(|(_, error)| told(error)).unwrap();
    assert!(error.hint().is_some_and(|hint| hint.starts_with("`data.valid=0`")));
    open(&format!("heads=[{rare}]"), &[&format!("data.split_seed={seed}"), "data.valid=0"]).unwrap();
}
