//! Augmentation in training: mixed losses by hand, whole runs, and refusals.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use record::{Existing, RunDir};
use thalweg::config::RunConfig;
use thalweg::data::augment::Pipeline;
use thalweg::data::{Affine, Dataset};
use thalweg::train::{self, Observer, Prepared, Progress, Silent, Split, Trainer};

fn rows(pipeline: &Pipeline, set: &Dataset, indices: &[u32], epoch: u64) -> Vec<f32> {
    let mut out = vec![f32::NAN; indices.len() * set.n_inputs()];
    pipeline.gather(set, indices, epoch, &Affine::identity(), &mut out).unwrap();
    out
}

/// A later word takes the place of an earlier one of the same key.
fn config(words: &[&str]) -> RunConfig {
    let key = |word: &str| word.split('=').next().map(String::from);
    let is_last = |(i, word): &(usize, &&str)| words[i + 1..].iter().all(|later| key(later) != key(word));
    let words: Vec<String> = words.iter().enumerate().filter(is_last).map(|(_, w)| (*w).to_owned()).collect();
    RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}"))
}

/// One step of gradient descent with learning rate 1 on a linear model, against the gradient in f64 by hand:
/// ∂L/∂z = Σⱼ tⱼ · softmax(z) − t for the mixed target t, divided by the sum of the weights.
#[test]
fn the_gradient_of_a_mixed_loss_is_that_by_hand() {
    let cases = [(0.0, "none"), (0.1, "none"), (0.1, "[1.0,2.0,0.5,1.0,1.0,3.0,1.0,1.0,0.25,1.0]")];
    for (augment, (smoothing, weights)) in
        ["mixup-1", "cutmix", "mixup-0.3-0.5,cutmix"].into_iter().flat_map(|a| cases.map(|c| (a, c)))
    {
        let mut words = vec![
            "data=digits".into(),
            "model=linear".into(),
            "optimizer=sgd".into(),
            "lr=1".into(),
            "batch=32".into(),
            "preprocess=none".into(),
            "seed=3".into(),
            format!("augment={augment}"),
            "loss=cross_entropy".to_owned(),
            format!("loss.smoothing={smoothing}"),
        ];
        if weights != "none" {
            words.push(format!("loss.class_weights={weights}"));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let config = config(&words);
        let data = Prepared::open(&config).unwrap();
        let pipeline = Pipeline::new(&config.augment, &data.set, &data.splits.train, 3).unwrap().unwrap();
        let order = thalweg::data::order(data.splits.train.len(), 3, 0, true);
        let batch: Vec<u32> = order[..32].iter().map(|i| data.splits.train[*i as usize]).collect();
        let x = rows(&pipeline, &data.set, &batch, 0);
        let weight: Vec<f64> = match weights {
            "none" => vec![1.0; 10],
            list => list.trim_matches(['[', ']']).split(',').map(|w| w.parse().unwrap()).collect(),
        };
        let mut trainer = Trainer::new(&config, data).unwrap();
        let before = trainer.state.params.clone();
        let loss = trainer.step().unwrap();
        let (set, f) = (&trainer.prepared().unwrap().set, f64::from);
        let (mut gradient, mut total, mut divisor) = (vec![0.0; 650], 0.0, 0.0);
        for (x, i) in x.chunks(64).zip(&batch) {
            let mixed = pipeline.mixed(*i, 0);
            let z: Vec<f64> = (0..10)
                .map(|k| (0..64).map(|j| f(before[64 * k + j]) * f(x[j])).sum::<f64>() + f(before[640 + k]))
                .collect();
            let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
            let mut target = [0.0; 10];
            for (sample, share) in [(*i, f(mixed.own)), (mixed.partner, 1.0 - f(mixed.own))] {
                let class = set.targets[sample as usize] as usize;
                divisor += share * weight[class];
                for (k, t) in target.iter_mut().enumerate() {
                    let hot = f64::from(u8::from(k == class));
                    *t += share * weight[k] * ((1.0 - smoothing) * hot + smoothing / 10.0);
                }
            }
            let sum: f64 = target.iter().sum();
            for k in 0..10 {
                total -= target[k] * (z[k] - log_sum);
                let d = sum * (z[k] - log_sum).exp() - target[k];
                (0..64).for_each(|j| gradient[64 * k + j] += d * f(x[j]));
                gradient[640 + k] += d;
            }
        }
        assert!(
            (f(loss) / (total / divisor) - 1.0).abs() < 2e-6,
            "{augment} {smoothing} {weights}: {loss}, {}",
            total / divisor
        );
        for (j, g) in gradient.iter().enumerate() {
            let moved = f(before[j]) - f(trainer.state.params[j]);
            assert!(
                (moved - g / divisor).abs() < 1e-6,
                "{augment} {smoothing} {weights}: {j}: {moved}, {}",
                g / divisor
            );
        }
    }
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("augment-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// Asks to stop after this many steps.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn on_step(&mut self, progress: &Progress) {
        self.1.store(progress.step >= self.0, Ordering::Relaxed);
    }
}

#[test]
fn threads_and_interruptions_do_not_change_a_bit() {
    let augment = "augment=crop-1,rotate,flip-0.3,jitter,randaugment,cutout-3,mixup-1-0.5,cutmix";
    let words = ["data=digits", "epochs=2", "batch=50", augment];
    let run = |name: &str, extra: &[&str]| {
        let words: Vec<&str> = words.iter().chain(extra).copied().collect();
        let dir = RunDir::create_at(&folder(name), Existing::Refuse).unwrap();
        train::train(&config(&words), &dir, &mut Silent, &AtomicBool::new(false)).unwrap().weights_sha256
    };
    let whole = run("one", &["threads=1"]);
    assert_eq!(whole, run("two", &["threads=2"]));
    assert_ne!(whole, run("without", &["augment=none"]));
    for after in [3, 26, 40] {
        let folder = folder(&format!("cut-{after}"));
        let dir = RunDir::create_at(&folder, Existing::Refuse).unwrap();
        let stop = AtomicBool::new(false);
        let cut = train::train(&config(&words), &dir, &mut StopAfter(after, &stop), &stop).unwrap();
        assert_eq!(cut.steps, after);
        drop(dir);
        let dir = RunDir::resume(&folder).unwrap();
        let resumed = train::resume(&dir, &[], &mut Silent, &AtomicBool::new(false)).unwrap();
        assert_eq!(resumed.weights_sha256, whole, "cut after {after}");
    }
}

#[test]
fn only_training_is_augmented() {
    let measured = |augment: &str| {
        let config = config(&["data=digits", augment]);
        let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
        [Split::Train, Split::Valid, Split::Test]
            .map(|part| trainer.measure(part, None, true).unwrap().outputs)
    };
    assert_eq!(measured("augment=none"), measured("augment=crop-2,randaugment,mixup"));
}

#[test]
fn what_cannot_be_augmented_is_said() {
    let text = |words: &[&str]| {
        let config = config(words);
        let error = Trainer::new(&config, Prepared::open(&config).unwrap()).map(|_| ()).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string()
    };
    assert_eq!(
        text(&["data=two-moons", "augment=crop"]),
        "transform `crop` on samples of shape [2]: it changes images, [height, width] or [height, width, channels]"
    );
    assert_eq!(
        text(&["data=digits", "augment=flip,pca"]),
        "transform `pca` on samples of shape [8, 8, 1]: it needs images of 2 to 16 channels"
    );
    assert_eq!(
        text(&["data=digits", "augment=mixup,flip"]),
        "transform `flip` on samples of shape [8, 8, 1]: it must stand before those that mix samples"
    );
    assert_eq!(
        text(&["data=digits", "augment=crop-8"]),
        "transform `crop` on samples of shape [8, 8, 1]: `padding` is 8, not below the size"
    );
    assert_eq!(
        text(&["data=digits", "augment=cutout"]),
        "transform `cutout` on samples of shape [8, 8, 1]: a square of `size` 16 hides all"
    );
    assert_eq!(
        text(&["data=digits", "augment=scale-2-1"]),
        "transform `scale` on samples of shape [8, 8, 1]: `min` is 2, above `max`, which is 1"
    );
    let refused = |word: &str| RunConfig::load(None, &[word.to_owned()]).unwrap_err().to_string();
    assert_eq!(
        refused("augment=filp"),
        "`augment` on the command line: unknown transform `filp`, did you mean `flip`?"
    );
    assert_eq!(
        refused(r#"augment=[{type="crop",padding=-1}]"#),
        "`augment` on the command line: transform `crop`: `padding` is -1, expected 1 or more"
    );
    let again =
        RunConfig::from_toml(&config(&["augment=crop-2-edge,jitter,cutmix"]).to_toml(), Path::new(""), &[])
            .unwrap();
    assert_eq!(again.augment, "crop-2-edge,jitter,cutmix".parse().unwrap());
    assert_eq!(config(&["augment=flip"]).augment, config(&[r#"augment=["flip"]"#]).augment);
}
