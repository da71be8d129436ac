//! Seconds to read a table: `THALWEG_TABLE=FILE cargo bench -p thalweg-data --bench read`. Without a file it makes one
//! of 100,000 rows of 20 numbers. `bench/tables/read.py` runs it in turn with polars.

#![allow(clippy::print_stdout, reason = "figures for developers")]

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use data::DataOptions;

fn main() {
    let told = std::env::var_os("THALWEG_TABLE").map(PathBuf::from);
    let path = told.clone().unwrap_or_else(made);
    let options = DataOptions::default();
    let started = Instant::now();
    let opened = data::open(&path.display().to_string(), &options).map(|set| (set.len(), set.n_inputs()));
    let seconds = started.elapsed().as_secs_f64();
    match opened {
        Ok((samples, inputs)) => {
            println!("{{\"samples\": {samples}, \"inputs\": {inputs}, \"seconds\": {seconds:.4}}}");
        }
        Err(error) => println!("{error}"),
    }
    if told.is_none() {
        let _ = std::fs::remove_file(path);
    }
}

/// A table of numbers that are different in each row.
fn made() -> PathBuf {
    let end = |i: usize| if i < 19 { ',' } else { '\n' };
    let mut text: String = (0..20).map(|i| format!("c{i}{}", end(i))).collect();
    let mut x = 0.5_f64;
    for _ in 0..100_000 {
        for i in 0..20 {
            x = (x * 997.0 + 0.1).fract();
            let _ = write!(text, "{:.6}{}", x * 8.0 - 4.0, end(i));
        }
    }
    let path = std::env::temp_dir().join(format!("thalweg-read-{}.csv", std::process::id()));
    if let Err(error) = std::fs::write(&path, text) {
        println!("{error}: {}", path.display());
    }
    path
}
