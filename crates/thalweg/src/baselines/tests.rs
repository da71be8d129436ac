//! Simple models held to scikit-learn's, and what is left out.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::*;
use crate::source::{Arrays, Pass, copy_rows};

/// The checked-in figures of `tests/golden/baselines/generate.py`.
const GOLDEN: &str = include_str!("../../tests/golden/baselines/baselines.json");

#[track_caller]
fn near(got: f64, want: f64, within: f64, what: &str) {
    assert!((got - want).abs() <= within * want.abs().max(1.0), "{what}: {got}, expected {want}");
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

fn floats(value: &Value) -> Vec<f32> {
    flat(value).into_iter().map(|x| x as f32).collect()
}

/// A case's samples, those of the training part first.
fn source(case: &Value) -> (Arrays, Vec<u32>, Vec<u32>) {
    let d = case["x"][0].as_array().unwrap().len();
    let (arrays, y) = (Arrays::new(floats(&case["x"]), &[d]), floats(&case["y"]));
    let arrays = match case["classes"].as_u64() {
        Some(k) => arrays.classes(y.iter().map(|class| *class as u32), k as usize),
        None => arrays.numbers(y, case["targets"].as_u64().unwrap() as usize),
    };
    let (n, all) = (case["train"].as_u64().unwrap() as u32, arrays.len() as u32);
    (arrays, (0..n).collect(), (n..all).collect())
}

#[test]
fn figures_are_scikit_learns() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (source, train, judged) = source(case);
        let part = |samples| Part { source: &source, samples };
        let found = compare(part(&train), part(&judged), &floats(&case["network"])).unwrap().unwrap();
        for (model, want) in found.models.iter().zip(flat(&case["figures"])) {
            near(model.value.unwrap(), want, 1e-9, &format!("{name}: {}", model.name));
        }
        near(found.network.unwrap(), case["network_figure"].as_f64().unwrap(), 1e-12, name);
        let (gain, want) = (found.against_linear.unwrap(), flat(&case["gain"]));
        near(gain.mean, want[0], 1e-9, name);
        near(gain.standard_error.unwrap(), want[1], 1e-9, name);
    }
}

/// The weights themselves, and every answer.
#[test]
fn weights_are_scikit_learns() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (source, train, judged) = source(case);
        let part = |samples| Part { source: &source, samples };
        let head = &source.heads()[0];
        let known = Said::truth(&head.task, part(&train)).unwrap();
        let x = Columns::read(&source, &train).unwrap();
        let moments = x.moments();
        let queries = Columns::read(&source, &judged).unwrap().standardized(&moments);
        let x = x.standardized(&moments);
        assert_eq!(moments.iter().filter(|m| m.is_none()).count(), 1, "the constant input");
        let (linear, within) = match &known {
            Said::Classes(known) => (logistic(&x, known, head.task.n_outputs(), MOST_ITERATIONS), 3e-2),
            Said::Numbers(known) => (ridge(&x, known), 1e-10),
        };
        // scikit-learn keeps the constant input, with weight 0
        let mut want = flat(&case["weights"]);
        let mut at = 0;
        want.retain(|_| {
            at += 1;
            (at - 1) % (moments.len() + 1) != 1
        });
        linear.weights.iter().zip(want).for_each(|(got, want)| near(*got, want, within, name));
        let comparison = Comparison {
            head,
            truth: Said::truth(&head.task, part(&judged)).unwrap(),
            known,
            n: train.len(),
            m: judged.len(),
            d: moments.len(),
            is_same: false,
        };
        let said = [
            comparison.constant().1,
            comparison.linear(&x, &queries, MOST_ITERATIONS),
            comparison.neighbors(&x, &queries),
        ];
        for (said, want) in said.iter().zip(case["said"].as_array().unwrap()) {
            let said = match said {
                Said::Classes(said) => said.iter().map(|class| *class as f64).collect(),
                Said::Numbers(said) => said.clone(),
            };
            said.iter().zip(flat(want)).for_each(|(got, want)| near(*got, want, 1e-9, name));
        }
    }
}

/// A source that counts how many rows were read.
struct Counting {
    heads: [Head; 1],
    shape: [usize; 1],
    n: usize,
    read: AtomicUsize,
}

impl Source for Counting {
    fn len(&self) -> usize {
        self.n
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn inputs(&self, samples: &[u32], _: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        self.read.fetch_add(samples.len(), Ordering::Relaxed);
        for (sample, row) in samples.iter().zip(out.chunks_exact_mut(self.shape[0])) {
            row.fill(*sample as f32);
        }
        Ok(())
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        copy_rows(&(0..self.n).map(|i| (i % 3) as f32).collect::<Vec<_>>(), 1, samples, out);
        Ok(())
    }
}

fn counting(n: usize, d: usize, task: Task) -> Counting {
    Counting { heads: [Head::only(task)], shape: [d], n, read: AtomicUsize::new(0) }
}

#[test]
fn what_would_cost_much_is_left_out_unread() {
    let classes = || Task::Classification { classes: ["a", "b", "c"].map(String::from).to_vec() };
    let numbers = || Task::Regression { targets: vec!["y".into()] };
    let reasons = |n: usize, d: usize, task: Task| {
        let source = counting(n + 100, d, task);
        let (train, judged): (Vec<u32>, Vec<u32>) =
            ((0..n as u32).collect(), (n as u32..n as u32 + 100).collect());
        let part = |samples| Part { source: &source, samples };
        let answers = vec![0.0; 100 * source.heads[0].task.n_outputs()];
        let found = compare(part(&train), part(&judged), &answers).unwrap().unwrap();
        let reasons = found.models.iter().map(|m| m.left_out.clone().unwrap_or_default()).collect::<Vec<_>>();
        (reasons, source.read.into_inner())
    };
    let (told, read) = reasons(48_000, 784, classes());
    let many = "48,000 × 784 values are too many";
    assert_eq!((told[0].as_str(), told[1].as_str(), told[2].as_str(), read), ("", many, many, 0));
    let (told, read) = reasons(30_000, 2, numbers());
    assert_eq!((told[1].as_str(), told[2].as_str()), ("", "30,000 training samples are too many"));
    assert_eq!(read, 30_100);
    let (told, read) = reasons(1_000, 2_000, numbers());
    assert_eq!(told[1], "1,000 × 2,000 values are too many for it");
    assert_eq!((told[2].as_str(), read), ("", 1_100));
}

/// Of samples that were learned, neighbors would find themselves.
#[test]
fn the_training_part_has_no_neighbors() {
    let source = counting(40, 2, Task::Regression { targets: vec!["y".into()] });
    let samples: Vec<u32> = (0..40).collect();
    let part = Part { source: &source, samples: &samples };
    let found = compare(part, part, &[0.0; 40]).unwrap().unwrap();
    assert_eq!(found.models[2].left_out.as_deref(), Some("each sample would be its own neighbor"));
    assert!(found.models[1].value.is_some());
    assert_eq!(compare(part, Part { source: &source, samples: &[] }, &[]).unwrap(), None);
}
