//! Prints the latency of a run and of a barrier: `cargo bench -p thalweg-kernels --bench pool`.

use kernels::pool::Pool;
use std::time::Instant;

const N: u32 = 20_000;

fn main() {
    for n_workers in [1, 2] {
        let pool = Pool::new(n_workers);
        let run = median(|| (0..N).for_each(|_| pool.run(&|_| ())));
        let barrier = median(|| pool.run(&|w| (0..N).for_each(|_| w.barrier())));
        println!("{n_workers} workers: run {run:.0} ns, barrier {barrier:.0} ns (medians of 31)");
    }
}

/// Nanoseconds for one of `N`.
fn median(mut f: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed().as_nanos() as f64 / f64::from(N)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[15]
}
