//! Every seed of the fuzzer, and damaged copies of it, through its reader: read or refused by a typed error, no panic.

#[path = "../../../fuzz/src/readers.rs"]
mod readers;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds");
/// Damaged copies of each seed.
const DAMAGED: u64 = 60;

/// The seeds of a reader, by name.
fn seeds(reader: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(SEEDS).join(reader)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A copy that is cut, or has a few bytes overwritten, taken out or doubled; the same for the same number.
fn damaged(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below.max(1)
    };
    let mut out = bytes.to_vec();
    for _ in 0..=draw(3) {
        let (at, value) = (draw(out.len()), [0, 1, 0x7f, 0x80, 0xff, b'-', b'9', b'\n'][draw(8)]);
        match draw(4) {
            0 => out.truncate(at),
            1 => out.drain(at..(at + 4).min(out.len())).for_each(drop),
            2 => out.insert(at.min(out.len()), value),
            _ => out.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
        }
    }
    out
}

#[test]
fn seeds_and_damaged_copies_make_no_panic() {
    let mut failed = Vec::new();
    for (name, read) in readers::ALL {
        for path in seeds(name) {
            let bytes = fs::read(&path).unwrap();
            let copies = (1..=DAMAGED).map(|number| (number, damaged(&bytes, number)));
            for (number, copy) in std::iter::once((0, bytes.clone())).chain(copies) {
                if catch_unwind(AssertUnwindSafe(|| read(&copy))).is_err() {
                    failed.push(format!("{} {number}", path.display()));
                }
            }
        }
    }
    fs::remove_dir_all(readers::folder()).unwrap();
    assert!(failed.is_empty(), "panics at seeds, each with the number of its damage: {failed:#?}");
}

#[test]
fn every_reader_has_seeds_and_a_target() {
    let names: BTreeSet<String> = readers::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names.len(), readers::ALL.len());
    let in_folder = |folder: PathBuf| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(in_folder(SEEDS.into()), names);
    assert_eq!(in_folder(Path::new(SEEDS).join("../fuzz_targets")), names);
    for name in &names {
        assert!(!seeds(name).is_empty(), "{name}");
    }
}
