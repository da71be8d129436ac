//! Programs with names: looks into layers against values by hand, modes apart from one another, statistics of batch
//! norms against those in f64, evaluations at weights that change.

use thalweg::config::RunConfig;
use thalweg::model::{Masks, Norms};
use thalweg::train::{Estimate, Output, Prepared, Probe, ProgramKey, Split, Trainer, Work};

fn trainer(words: &[&str]) -> Trainer {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    let config = RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}\nhint: {}", e.hint()));
    Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap()
}

fn steps(trainer: &mut Trainer, n: usize) {
    for _ in 0..n {
        trainer.step().unwrap();
    }
}

fn param(trainer: &Trainer, name: &str) -> Vec<f64> {
    let slot = trainer.session.model.params().find(name).unwrap();
    trainer.state.params[slot.range()].iter().map(|x| f64::from(*x)).collect()
}

fn read(trainer: &mut Trainer, key: &ProgramKey, samples: &[u32], what: Output) -> Vec<f32> {
    trainer.run(key, samples).unwrap().output(&what).unwrap_or_else(|| panic!("no {what:?}")).to_vec()
}

fn assert_close(got: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(*a) - b).abs() <= tolerance * largest, "{what}: {i} is {a}, expected {b}");
    }
}

/// Cross entropy's gradient by hand: (softmax − one-hot)/B at the outputs, times the weights before them.
#[test]
fn probes_show_results_and_gradients_by_name() {
    const B: usize = 40;
    let mut trainer = trainer(&["data=digits", "model=64-16-10"]);
    steps(&mut trainer, 5);
    let samples: Vec<u32> = (0..B as u32).collect();
    let names = ["0", "1", "2"];
    let mut probes: Vec<Probe> = names.iter().map(|n| Probe::result(*n)).collect();
    probes.extend(names.iter().map(|n| Probe::gradient(*n)));
    for work in [Work::Train, Work::Measure] {
        let key = ProgramKey { work, ..ProgramKey::measure(B) }.with_probes(probes.clone());
        let mut see = |probe: Probe| read(&mut trainer, &key, &samples, Output::Probe(probe));
        let [before, after, last] = names.map(|n| see(Probe::result(n)));
        let [g_before, g_after, g_last] = names.map(|n| see(Probe::gradient(n)));
        let outputs = read(&mut trainer, &key, &samples, Output::Outputs);
        assert_eq!(outputs, last, "the last layer gives the outputs");
        let rectified: Vec<f32> = before.iter().map(|x| x.max(0.0)).collect();
        assert_eq!(after, rectified, "relu of the layer before");

        let weight = param(&trainer, "2.weight");
        let mut by_hand = (Vec::new(), Vec::new());
        for (row, i) in last.chunks(10).zip(&samples) {
            let exp: Vec<f64> = row.iter().map(|x| f64::from(*x).exp()).collect();
            let sum: f64 = exp.iter().sum();
            let label = trainer.prepared().unwrap().set.targets[*i as usize] as usize;
            let hot = |k: usize| if k == label { 1.0 } else { 0.0 };
            let g: Vec<f64> = (0..10).map(|k| (exp[k] / sum - hot(k)) / B as f64).collect();
            by_hand.1.extend((0..16).map(|j| (0..10).map(|k| g[k] * weight[16 * k + j]).sum::<f64>()));
            by_hand.0.extend(g);
        }
        assert_close(&g_last, &by_hand.0, 1e-6, "gradient of the outputs");
        assert_close(&g_after, &by_hand.1, 1e-6, "gradient behind relu");
        let gated: Vec<f64> =
            by_hand.1.iter().zip(&before).map(|(g, x)| if *x > 0.0 { *g } else { 0.0 }).collect();
        assert_close(&g_before, &gated, 1e-6, "gradient before relu");
    }
}

/// An ensemble learns the mean of its members' losses and answers with the mean of their probabilities.
#[test]
fn members_learn_alone_and_answer_together() {
    const B: usize = 24;
    const K: usize = 3;
    let words = ["data=digits", "model=tabular", "model.members=3", "model.hidden=[8]", "model.dropout=0"];
    let mut trainer = trainer(&words);
    steps(&mut trainer, 5);
    let samples: Vec<u32> = (0..B as u32).collect();
    let head = Probe::result("head");
    let key = ProgramKey::train(B).with_probes(vec![head.clone()]);
    let logits = read(&mut trainer, &key, &samples, Output::Probe(head));
    let loss = trainer.run(&ProgramKey::train(B), &samples).unwrap().loss();
    let answers = read(&mut trainer, &ProgramKey::answer(B), &samples, Output::Outputs);
    let each = read(&mut trainer, &ProgramKey::measure(B), &samples, Output::Losses(String::new()));
    let targets: Vec<usize> =
        samples.iter().map(|i| trainer.prepared().unwrap().set.targets[*i as usize] as usize).collect();
    let (mut mean_loss, mut joined) = (0.0, Vec::new());
    for (row, label) in logits.chunks(K * 10).zip(&targets) {
        let mut mean = [0.0f64; 10];
        for member in row.chunks(10) {
            let sum: f64 = member.iter().map(|x| f64::from(*x).exp()).sum();
            let p: Vec<f64> = member.iter().map(|x| f64::from(*x).exp() / sum).collect();
            mean_loss -= p[*label].ln() / (B * K) as f64;
            mean.iter_mut().zip(p).for_each(|(m, p)| *m += p / K as f64);
        }
        joined.extend(mean.map(f64::ln));
    }
    assert_ne!(logits[..10], logits[10..20], "members differ");
    assert_close(&[loss], &[mean_loss], 1e-5, "mean loss of the members");
    assert_close(&answers, &joined, 1e-5, "logarithm of the mean probability");
    let by_hand: Vec<f64> = joined.chunks(10).zip(&targets).map(|(row, label)| -row[*label]).collect();
    assert_close(&each, &by_hand, 1e-5, "loss of the joined answer");
}

/// Weights of classes are one buffer, however many members there are; where all weigh alike, they change nothing.
#[test]
fn members_share_the_weights_of_classes() {
    let words = ["data=digits", "model=tabular", "model.members=3", "model.hidden=[8]", "loss=cross_entropy"];
    let same = format!("loss.class_weights=[{}]", ["2"; 10].join(","));
    let losses = |mut trainer: Trainer| (0..5).map(|_| trainer.step().unwrap()).collect::<Vec<f32>>();
    let plain = losses(trainer(&words));
    let weighted = losses(trainer(&[&words[..], &[&same]].concat()));
    for (a, b) in plain.iter().zip(&weighted) {
        assert!((a - b).abs() <= 1e-5 * a, "{plain:?}, {weighted:?}");
    }
}

/// Looking changes no bit of what is looked at.
#[test]
fn a_probe_changes_nothing() {
    let words = ["data=digits", "model=mlp-32-32", "model.batch_norm=true", "model.dropout=0.2"];
    let mut trainer = trainer(&words);
    let samples: Vec<u32> = (0..64).collect();
    let layers: Vec<String> = ["0", "1", "2", "3", "4", "5"].iter().map(|s| (*s).to_owned()).collect();
    let probes = layers.iter().flat_map(|n| [Probe::result(n), Probe::gradient(n), Probe::moments(n)]);
    let plain = ProgramKey::train(64);
    let probed = plain.clone().with_probes(probes.collect());
    let gradient = |trainer: &mut Trainer, key: &ProgramKey| {
        let mut gradient = vec![0.0; trainer.state.params.len()];
        let program = trainer.run(key, &samples).unwrap();
        let loss = program.loss();
        program.gradients(&mut gradient);
        (loss, gradient)
    };
    assert_eq!(gradient(&mut trainer, &plain), gradient(&mut trainer, &probed));
}

#[test]
fn a_layer_that_there_is_not_is_named_with_the_nearest() {
    let mut trainer = trainer(&["data=digits", "model=resnet8", "batch=8"]);
    let key = ProgramKey::answer(8).with_probes(vec![Probe::result("conv7")]);
    let samples: Vec<u32> = (0..8).collect();
    let error = trainer.run(&key, &samples).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("there is no layer `conv7`"), "{error}");
    assert!(error.hint().unwrap().starts_with("did you mean `conv"), "{:?}", error.hint());
    let key = ProgramKey::answer(8).with_probes(vec![Probe::gradient("conv1")]);
    let error = trainer.run(&key, &samples).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("no gradient"), "{error}");
}

/// Dropout and norms are told apart: masks over running averages, and the batch's statistics without masks.
#[test]
fn masks_and_norms_are_chosen_apart() {
    let words = ["data=digits", "model=64-32-10", "model.batch_norm=true", "model.dropout=0.5"];
    let mut trainer = trainer(&words);
    let samples: Vec<u32> = (0..64).collect();
    let mut see = |masks, norms, layer: &str| {
        let key = ProgramKey { masks, norms, ..ProgramKey::answer(64) };
        let probe = Probe::result(layer);
        let key = key.with_probes(vec![probe.clone()]);
        read(&mut trainer, &key, &samples, Output::Probe(probe))
    };
    // 0 linear, 1 norm, 2 relu, 3 dropout, 4 linear
    let [fixed, masked] = [Masks::Off, Masks::Drawn].map(|m| see(m, Norms::Running, "1"));
    assert_eq!(fixed, masked, "a norm in front of dropout knows nothing of masks");
    let batch = see(Masks::Off, Norms::Batch, "1");
    assert_ne!(fixed, batch);
    let mean: f64 = batch.iter().step_by(32).map(|x| f64::from(*x)).sum::<f64>() / 64.0;
    assert!(mean.abs() < 1e-6, "the batch's own mean is taken away, {mean} is left");
    let [whole, dropped] = [Masks::Off, Masks::Drawn].map(|m| see(m, Norms::Running, "3"));
    let n_dropped = whole.iter().zip(&dropped).filter(|(w, d)| **w > 0.0 && **d == 0.0).count();
    let n_doubled = whole.iter().zip(&dropped).filter(|(w, d)| **w > 0.0 && **d == **w * 2.0).count();
    let n = whole.iter().filter(|w| **w > 0.0).count();
    assert!(
        n_dropped > n / 3 && n_doubled > n / 3 && n_dropped + n_doubled == n,
        "{n_dropped}+{n_doubled} of {n}"
    );
}

/// Mean and unbiased variance of the columns of `[n, width]`.
fn statistics(rows: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    let n = (rows.len() / width) as f64;
    let column = |j: usize| rows.iter().skip(j).step_by(width);
    let mean: Vec<f64> = (0..width).map(|j| column(j).sum::<f64>() / n).collect();
    let variance =
        (0..width).map(|j| column(j).map(|x| (x - mean[j]).powi(2)).sum::<f64>() / (n - 1.0)).collect();
    (mean, variance)
}

/// `[n, inputs]` times a weight `[outputs, inputs]`, plus a bias.
fn linear(x: &[f64], trainer: &Trainer, layer: &str) -> Vec<f64> {
    let (weight, bias) =
        (param(trainer, &format!("{layer}.weight")), param(trainer, &format!("{layer}.bias")));
    let inputs = weight.len() / bias.len();
    let mut y = Vec::new();
    for row in x.chunks(inputs) {
        let product = |o: usize| row.iter().zip(&weight[o * inputs..]).map(|(a, b)| a * b).sum::<f64>();
        y.extend((0..bias.len()).map(|o| product(o) + bias[o]));
    }
    y
}

#[test]
fn statistics_of_norms_are_those_in_f64() {
    let words = ["data=digits", "model=64-24-16-10", "model.batch_norm=true", "eval_batch=100"];
    for (how, eval_batch) in [
        (Estimate::Layers, 100),
        (Estimate::Layers, 2000),
        (Estimate::Batches, 2000),
        (Estimate::Batches, 37),
    ] {
        let size = format!("eval_batch={eval_batch}");
        let mut trainer = trainer(&[&words[..3], &[&size]].concat());
        steps(&mut trainer, 30);
        let averages = trainer.state.buffers.clone();
        trainer.reestimate_norms(Split::Train, how).unwrap();

        let n = trainer.prepared().unwrap().splits.train.len();
        let mut x = vec![0.0; n * 64];
        trainer
            .prepared()
            .unwrap()
            .set
            .gather(
                &trainer.prepared().unwrap().splits.train,
                &trainer.prepared().unwrap().reading.inputs,
                &mut x,
            )
            .unwrap();
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        // 0 linear, 1 norm, 2 relu, 3 linear, 4 norm
        let first = linear(&x, &trainer, "0");
        let (mean, variance) = statistics(&first, 24);
        let (gamma, beta) = (param(&trainer, "1.weight"), param(&trainer, "1.bias"));
        // in evaluation a norm divides by the unbiased variance, in training by the biased one
        let bias = if how == Estimate::Layers { 1.0 } else { (n as f64 - 1.0) / n as f64 };
        let normal = |(i, z): (usize, &f64)| {
            let j = i % 24;
            let y = (z - mean[j]) / (variance[j] * bias + 1e-5).sqrt() * gamma[j] + beta[j];
            y.max(0.0)
        };
        let hidden: Vec<f64> = first.iter().enumerate().map(normal).collect();
        let second = statistics(&linear(&hidden, &trainer, "3"), 16);

        let buffer = |name: &str| {
            let range = trainer.session.model.buffers().find(name).unwrap().range();
            (trainer.state.buffers[range.clone()].to_vec(), averages[range].to_vec())
        };
        let what = format!("{how:?} in batches of {eval_batch}");
        // smaller than the distance of biased from unbiased variances, 1/n
        let tolerance = 1e-5;
        for (name, expected) in [("1.running_mean", &mean), ("1.running_var", &variance)] {
            let (got, average) = buffer(name);
            assert_close(&got, expected, tolerance, &format!("{what}: {name}"));
            let far = average.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
            assert!(far.fold(0.0, f64::max) > 1e-3, "{name}: the running average was the same already");
        }
        // a norm behind another one depends on batches where those normalize
        let tolerance = if (how, eval_batch) == (Estimate::Batches, 37) { 0.05 } else { tolerance };
        for (name, expected) in [("4.running_mean", &second.0), ("4.running_var", &second.1)] {
            assert_close(&buffer(name).0, expected, tolerance, &format!("{what}: {name}"));
        }
    }
}

/// Channels of images are counted over their pixels; the moments of one batch are those of its images.
#[test]
fn moments_of_images_are_over_pixels() {
    let words = [
        "data=digits",
        "model.layers=[{type=\"conv\",channels=3,kernel=3},{type=\"batch_norm\"},\
                  {type=\"flatten\"},{type=\"linear\",units=\"outputs\"}]",
    ];
    let mut trainer = trainer(&words);
    let samples: Vec<u32> = (0..10).collect();
    let (conv, moments) = (Probe::result("0"), Probe::moments("1"));
    let key = ProgramKey::answer(10).with_probes(vec![conv.clone(), moments.clone()]);
    let x = read(&mut trainer, &key, &samples, Output::Probe(conv));
    let program = trainer.run(&key, &samples).unwrap();
    assert_eq!(program.per_channel(&moments), Some(x.len() / 3));
    let got = program.output(&Output::Probe(moments)).unwrap();
    let x: Vec<f64> = x.into_iter().map(f64::from).collect();
    let (mean, variance) = statistics(&x, 3);
    let n = (x.len() / 3) as f64;
    let biased: Vec<f64> = variance.iter().map(|v| v * (n - 1.0) / n).collect();
    assert_close(got, &[mean, biased].concat(), 1e-5, "moments");
}

#[test]
fn an_evaluator_gives_the_figures_of_measure() {
    let numbers = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluator.csv");
    let row = |i: usize| format!("{},{},{}\n", i % 17, i % 31, (i % 17) as f64 * 3.0 - 0.5 * (i % 31) as f64);
    std::fs::write(&numbers, "a,b,y\n".to_owned() + &(0..600).map(row).collect::<String>()).unwrap();
    let table = format!("data={}", numbers.display());
    for words in [&["data=digits", "top_k=[2]", "model.dropout=0.2", "eval_batch=100"][..], &[&table]] {
        let mut trainer = trainer(words);
        let evaluators: Vec<_> =
            [0, 60_000, usize::MAX].map(|bytes| trainer.evaluator(Split::Train, bytes).unwrap()).into();
        if words.len() > 1 {
            let held: Vec<_> = evaluators.iter().map(|e| e.n_held().0).collect();
            // 100 samples of 64 inputs and two targets are 26,400 bytes
            assert_eq!((held[0], held[1], held[2]), (0, 2, evaluators[0].n_held().1));
        }
        for _ in 0..3 {
            trainer.step().unwrap();
            let expected = trainer.measure(Split::Train, None, false).unwrap().metrics;
            for evaluator in &evaluators {
                let weights = (&trainer.state.params[..], &trainer.state.buffers[..]);
                assert_eq!(evaluator.measure(&mut trainer.session, weights).unwrap(), expected);
            }
        }
    }
}
