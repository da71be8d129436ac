//! NumPy arrays from training to answers: labels as text, one-hot targets, parts of the files beside.

mod common;

use common::Folder;
use serde_json::{Value, json};

/// An NPY file.
fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

const NAMES: [&str; 3] = ["cat", "dog", "emu"];

/// Two inputs that tell one of three classes.
fn inputs(n: usize) -> Vec<u8> {
    let row = |i: usize| [(i % 3) as f32 + (i % 7) as f32 / 20.0, (i % 5) as f32];
    npy("<f4", &format!("{n}, 2"), &(0..n).flat_map(row).flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
}

/// Labels from sample `from` on as fixed bytes.
fn labels(n: usize, names: [&str; 3]) -> Vec<u8> {
    npy("|S3", &format!("{n},"), (0..n).map(|i| names[i % 3]).collect::<String>().as_bytes())
}

fn last(here: &Folder, words: &str) -> Value {
    here.run(words).json().pop().unwrap()
}

#[test]
fn labels_as_text_go_from_training_to_answers() {
    let here = Folder::new("text-labels");
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(here.path().join(name), bytes).unwrap();
    write("X_train.npy", inputs(120));
    write("y_train.npy", labels(120, NAMES));
    write("X_test.npy", inputs(30));
    write("y_test.npy", labels(30, NAMES));
    here.run("data=X_train.npy model=mlp-8 epochs=80 lr=0.02 batch=20 --run-dir run -q").fine();
    let shown = last(&here, "show run --json");
    assert_eq!(shown["preprocessing"]["classes"], json!(NAMES));
    assert_eq!(shown["data"]["samples"], json!({"train": 120, "valid": 0, "test": 30}));
    // new data without one of the classes keep the others' places
    write("x.npy", inputs(30));
    write("y.npy", labels(30, ["emu", "dog", "emu"]));
    let measured = last(&here, "eval run data=x.npy --json");
    assert!((0.6..0.8).contains(&measured["metrics"]["test_accuracy"].as_f64().unwrap()), "{measured}");
    // answers need no targets, and do not look at those that are there
    write("y.npy", labels(30, ["cow", "fox", "gnu"]));
    for source in ["x.npy", "X_test.npy"] {
        let said = here.run(&format!("predict run {source}")).fine();
        let right =
            said.lines().skip(1).enumerate().filter(|(i, l)| l.split(',').nth(1) == Some(NAMES[i % 3]));
        assert!(right.count() >= 28, "{said}");
    }
    let ran = here.run("eval run data=x.npy");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "error: `cow` of sample 0 is not one of the 3 classes: y.npy\nhint: correct the label, or train again with this class\n"
        )
    );
}

#[test]
fn one_hot_targets_train_a_classifier_that_says_so() {
    let here = Folder::new("one-hot-run");
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(here.path().join(name), bytes).unwrap();
    write("x.npy", inputs(60));
    let rows: Vec<u8> = (0..60usize).flat_map(|i| (0..3).map(move |c| u8::from(i % 3 == c))).collect();
    write("y.npy", npy("|u1", "60, 3", &rows));
    let ran = here.run("data=x.npy model=mlp-8 epochs=60 batch=20 lr=0.02 --run-dir run");
    let note =
        "note: the targets are one-hot and are 3 classes; `data.task=regression` predicts numbers instead";
    assert!(ran.err.contains(note), "{}", ran.err);
    let measured = last(&here, "eval run data=x.npy --json");
    assert!(measured["metrics"]["test_accuracy"].as_f64().unwrap() > 0.9, "{measured}");
    assert_eq!(here.run("predict run x.npy").fine().lines().next(), Some("sample,class,p_0,p_1,p_2"));
    // the note's own words turn it
    here.run("data=x.npy data.task=regression model=mlp-8 epochs=1 batch=20 --run-dir numbers -q").fine();
    assert_eq!(last(&here, "show numbers --json")["preprocessing"]["targets"], json!(["y0", "y1", "y2"]));
}
