//! Recorded digests of short runs, which every machine must reproduce, with each instruction set that it has.
//!
//! AVX-512, AVX2 and NEON fuse multiplication and addition and keep one order of additions: one digest for all of them.
//! The portable code rounds products before it adds them, so it has digests of its own, and its weights may differ from
//! the others' by what that rounding makes of a short run.
//!
//! `UPDATE=1 cargo test --release -p thalweg-cli --test hashes` records anew; such a change is told in the changelog.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::Folder;

/// Name, words of the command line.
///
/// `large` has convolutions whose weights are completed block by block instead of shard by shard, and dense
/// weights beyond half of a second-level cache: a choice that followed the machine's caches instead of the shapes
/// would show there.
const CASES: &[(&str, &str)] = &[
    ("dense", "model=mlp-64-32 epochs=2"),
    ("batch norm", "model=mlp-64-48 model.batch_norm=true optimizer=nesterov optimizer.lr=0.05 epochs=2"),
    ("convolution", "--config conv.toml optimizer=sgd optimizer.lr=0.1 epochs=1"),
    (
        "resnet",
        "model=resnet8 optimizer=momentum optimizer.lr=0.05 optimizer.weight_decay=5e-4 batch=32 steps=4",
    ),
    ("dropout", "model=mlp-64-64 model.dropout=0.3 optimizer=adamw optimizer.weight_decay=0.05 epochs=2"),
    ("augmentation", "--config conv.toml augment=crop-1,translate-1,rotate-10 epochs=1"),
    (
        "regression",
        "data=table.csv model=mlp-32-16 loss=huber clip_norm=0.5 schedule=cosine epochs=8 optimizer.weight_decay=0",
    ),
    ("large", "--config large.toml batch=48 steps=3 threads=2"),
    (
        "groups",
        "model=mlp-64-32 optimizer=lamb optimizer.weight_decay=0.05 wrap=sam epochs=1 \
         groups=[{match=\"0.*\",lr_factor=0.5},{match=\"*.bias\",optimizer={name=\"sgd\",lr=0.1}}]",
    ),
    (
        "averages",
        "model=mlp-64-32 optimizer=momentum wrap=lookahead average=ema average.decay=0.9 accumulate=2 clip_value=0.001 \
         schedule=cosine momentum_schedule=cosine epochs=2",
    ),
];

const CONV: &str = r#"
[model]
layers = [
  { type = "conv", channels = 8, kernel = 3, padding = "same" }, { type = "group_norm", groups = 2 },
  { type = "relu" }, { type = "max_pool", kernel = 2 },
  { type = "conv", channels = 16, kernel = 5, padding = "same", groups = 2 }, { type = "gelu" },
  { type = "flatten" }, { type = "linear", units = "outputs" },
]
"#;

const LARGE: &str = r#"
[model]
layers = [
  { type = "conv", channels = 32, kernel = 3, padding = "same" }, { type = "relu" },
  { type = "conv", channels = 96, kernel = 5, stride = 2, padding = 2 }, { type = "relu" },
  { type = "flatten" }, { type = "linear", units = 512 }, { type = "tanh" }, { type = "linear", units = "outputs" },
]
"#;

/// How far the portable weights may be from the others', as a part of the largest weight. One rounding is 6e-8 of a
/// term; Adam's first steps turn a relative difference of tiny gradients into one of whole steps.
const MOST_APART: f32 = 5e-3;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/hashes.txt");

/// Digest and numbers of the weights that a case ends with.
fn outcome(here: &Folder, case: usize, isa: &str) -> (String, Vec<f32>) {
    let run = format!("{isa}-{case}");
    here.run_with(&format!("train {} --run-dir {run} -q", CASES[case].1), &[("THALWEG_ISA", isa)]).fine();
    let folder = here.path().join(run);
    let summary = std::fs::read_to_string(folder.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["machine"]["isa"], isa, "the run used another instruction set");
    let sum = summary["weights_sha256"].as_str().unwrap().to_owned();
    (sum, weights(&folder.join("weights.safetensors")))
}

/// All numbers of a file of weights, in its order.
fn weights(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let (len, rest) = bytes.split_first_chunk().unwrap();
    let numbers = &rest[u64::from_le_bytes(*len) as usize..];
    numbers.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

fn prepared(name: &str) -> Folder {
    let here = Folder::new(name);
    let row = |i: u32| {
        let [a, b, c] = [i * 37 % 101, i * 53 % 89, i * i % 97];
        format!("{a},{b},{c},{}.{}\n", (a * b + c) / 50, i % 10)
    };
    let table: String = std::iter::once("a,b,c,y\n".to_owned()).chain((0..300).map(row)).collect();
    for (file, text) in [("table.csv", table.as_str()), ("conv.toml", CONV), ("large.toml", LARGE)] {
        std::fs::write(here.path().join(file), text).unwrap();
    }
    here
}

#[test]
fn short_runs_end_with_the_recorded_weights() {
    let here = prepared("hashes");
    let has = |isa: &&str| here.run_with("list data", &[("THALWEG_ISA", isa)]).code == 0;
    let fused: Vec<&str> = ["avx512", "avx2", "neon"].into_iter().filter(has).collect();
    let mut found = BTreeMap::new();
    for (case, (name, _)) in CASES.iter().enumerate() {
        let (sum, portable) = outcome(&here, case, "portable");
        found.insert(format!("{name} portable"), sum);
        for isa in &fused {
            let (sum, numbers) = outcome(&here, case, isa);
            let before = found.entry(format!("{name} fused")).or_insert_with(|| sum.clone());
            assert_eq!(sum, *before, "{name}: {isa} differs from {}", fused[0]);
            let largest = numbers.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let apart = portable.iter().zip(&numbers).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
            println!("{name}: portable is {:.1e} of the largest weight from {isa}", apart / largest);
            assert!(portable.len() == numbers.len() && largest > 0.0);
            assert!(apart <= MOST_APART * largest, "{name}: portable differs by {apart}, largest {largest}");
        }
    }
    let text =
        |sums: &BTreeMap<String, String>| sums.iter().map(|(n, s)| format!("{n}: {s}\n")).collect::<String>();
    if std::env::var_os("UPDATE").is_some() {
        assert!(!fused.is_empty(), "only a machine with AVX2 or NEON can record");
        std::fs::write(RECORDED, text(&found)).unwrap();
    }
    let recorded = std::fs::read_to_string(RECORDED).unwrap_or_default();
    let recorded: BTreeMap<String, String> = recorded
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, sum)| (name.to_owned(), sum.to_owned()))
        .filter(|(name, _)| !fused.is_empty() || name.ends_with("portable"))
        .collect();
    assert_eq!(text(&found), text(&recorded), "other bits than recorded");
}

#[test]
fn an_instruction_set_that_is_not_there_is_told() {
    let here = Folder::new("instructions");
    let ran = here.run_with("list data", &[("THALWEG_ISA", "mmx")]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.starts_with("error: unknown instruction set `mmx` in THALWEG_ISA\nhint: this machine has ")
    );
    assert!(
        ran.err.trim_end().ends_with("portable; unset THALWEG_ISA to use the fastest one"),
        "{}",
        ran.err
    );
    let lacking = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    let ran = here.run_with("list data", &[("THALWEG_ISA", lacking)]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.starts_with(&format!("error: this machine has no {lacking}, which THALWEG_ISA asks for\n"))
    );
}
