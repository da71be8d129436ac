//! Graphs drawn at random from the registry of operators: the fast path beside the f64 reference and finite
//! differences, over one, two and three workers, small chunks, fused and not.
//!
//! `GRAPHS=10000` checks as many, `GRAPH_SEED=17` the one of that seed.

#![allow(clippy::print_stdout, reason = "what was met, for those who ask with --nocapture")]

mod check;
mod dice;
mod draw;
mod exact;
mod kept;
mod makers;

use check::{Seen, pools, try_seed};
use engine::ops;

fn number(key: &str) -> Option<u64> {
    std::env::var(key).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{key}={text} is no number")))
}

#[test]
fn random_graphs_agree_with_the_reference_and_with_finite_differences() {
    let (first, n) = match number("GRAPH_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("GRAPHS").unwrap_or(300)),
    };
    let pools = pools();
    let mut seen = Seen::default();
    let mut failures = vec![];
    for seed in first..first + n {
        if let Err(text) = try_seed(seed, &pools, &mut seen) {
            println!("{text}\n");
            failures.push(seed);
        }
    }
    println!("{seen:#?}");
    assert!(failures.is_empty(), "{} of {n} graphs fail; seeds {failures:?}", failures.len());
    if n >= 300 {
        let missing: Vec<&&str> = ops::ALL.iter().filter(|name| !seen.operators.contains(**name)).collect();
        assert!(missing.is_empty(), "no graph holds {missing:?}: see tests/graphs/makers.rs");
    }
    let refused: usize = seen.refused.values().sum();
    assert!(refused * 10 <= n as usize, "{refused} of {n} graphs are refused");
    assert!(seen.loose * 10 <= seen.values, "{} of {} values have wide tolerances", seen.loose, seen.values);
}
