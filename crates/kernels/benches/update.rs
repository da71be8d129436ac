//! Prints the memory rates of optimizer passes beside that of a copy: `cargo bench -p thalweg-kernels --bench update`.

use kernels::pool::Pool;
use kernels::update::{
    AdamScale, NORM_BLOCK, Scale, adam, adam_direction, add, average, scale as shrink, sum_squares_blocks,
};
use std::sync::Mutex;
use std::time::Instant;

/// (values, passes in one timing): in the second cache level, in the third, beyond the cache.
const SIZES: [(usize, usize); 3] = [(1 << 16, 400), (1 << 20, 20), (1 << 26, 1)];
/// What is timed: one worker's cuts of the four vectors, and its block sums.
type Pass<'a> = dyn Fn(&mut [&mut [f32]], &mut [f64]) + Sync + 'a;
const N_TIMINGS: usize = 9;
/// As in the library's chains.
const CHAIN_BLOCK: usize = 2048;

fn main() {
    for n_workers in [1, 2] {
        for (n, n_passes) in SIZES {
            measure(n_workers, n, n_passes);
        }
    }
}

fn measure(n_workers: usize, n: usize, n_passes: usize) {
    let pool = Pool::new(n_workers);
    let mut vectors: Vec<Vec<f32>> =
        (0..5).map(|k| (0..n).map(|i| (i % 977) as f32 * 1e-3 + k as f32).collect()).collect();
    let mut sums = vec![0f64; n.div_ceil(NORM_BLOCK)];
    let scale = Scale { lr: 1e-3, grad: 1.0, l2: 0.0, keep: 0.99999 };
    let adam_scale = AdamScale::new(1e-3, [0.9, 0.999], 1e-8, Some(7));
    let cut = n.div_ceil(n_workers).next_multiple_of(NORM_BLOCK);

    let mut parts: Vec<_> =
        chunks(&mut vectors, cut).zip(sums.chunks_mut(cut / NORM_BLOCK)).map(Mutex::new).collect();
    let time = |f: &Pass<'_>| {
        let mut best = f64::INFINITY;
        for _ in 0..N_TIMINGS {
            let start = Instant::now();
            pool.run(&|w| {
                if let Some(part) = parts.get(w.index) {
                    let (vectors, sums) = &mut *part.lock().unwrap();
                    (0..n_passes).for_each(|_| f(vectors, sums));
                }
            });
            best = best.min(start.elapsed().as_secs_f64() / n_passes as f64);
        }
        best
    };
    let bytes = |values: usize| (values * 4 * n) as f64 * 1e-9;
    let memcpy = bytes(2)
        / time(&|v, _| {
            let (a, b) = v.split_at_mut(1);
            a[0].copy_from_slice(b[0])
        });
    let looped = bytes(2)
        / time(&|v, _| {
            let (a, b) = v.split_at_mut(1);
            plain_copy(a[0], b[0])
        });
    let fused = bytes(7)
        / time(&|v, _| {
            let [p, g, m, v, _] = v else { return };
            adam(&scale, &adam_scale, p, g, m, v);
        });
    let averaged = bytes(9) / time(&|v, _| adam_and_average(&scale, &adam_scale, v));
    let apart = bytes(10) / time(&|v, _| stage_by_stage(&adam_scale, v));
    let squares = bytes(1) / time(&|v, sums| sum_squares_blocks(v[0], sums));
    parts.clear();
    let copy = memcpy.max(looped);
    println!(
        "{n_workers} workers, {n:>9} values: copy {copy:6.1} GB/s (memcpy {memcpy:.1}, loop {looped:.1}), \
         adam {fused:6.1} GB/s = {:.2} of copy, with decay and average {averaged:6.1} = {:.2}, \
         stage by stage {apart:6.1} = {:.2}, norm {squares:6.1} GB/s",
        fused / copy,
        averaged / copy,
        apart / copy
    );
}

/// The chain as `optim` runs it: block by block, the average of the weights behind the fused pass.
fn adam_and_average(scale: &Scale, adam_scale: &AdamScale, vectors: &mut [&mut [f32]]) {
    let [p, g, m, v, x] = vectors else { return };
    for at in (0..p.len()).step_by(CHAIN_BLOCK) {
        let r = at..(at + CHAIN_BLOCK).min(p.len());
        adam(scale, adam_scale, &mut p[r.clone()], &g[r.clone()], &mut m[r.clone()], &mut v[r.clone()]);
        average(1e-3, &mut x[r.clone()], &p[r]);
    }
}

/// The same with every stage by itself.
fn stage_by_stage(adam_scale: &AdamScale, vectors: &mut [&mut [f32]]) {
    let [p, g, m, v, x] = vectors else { return };
    for at in (0..p.len()).step_by(CHAIN_BLOCK) {
        let r = at..(at + CHAIN_BLOCK).min(p.len());
        adam_direction(adam_scale, &mut g[r.clone()], &mut m[r.clone()], &mut v[r.clone()]);
        shrink(0.99999, &mut p[r.clone()]);
        add(-1e-3, &mut p[r.clone()], &g[r.clone()]);
        average(1e-3, &mut x[r.clone()], &p[r]);
    }
}

/// Cuts all vectors alike: one group of slices per worker.
fn chunks(vectors: &mut [Vec<f32>], cut: usize) -> impl Iterator<Item = Vec<&mut [f32]>> {
    let mut cuts: Vec<_> = vectors.iter_mut().map(|v| v.chunks_mut(cut)).collect();
    std::iter::from_fn(move || cuts.iter_mut().map(Iterator::next).collect())
}

/// A copy the compiler must not turn into `memcpy`.
#[inline(never)]
fn plain_copy(to: &mut [f32], from: &[f32]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t = f + 0.0;
    }
}
