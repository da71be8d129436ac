//! Data larger than the memory that a run may take: peak memory within it, the same bits as held in memory, resumed,
//! on any number of threads, after damage and after a kill.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::Folder;
use serde_json::Value;

/// Samples of 3,072 bytes: 61 MB, of which 96 MiB of memory hold less than half at a time.
const N: usize = 20_000;
const WIDTH: usize = 3072;
const MEMORY: u64 = 96 << 20;
const WORDS: &str =
    "data=x.npy data.valid=0.1 data.test=0.1 model=mlp-16 batch=64 epochs=2 baselines=false -q";

/// Samples that lie by class, as they do in folders.
fn write_arrays(here: &Path) {
    let npy = |dims: &str, values: &mut dyn Iterator<Item = u8>| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({dims}), }}\n");
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend(values);
        file
    };
    let class = |row: usize| row * 10 / N;
    let pixel = |i: usize| ((i * 131) % 89 + 16 * class(i / WIDTH) + (i / WIDTH * 7) % 13) as u8;
    std::fs::write(here.join("x.npy"), npy(&format!("{N}, {WIDTH}"), &mut (0..N * WIDTH).map(pixel)))
        .unwrap();
    std::fs::write(here.join("y.npy"), npy(&format!("{N},"), &mut (0..N).map(|row| class(row) as u8)))
        .unwrap();
}

fn summary(folder: &Folder, run: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.path().join(run).join("summary.json")).unwrap())
        .unwrap()
}

fn digest(folder: &Folder, run: &str) -> String {
    let summary = summary(folder, run);
    assert_eq!(summary["status"], "done", "{run}");
    summary["weights_sha256"].as_str().unwrap().to_owned()
}

/// The file of the cache, and nothing unfinished beside it.
fn cached(folder: &Folder) -> PathBuf {
    let files = std::fs::read_dir(folder.path().join("cache/thalweg/data")).unwrap();
    let files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() == 1 && files[0].extension().is_some_and(|e| e == "bin"), "{files:?}");
    files[0].clone()
}

#[test]
fn data_larger_than_memory_train_to_the_same_bits() {
    let folder = Folder::new("streamed");
    write_arrays(folder.path());
    let cache = folder.path().join("cache");
    let run = |words: &str| folder.run_with(words, &[("XDG_CACHE_HOME", cache.to_str().unwrap())]);
    let train = |words: &str| run(&format!("train {WORDS} data.memory=96MiB {words}"));
    train("--run-dir one threads=1").fine();
    train("--run-dir two threads=2").fine();
    let want = digest(&folder, "one");
    assert_eq!(digest(&folder, "two"), want);
    for name in ["one", "two"] {
        let peak = summary(&folder, name)["peak_bytes"].as_u64().unwrap();
        assert!((MEMORY / 4..=MEMORY).contains(&peak), "{name}: {} MiB", peak >> 20);
    }
    // in memory, in the same order; the order by rows is another one
    train("--run-dir held data.stream=false data.shuffle=blocks threads=2").fine();
    assert_eq!(digest(&folder, "held"), want);
    train("--run-dir rows data.stream=false threads=2").fine();
    assert_ne!(digest(&folder, "rows"), want);
    // streamed in an order by rows
    train("--run-dir any data.shuffle=rows threads=2").fine();
    assert_eq!(digest(&folder, "any"), digest(&folder, "rows"));
    // in the order of the source
    train("--run-dir still shuffle=false steps=300 threads=2").fine();
    train("--run-dir still-held shuffle=false steps=300 data.stream=false").fine();
    assert_eq!(digest(&folder, "still"), digest(&folder, "still-held"));
    // stopped in the middle of each epoch
    train("--run-dir cut steps=130").fine();
    run("resume cut steps=377 threads=1 -q").fine();
    run("resume cut steps=500 threads=2 -q").fine();
    assert_eq!(digest(&folder, "cut"), want);
    // measured in the same way
    let figures =
        |words: &str| run(&format!("eval {words} -q --json")).json().pop().unwrap()["metrics"].clone();
    assert_eq!(figures("one"), figures("held"));

    let told = run(&format!("train {} data.memory=96MiB steps=1 --run-dir told", WORDS.replace(" -q", "")));
    let file = cached(&folder);
    let line =
        format!("streamed: 58.6 MiB in 477 blocks through {}, at most 96MiB in memory", file.display());
    assert!(told.err.contains(&line), "{}", told.err);
    assert!(std::fs::read_to_string(folder.path().join("told/log.txt")).unwrap().contains(&line));
    let info = run("data info x.npy data.memory=96MiB").fine();
    assert!(info.contains("58.6 MiB in 477 blocks"), "{info}");
}

#[test]
fn damage_and_kills_cost_a_new_cache_and_nothing_else() {
    let folder = Folder::new("streamed-damage");
    write_arrays(folder.path());
    let cache = folder.path().join("cache");
    let place = [("XDG_CACHE_HOME", cache.to_str().unwrap())];
    let run =
        |words: &str| folder.run_with(&format!("train {WORDS} data.memory=96MiB steps=260 {words}"), &place);
    run("--run-dir whole").fine();
    let want = digest(&folder, "whole");
    let file = cached(&folder);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let talk = format!(
        "error: block 239 of 477 is damaged: {}\nhint: the file was deleted: run it again, and it is written anew",
        file.display()
    );
    run("--run-dir damaged").fails(1, &talk);
    assert!(!file.exists());
    run("--run-dir again").fine();
    assert_eq!(digest(&folder, "again"), want);

    // killed while it writes, wherever it is by then
    for wait in [0, 20, 60] {
        std::fs::remove_dir_all(&cache).unwrap();
        let mut child = folder
            .start_with(&format!("train {WORDS} data.memory=96MiB --run-dir killed --overwrite"), &place);
        let folder_of = cache.join("thalweg/data");
        while std::fs::read_dir(&folder_of).map_or(0, Iterator::count) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    run("--run-dir after").fine();
    assert_eq!(digest(&folder, "after"), want);
}
