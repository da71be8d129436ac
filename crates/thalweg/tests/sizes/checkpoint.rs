//! Sizes that come from a run folder: a checkpoint's own description of its model, and an edited config.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use record::{Existing, RunDir};
use serde_json::Value;
use thalweg::config::RunConfig;
use thalweg::train::{self, Checkpoint, Silent, TrainError, Trained};

use crate::BEYOND;

const SMALL: &str = r#"[
    { type = "resize", size = [28, 28] },
    { type = "conv", channels = 2, kernel = 1, padding = 0 },
    "global_avg_pool",
    { type = "linear", units = "outputs" },
]"#;

fn text(layers: &str) -> String {
    format!("epochs = 0\nshards = 1\nthreads = 1\ndata = \"digits\"\n[model]\nlayers = {layers}\n")
}

fn config(layers: &str) -> RunConfig {
    RunConfig::from_toml(&text(layers), Path::new("config.toml"), &[]).unwrap()
}

/// A run of a small model.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sizes").join(name);
    _ = std::fs::remove_dir_all(&path);
    let run = RunDir::create_at(&path, Existing::Refuse).unwrap();
    train::train(&config(SMALL), &run, &mut Silent, &AtomicBool::new(false)).unwrap();
    path
}

/// Changes what a checkpoint says of its model.
fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let bytes = std::fs::read(path).unwrap();
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + len]).unwrap();
    let text = header["__metadata__"]["thalweg.model"].as_str().unwrap();
    let mut model: Value = serde_json::from_str(text).unwrap();
    change(&mut model);
    header["__metadata__"]["thalweg.model"] = model.to_string().into();
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let whole = [&(header.len() as u64).to_le_bytes()[..], &header, &bytes[8 + len..]].concat();
    std::fs::write(path, whole).unwrap();
}

#[track_caller]
fn says(result: Result<impl Sized, TrainError>, part: &str) {
    let Err(error) = result else { panic!("no error") };
    assert!(error.to_string().contains(part), "{error}");
    assert!(error.hint().is_some(), "{error}");
}

#[test]
fn a_checkpoint_of_a_model_that_is_too_large_is_an_error() {
    let path = folder("checkpoint");
    let run = RunDir::open(&path).unwrap();
    let layers: Value = serde_json::to_value(&config(BEYOND).model).unwrap();
    for file in [run.best_checkpoint(), run.last_checkpoint()] {
        edit(&file, |model| model["model"] = layers.clone());
        says(Checkpoint::open(&file).unwrap().model(), "conv `1`: a result of shape");
        says(Trained::from_checkpoint(&file, config(SMALL)), "conv `1`: a result of shape");
        edit(&file, |model| model["reading"]["input_shape"] = vec![1u64 << 33, 1 << 33].into());
        says(Checkpoint::open(&file).unwrap().model(), "at most 1099511627776 are possible");
    }
}

#[test]
fn an_edited_config_of_a_run_is_an_error() {
    let path = folder("config");
    let run = RunDir::open(&path).unwrap();
    std::fs::write(run.config_path(), text(BEYOND)).unwrap();
    let resumed = train::resume(&RunDir::resume(&path).unwrap(), &[], &mut Silent, &AtomicBool::new(false));
    says(resumed, "conv `1`: a result of shape");
    // measured with batches larger than the data, which is as good as all of it at once
    std::fs::write(run.config_path(), format!("eval_batch = 4294967295\n{}", text(SMALL))).unwrap();
    let config = RunConfig::from_toml(&run.config().unwrap(), &run.config_path(), &[]).unwrap();
    let mut trained = Trained::open(&run, config, thalweg::train::Kept::Best).unwrap();
    assert_eq!(trained.measure_own(thalweg::train::Kept::Best).unwrap().evaluation.samples, 359);
}
