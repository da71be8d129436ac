//! Weights of samples: losses and gradients by hand in f64, rows twice for a weight of 2, batches that are added up,
//! units that do not matter, and data that have none.

#![allow(clippy::result_large_err, reason = "tests only")]

use std::path::{Path, PathBuf};

use thalweg::config::RunConfig;
use thalweg::losses::{ClassWeights, CrossEntropy, Mse};
use thalweg::model::{Model, ModelConfig};
use thalweg::optim::{Adam, Sgd};
use thalweg::source::{Arrays, Source};
use thalweg::train::{Prepared, Split, TrainError, Trainer};

const N: usize = 48;

fn model(title: &str, outputs: usize) -> Model {
    let config: ModelConfig = title.parse().unwrap();
    Model::new(&config, &[2], outputs).unwrap()
}

fn x(i: usize) -> [f64; 2] {
    [(i * 7 % 19) as f64 / 8.0 - 1.0, (i * 5 % 23) as f64 / 8.0 - 1.5]
}

fn class(i: usize) -> usize {
    (i * i + i / 3) % 3
}

/// 0 to 4, as counts of rows.
fn weight(i: usize) -> f64 {
    (i * 3 % 5) as f64
}

/// The samples of these numbers.
fn samples(numbers: &[usize]) -> Arrays {
    let inputs: Vec<f32> = numbers.iter().flat_map(|i| x(*i)).map(|x| x as f32).collect();
    Arrays::new(inputs, &[2])
}

fn classes(numbers: &[usize]) -> Arrays {
    samples(numbers).classes(numbers.iter().map(|i| class(*i) as u32), 3)
}

fn all() -> Vec<usize> {
    (0..N).collect()
}

fn weighted(factor: f64) -> Arrays {
    classes(&all()).weights(all().into_iter().map(|i| factor * weight(i)))
}

fn close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 2e-6 * expected.abs().max(0.1), "{what}: {got}, expected {expected}");
}

/// The loss of three scores or of two numbers, and its slopes, both of weight 1.
type ByHand = fn(&[f64], usize) -> (f64, Vec<f64>);

/// PyTorch's `F.cross_entropy(z, y, reduction="none")`.
fn cross_entropy(z: &[f64], i: usize) -> (f64, Vec<f64>) {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    let slope = (0..3).map(|k| z[k].exp() / sum - f64::from(u8::from(k == class(i))));
    (sum.ln() - z[class(i)], slope.collect())
}

fn numbers(i: usize) -> [f64; 2] {
    [x(i)[0] * 2.0 - x(i)[1] + 0.25, (i % 7) as f64 / 4.0]
}

/// `F.mse_loss(z, y, reduction="none").mean(1)`.
fn square(z: &[f64], i: usize) -> (f64, Vec<f64>) {
    let r: Vec<f64> = z.iter().zip(numbers(i)).map(|(z, y)| z - y).collect();
    (r.iter().map(|r| r * r / 2.0).sum(), r)
}

/// Σ wᵢ·lossᵢ / Σ wᵢ of a linear model (`[outputs, 2]`, then biases) and its gradient, in f64.
fn by_hand(
    params: &[f64],
    loss: ByHand,
    w: impl Fn(usize) -> f64,
    factor: impl Fn(usize) -> f64,
) -> (f64, Vec<f64>) {
    let k = params.len() / 3;
    let total: f64 = all().into_iter().map(&w).sum();
    let (mut mean, mut gradient) = (0.0, vec![0.0; params.len()]);
    for i in 0..N {
        let z: Vec<f64> = (0..k)
            .map(|j| params[2 * j] * x(i)[0] + params[2 * j + 1] * x(i)[1] + params[2 * k + j])
            .collect();
        let (own, slope) = loss(&z, i);
        let share = factor(i) / total;
        mean += share * own;
        for j in 0..k {
            gradient[2 * j] += share * slope[j] * x(i)[0];
            gradient[2 * j + 1] += share * slope[j] * x(i)[1];
            gradient[2 * k + j] += share * slope[j];
        }
    }
    (mean, gradient)
}

/// Two steps of all samples, and the figures before each.
fn check(mut trainer: Trainer, loss: ByHand, w: fn(usize) -> f64) {
    for step in 0..2 {
        let before: Vec<f64> = trainer.state.params.iter().map(|x| f64::from(*x)).collect();
        let (mean, gradient) = by_hand(&before, loss, w, w);
        let metrics = trainer.measure(Split::Train, None, false).unwrap().metrics;
        close(metrics.get("train_loss").unwrap(), mean, "measured");
        close(f64::from(trainer.step().unwrap()), mean, "trained");
        for (i, g) in gradient.iter().enumerate() {
            let moved = (before[i] - f64::from(trainer.state.params[i])) / 0.25;
            assert!((moved - g).abs() < 2e-6, "step {step}: gradient {i} is {moved}, by hand {g}");
        }
    }
}

#[test]
fn losses_and_gradients_are_those_by_hand() {
    let sgd = || Sgd { lr: 0.25, ..Sgd::default() };
    let linear = |outputs| model("linear", outputs);
    let plain = Trainer::builder(linear(3), weighted(1.0), CrossEntropy::default(), sgd()).batch(N);
    check(plain.build().unwrap(), cross_entropy, weight);
    // weights of classes multiply those of samples, as PyTorch's `weight=` does
    let of_classes =
        CrossEntropy { class_weights: ClassWeights::List(vec![0.5, 2.0, 1.25]), ..Default::default() };
    let both = Trainer::builder(linear(3), weighted(1.0), of_classes, sgd()).batch(N);
    check(both.build().unwrap(), cross_entropy, |i| weight(i) * [0.5, 2.0, 1.25][class(i)]);
    let targets: Vec<f32> = all().into_iter().flat_map(numbers).map(|y| y as f32).collect();
    let sizes = samples(&all()).numbers(targets, 2).weights(all().into_iter().map(weight));
    check(Trainer::builder(linear(2), sizes, Mse {}, sgd()).batch(N).build().unwrap(), square, weight);
}

/// A row of weight 3 is that row three times, and one of weight 0 is none.
#[test]
fn whole_weights_are_copies_of_rows() {
    let copies: Vec<usize> = all().into_iter().flat_map(|i| vec![i; weight(i) as usize]).collect();
    let n = copies.len();
    let train = |source: Arrays, batch: usize| {
        let adam = Adam { lr: 0.01, ..Adam::default() };
        let mut trainer = Trainer::builder(model("2-8-3", 3), source.clone(), CrossEntropy::default(), adam)
            .valid(source)
            .batch(batch)
            .epochs(5)
            .build()
            .unwrap();
        let fitted = trainer.fit().unwrap();
        let losses = ["train_loss", "valid_loss"].map(|name| fitted.last(name).unwrap());
        (trainer.state.params, losses)
    };
    let (weighted, copied) = (train(weighted(1.0), N), train(classes(&copies), n));
    for (a, b) in weighted.0.iter().zip(&copied.0) {
        assert!((a - b).abs() < 2e-6, "{a} {b}");
    }
    close(weighted.1[0], copied.1[0], "train_loss");
    close(weighted.1[1], copied.1[1], "valid_loss");
    let (plain, _) = train(classes(&all()), N);
    assert!(plain.iter().zip(&copied.0).any(|(a, b)| (a - b).abs() > 1e-3), "weights do something");
}

/// Batches of one update, and the batches of an epoch, count by their weights.
#[test]
fn batches_add_up_by_their_weights() {
    let build = |batch: usize, accumulate: usize, lr: f64| {
        let sgd = Sgd { lr, ..Sgd::default() };
        let builder = Trainer::builder(model("linear", 3), weighted(1.0), CrossEntropy::default(), sgd);
        builder.batch(batch).accumulate(accumulate).in_order().epochs(1).build().unwrap()
    };
    let (mut whole, mut parts) = (build(N, 1, 0.25), build(7, 7, 0.25));
    let losses = [whole.step().unwrap(), parts.step().unwrap()].map(f64::from);
    close(losses[1], losses[0], "loss of an update");
    for (a, b) in whole.state.params.iter().zip(&parts.state.params) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    // at weights that hardly move, the loss of an epoch is that of all samples
    let mut still = build(7, 1, 1e-20);
    let measured = still.measure(Split::Train, None, false).unwrap().metrics.get("train_loss").unwrap();
    let told = still.fit().unwrap().last("train_loss").unwrap();
    close(told, measured, "loss of an epoch");
}

#[test]
fn the_unit_of_weights_does_not_matter() {
    let train = |factor: f64| {
        let sgd = Sgd { lr: 0.25, ..Sgd::default() };
        let builder = Trainer::builder(model("2-8-3", 3), weighted(factor), CrossEntropy::default(), sgd);
        let mut trainer = builder.valid(weighted(factor)).batch(16).epochs(3).build().unwrap();
        let fitted = trainer.fit().unwrap();
        (trainer.state.params, fitted.last("valid_loss").unwrap())
    };
    let (params, loss) = train(1.0);
    assert_eq!(train(2f64.powi(-140)).0, params);
    for factor in [1e45, 1e-45, 3e300] {
        let (others, other) = train(factor);
        close(other, loss, "loss");
        params.iter().zip(&others).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{factor}: {a} {b}"));
    }
}

#[test]
fn equal_weights_are_none() {
    let train = |source: Arrays| {
        let sgd = Sgd { lr: 0.25, ..Sgd::default() };
        let builder = Trainer::builder(model("linear", 5), source, CrossEntropy::default(), sgd);
        let builder = builder.head("size", Mse {}, 0.5);
        let mut trainer = builder.batch(16).epochs(3).build().unwrap();
        trainer.fit().unwrap();
        trainer.state.params
    };
    // targets that are missing count nothing, whatever the weight
    let labels = all().into_iter().map(|i| (i % 5 != 2).then_some(class(i) as u32));
    let sizes: Vec<f32> = all()
        .into_iter()
        .flat_map(|i| if i % 4 == 1 { [f64::NAN; 2] } else { numbers(i) })
        .map(|y| y as f32)
        .collect();
    let plain = samples(&all()).class_head("color", labels, 3).number_head("size", sizes, 2);
    let (weighted, plain) = (train(plain.clone().weights(vec![3.0; N])), train(plain));
    weighted.iter().zip(&plain).for_each(|(a, b)| assert!((a - b).abs() < 1e-6, "{a} {b}"));
}

#[test]
fn a_batch_of_nothing_teaches_nothing() {
    let some = |i: usize| if i < 16 { 0.0 } else { 1.0 };
    for accumulate in [1, 2] {
        let source = classes(&all()).weights(all().into_iter().map(some));
        let sgd = Sgd { lr: 0.25, ..Sgd::default() };
        let builder = Trainer::builder(model("linear", 3), source, CrossEntropy::default(), sgd);
        let mut trainer = builder.batch(16 / accumulate).accumulate(accumulate).in_order().build().unwrap();
        let before = trainer.state.params.clone();
        assert_eq!(trainer.step().unwrap(), 0.0);
        assert_eq!(trainer.state.params, before);
        assert!(trainer.step().unwrap() > 0.0);
        assert_ne!(trainer.state.params, before);
    }
}

#[test]
fn what_cannot_weigh_is_told() {
    let fails = |weights: &[f64]| {
        let source = classes(&all()).weights(weights.iter().copied());
        Trainer::builder(model("linear", 3), source, CrossEntropy::default(), Sgd::default())
            .build()
            .unwrap_err()
    };
    let mut weights = vec![1.0; N];
    weights[7] = -2.5;
    let error = fails(&weights);
    assert_eq!(error.to_string(), "cannot read samples: the weight of sample 7 is -2.5, expected 0 or more");
    weights[7] = f64::INFINITY;
    assert!(fails(&weights).to_string().contains("sample 7 is inf"));
    let error = fails(&weights[..9]);
    assert_eq!(error.to_string(), "cannot read samples: 9 weights, expected 48, one for each sample");
    let error = fails(&[0.0; N]);
    assert_eq!(error.to_string(), "all 48 samples of the training part have the weight 0, so it has no loss");
    assert!(matches!(error, TrainError::NoWeight { part: Split::Train, n: N }), "{error}");
}

fn table(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let row = |i: usize| format!("{},{},{},{}\n", x(i)[0], weight(i), x(i)[1], ["u", "v", "w"][class(i)]);
    std::fs::write(&path, all().into_iter().fold("a,n,b,y\n".to_owned(), |text, i| text + &row(i))).unwrap();
    path
}

/// The losses of all parts of a table are weighted, accuracy is not.
#[test]
fn a_column_weighs_the_rows_of_a_table() {
    let path = table("weights.csv");
    let words = [
        format!("data={}", path.display()),
        "data.weight=n".into(),
        "model=linear".into(),
        "data.test=0.3".into(),
        "steps=3".into(),
        "batch=16".into(),
    ];
    let config = RunConfig::load(None, &words).unwrap();
    let data = Prepared::open(&config).unwrap();
    let source = data.source();
    assert!(source.is_weighted() && source.input_shape() == [2]);
    assert_eq!(
        (0..N as u32).map(|i| source.weight(i)).collect::<Vec<_>>(),
        all().into_iter().map(weight).collect::<Vec<_>>()
    );
    let parts = data.splits.clone();
    let mut trainer = Trainer::new(&config, data).unwrap();
    trainer.fit().unwrap();
    for (part, numbers) in
        [(Split::Valid, &parts.valid), (Split::Test, &parts.test), (Split::Train, &parts.train)]
    {
        let measured = trainer.measure(part, None, true).unwrap();
        let (mut loss, mut total, mut right) = (0.0, 0.0, 0.0);
        for (row, i) in measured.outputs.chunks(3).zip(numbers) {
            let z: Vec<f64> = row.iter().map(|z| f64::from(*z)).collect();
            loss += weight(*i as usize) * cross_entropy(&z, *i as usize).0;
            total += weight(*i as usize);
            right += f64::from(u8::from(z.iter().all(|other| *other <= z[class(*i as usize)])));
        }
        let figure = |name: &str| measured.metrics.get(&format!("{part}_{name}")).unwrap();
        close(figure("loss"), loss / total, "loss");
        assert_eq!(figure("accuracy"), right / numbers.len() as f64);
    }
}
