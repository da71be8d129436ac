//! Fine-tuning: what fits of a file that PyTorch wrote of another task, what is left, and what each error says to type.

use std::path::PathBuf;

use super::{close, model, run};
use engine::graph::{Layout, Slot};
use thalweg::config::RunConfig;
use thalweg::engine;
use thalweg::model::weights::{Matched, Taking, WeightsError, WeightsFile, read};
use thalweg::model::{Mode, Model};
use thalweg::train::{Prepared, TrainError, Trainer};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/finetune").join(name)
}

/// A net of the backbone and another head.
fn net(n_outputs: usize) -> Model {
    model(r#"{"name": "mlp", "hidden": [6, 5], "batch_norm": true}"#, &[4], n_outputs)
}

fn taking(prefix: Option<&str>, skip: &[&str]) -> Taking {
    Taking { prefix: prefix.map(String::from), skip: skip.iter().map(|s| (*s).to_owned()).collect() }
}

fn take(net: &Model, what: &Taking) -> Result<(Vec<f32>, Vec<f32>, Matched), WeightsError> {
    let (mut params, mut buffers) = net.init(4);
    let file = WeightsFile::open(&golden("pretrained.safetensors"))?;
    let matched = file.take(&mut [(net.params(), &mut params), (net.buffers(), &mut buffers)], what)?;
    Ok((params, buffers, matched))
}

/// Inputs, and what the backbone and its running average make of them in PyTorch.
fn features() -> [Vec<f32>; 3] {
    let sizes = [("x", 4), ("features", 5), ("ema", 5)];
    let slot = |(i, (name, width)): (usize, &(&str, usize))| {
        let offset = sizes[..i].iter().map(|(_, w)| 8 * w).sum();
        Slot::new(*name, vec![8, *width], offset)
    };
    let layout = Layout { slots: sizes.iter().enumerate().map(slot).collect() };
    let mut flat = vec![0.0; layout.len()];
    read(&golden("features.safetensors"), &mut [(&layout, &mut flat)]).unwrap();
    std::array::from_fn(|i| flat[layout.slots[i].range()].to_vec())
}

/// With a head that changes nothing, the net gives the features that PyTorch's backbone gives.
#[test]
fn the_backbone_is_that_of_pytorch() {
    let [x, plain, average] = features();
    for (prefix, expected) in [("backbone.", &plain), ("backbone", &plain), ("ema.backbone.", &average)] {
        let net = net(5);
        let (mut params, mut buffers, matched) = take(&net, &taking(Some(prefix), &["6.*"])).unwrap();
        let head = net.params().find("6.weight").unwrap().range();
        params[head].iter_mut().enumerate().for_each(|(i, w)| *w = f32::from(u8::from(i % 6 == 0)));
        let bias = net.params().find("6.bias").unwrap().range();
        params[bias].fill(0.0);
        close(
            &run(&net, &x, &params, &mut buffers, Mode::Eval),
            &expected.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(),
            1e-6,
        );
        assert_eq!((matched.n_taken, &matched.kept[..]), (12, &["6.weight".to_owned(), "6.bias".into()][..]));
        assert!(
            matched.left.contains(&"head.weight".to_owned()) && matched.left.contains(&"global_step".into())
        );
    }
}

#[test]
fn what_is_skipped_keeps_its_start() {
    let net = net(3);
    let (params, ..) = take(&net, &taking(Some("backbone."), &["6.*"])).unwrap();
    let start = net.init(4).0;
    let same = |name: &str| {
        let range = net.params().find(name).unwrap().range();
        params[range.clone()] == start[range]
    };
    assert!(same("6.weight") && same("6.bias") && !same("0.weight") && !same("4.bias") && !same("3.weight"));
}

/// Averages of the weights, an optimizer's state and counters are extra, not errors.
#[test]
fn extra_tensors_are_passed_over() {
    let other = model(
        r#"{"layers": [{"type": "linear", "units": 2}, {"type": "linear", "units": "outputs"}]}"#,
        &[3],
        2,
    );
    let names = ["0.weight", "0.bias", "1.weight", "1.bias"];
    let extra = ["ema.0.weight", "optimizer.state.0.exp_avg", "step", "scheduler.last_epoch"];
    for prefix in ["", "model."] {
        let own = names.map(|n| format!("{prefix}{n}"));
        let slots = own.iter().zip(&other.params().slots).map(|(n, s)| (n.clone(), s.shape.to_vec()));
        let mut layout = Layout { slots: Vec::new() };
        for (name, shape) in slots.chain(extra.map(|n| (n.to_owned(), vec![2, 3]))) {
            layout.slots.push(Slot::new(name, shape, layout.len()));
        }
        let values: Vec<f32> = (0..layout.len()).map(|i| i as f32).collect();
        let bytes = thalweg::model::weights::to_bytes(&[(&layout, &values)], &Default::default()).unwrap();
        let file = WeightsFile::from_bytes("w".as_ref(), bytes).unwrap();
        let mut params = vec![f32::NAN; other.params().len()];
        let matched = file.load(&mut [(other.params(), &mut params)]).unwrap();
        assert_eq!((params[..].to_vec(), matched.prefix.as_str()), (values[..params.len()].to_vec(), prefix));
        assert_eq!(matched.ignored.len(), 4);
        let told = "all 4 tensors taken; 4 passed over: `ema.0.weight`, `optimizer.state.0.exp_avg`, \
                    `scheduler.last_epoch`, `step`";
        assert_eq!(matched.words(), told);
    }
    // averages alone are the weights
    let layout = Layout {
        slots: other
            .params()
            .slots
            .iter()
            .map(|s| Slot::new(format!("ema.{}", s.name), s.shape.to_vec(), s.range().start))
            .collect(),
    };
    let values: Vec<f32> = (0..layout.len()).map(|i| i as f32).collect();
    let bytes = thalweg::model::weights::to_bytes(&[(&layout, &values)], &Default::default()).unwrap();
    let mut params = vec![f32::NAN; layout.len()];
    WeightsFile::from_bytes("w".as_ref(), bytes).unwrap().load(&mut [(other.params(), &mut params)]).unwrap();
    assert_eq!(params, values);
}

/// A run of a table of four inputs and three classes, with these settings besides.
fn trainer(settings: &[&str]) -> Result<Trainer, TrainError> {
    // tests run at once: each writes a file of its own
    static N: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let n = N.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("thalweg-finetune-{}-{n}.csv", std::process::id()));
    let rows =
        (0..90).map(|i| format!("{},{},{},{},{}\n", i % 7, i % 5, i * 3 % 11, i % 2, ["a", "b", "c"][i % 3]));
    std::fs::write(&path, format!("a,b,c,d,kind\n{}", rows.collect::<String>())).unwrap();
    let fixed = [
        format!("data={}", path.display()),
        "model.hidden=[6,5]".into(),
        "model.batch_norm=true".into(),
        format!("init_from={}", golden("pretrained.safetensors").display()),
        "batch=16".into(),
    ];
    let words: Vec<String> = fixed.into_iter().chain(settings.iter().map(|s| (*s).to_owned())).collect();
    let config = RunConfig::load(None, &words)?;
    Trainer::new(&config, Prepared::open(&config)?)
}

/// The words of a hint as a shell would split them.
fn typed(hint: &str) -> Vec<String> {
    let (_, words) = hint.split_once(": ").unwrap();
    words.split(' ').map(|w| w.replace(['\'', '"'], "")).collect()
}

#[test]
fn a_run_takes_what_fits_and_every_hint_cures() {
    let error = trainer(&[]).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(error.to_string().starts_with("weights do not fit the model: missing `0.weight`"), "{error}");
    assert_eq!(hint, "to take what fits and leave the rest: init_prefix=\"backbone.\" init_skip=\"6.*\"");
    let words = typed(&hint);
    let cured = trainer(&words.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    drop(cured);
    let error = trainer(&["init_prefix=backbone."]).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "to take what fits and leave the rest: init_prefix=\"backbone.\" init_skip=\"6.*\""
    );
    assert!(error.to_string().contains("missing `6.weight`, `6.bias`"), "{error}");
    let error = trainer(&["init_prefix=trunk."]).unwrap_err();
    let hint = error.hint().unwrap();
    assert_eq!(hint, "names begin with `backbone.`, `ema.`, `head.`, `optimizer.`");
    let error = trainer(&["init_prefix=backbone.", "init_skip=[\"6.*\",\"9.*\"]"]).unwrap_err();
    assert!(error.to_string().starts_with("no tensor of the model or the file is called `9.*`"), "{error}");
    let error = trainer(&["init_prefix=backbone.", "init_skip=*"]).unwrap_err();
    assert!(
        error.to_string().starts_with("`init_skip` leaves none of the model's 14 tensors to take"),
        "{error}"
    );
    let words = ["init_skip=6.*".to_owned(), "data=digits".into()];
    let error = RunConfig::load(None, &words).unwrap_err().to_string();
    assert!(error.contains("init_from"), "{error}");
}

/// A group that freezes by pattern beside what was taken: only the head moves.
#[test]
fn frozen_layers_stay_as_they_were_taken() {
    let mut trainer =
        trainer(&["init_prefix=backbone.", "init_skip=6.*", "groups=[{match=\"0.*\",freeze=true},{match=\"1.*\",freeze=true},{match=\"3.*\",freeze=true},{match=\"4.*\",freeze=true}]"])
            .unwrap();
    let before = trainer.weights().0.to_vec();
    trainer.step().unwrap();
    let net = net(3);
    let taken = take(&net, &taking(Some("backbone."), &["6.*"])).unwrap().0;
    for slot in &net.params().slots {
        let (now, then) = (&trainer.weights().0[slot.range()], &before[slot.range()]);
        match slot.name.starts_with("6.") {
            true => assert_ne!(now, then, "{}", slot.name),
            false => assert_eq!((now, then), (then, &taken[slot.range()]), "{}", slot.name),
        }
    }
}
