//! A step of training allocates nothing, whatever the number of threads.
//!
//! One test, because the allocator counts for the whole process. `stats_alloc` counts, because this crate forbids
//! `unsafe` and an allocator of its own would need it.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use thalweg::config::RunConfig;
use thalweg::optim;
use thalweg::train::{Prepared, Trainer};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CASES: &[&[&str]] = &[
    &["model.batch_norm=true", "model.dropout=0.2", "clip_norm=1", "optimizer=adam"],
    &["model.batch_norm=true", "optimizer=momentum", "schedule=cosine"],
    &["optimizer=adamw", "loss=cross_entropy", "loss.class_weights=balanced", "loss.smoothing=0.1"],
    &["loss=mse", "optimizer=sgd", "clip_norm=0.1"],
    &["augment=crop-1,flip,jitter,cutout-3,randaugment,rotate,mixup-0.5-0.5,cutmix", "optimizer=adam"],
    &["optimizer=lamb", "clip_value=0.1", "average=ema", "model.batch_norm=true"],
    &[
        "optimizer=adamw",
        "accumulate=3",
        "batch=12",
        "wrap=lookahead,sam",
        "clip_norm=1",
        "average=mean",
        "average.start=0st",
    ],
    &[
        "optimizer=momentum",
        "wrap=sam",
        "groups=[{ match = \"*.bias\", optimizer = \"adam\" }, { match = \"0.weight\", freeze = true }]",
    ],
    &[concat!("data=", env!("CARGO_TARGET_TMPDIR"), "/numbers.csv"), "model.batch_norm=true"],
];

/// A table of numbers to learn.
fn write_numbers() {
    let row = |i: usize| format!("{},{},{}\n", i % 17, i % 31, (i % 17) as f64 - 0.5 * (i % 31) as f64);
    let text: String = std::iter::once("a,b,y\n".to_owned()).chain((0..1500).map(row)).collect();
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/numbers.csv"), text).unwrap();
}

/// Steps after the first of an epoch, all within it: a new epoch makes a new order.
fn count(words: &[&str], threads: usize) {
    let threads_word = format!("threads={threads}");
    let given = |key: &str| words.iter().any(|word| word.starts_with(key));
    let common = [("data=", "data=digits"), ("batch=", "batch=32"), ("threads=", &*threads_word)];
    let common = common.into_iter().filter(|(key, _)| !given(key)).map(|(_, word)| word);
    let words: Vec<String> = common.chain(words.iter().copied()).map(String::from).collect();
    let config = RunConfig::load(None, &words).unwrap_or_else(|e| panic!("{e}\nhint: {}", e.hint()));
    let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
    assert_eq!(trainer.session.n_threads(), threads);
    assert!(trainer.length().steps_per_epoch > 22);
    trainer.step().unwrap();
    let region = Region::new(COUNTING);
    for _ in 0..20 {
        trainer.step().unwrap();
    }
    let change = region.change();
    let calls = [change.allocations, change.reallocations, change.deallocations];
    assert_eq!(calls, [0; 3], "{words:?}: allocations, reallocations, releases");
}

#[test]
fn twenty_steps_allocate_nothing() {
    let region = Region::new(COUNTING);
    drop(std::hint::black_box(vec![1u8; 100]));
    assert_eq!(region.change().allocations, 1, "nothing is counted");
    write_numbers();
    for words in CASES {
        count(words, 1);
        count(words, 2);
    }
    for entry in optim::ALL {
        count(&[&format!("optimizer={}", entry.name), "clip_norm=1"], 2);
    }
}
