//! Prints memory rates of pooling, resampling and permuting images in second-level cache beside that of a copy:
//! `cargo bench -p thalweg-kernels --bench window`.

use std::time::Instant;

use kernels::fold::fold_middle;
use kernels::map::Fold;
use kernels::permute::copy_strided;
use kernels::resample::{Taps, resample, scratch_len};
use kernels::window::{Window, pick, spread};

const N_TIMINGS: usize = 15;
/// Floats read and written in one timing.
const WORK: usize = 1 << 24;

/// Best time of a call, as a rate over the floats that it reads and writes.
fn report(name: &str, floats: usize, mut f: impl FnMut()) {
    let n_calls = WORK.div_ceil(floats);
    let mut best = f64::INFINITY;
    for _ in 0..N_TIMINGS {
        let start = Instant::now();
        (0..n_calls).for_each(|_| f());
        best = best.min(start.elapsed().as_secs_f64() / n_calls as f64);
    }
    println!("{name:<44} {:8.1} us {:7.1} GB/s", best * 1e6, 4e-9 * floats as f64 / best);
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919) % 1009) as f32 * 1e-3 - 0.5).collect()
}

fn pooling(kernel: usize, stride: usize, padding: usize, [side, channels, samples]: [usize; 3]) {
    let out = (side + 2 * padding - kernel) / stride + 1;
    let w = Window {
        input: [side; 2],
        output: [out; 2],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    };
    let (n, m) = (samples * side * side * channels, samples * out * out * channels);
    let (x, dy, mut y, mut dx) = (values(n), values(m), values(m), values(n));
    let size = format!("{kernel}x{kernel} by {stride} on {samples}x{side}x{side}x{channels}");
    report(&format!("max pool {size}"), n + m, || pick(&w, channels, &x, &x, &mut y));
    report("its gradient", 2 * n + m, || spread(&w, channels, &x, &dy, &mut dx));
    let weights = vec![1.0 / kernel as f64; kernel];
    if padding == 0 {
        let taps = Taps::new(side, (0..out).map(|o| (o * stride, &weights[..])));
        let mut scratch = vec![0.0; scratch_len(&taps, channels)];
        report("average", n + m, || resample(&taps, &taps, channels, &x, &mut y, &mut scratch));
    }
}

fn main() {
    let (x, mut y) = (values(1 << 16), values(1 << 16));
    report("copy", 1 << 17, || y.copy_from_slice(std::hint::black_box(&x)));
    pooling(2, 2, 0, [28, 32, 2]);
    pooling(2, 2, 0, [14, 64, 4]);
    pooling(3, 2, 1, [28, 32, 2]);
    pooling(3, 2, 0, [14, 64, 4]);
    pooling(2, 2, 0, [28, 1, 64]);
    pooling(5, 3, 0, [28, 16, 4]);
    for [pixels, channels] in [[49, 64], [64, 64], [1024, 3], [16, 512]] {
        let samples = (1 << 16) / (pixels * channels);
        let n = samples * pixels * channels;
        let name = format!("to channels first, {samples}x{pixels}x{channels}");
        let (sizes, strides) = ([samples, channels, pixels], [pixels * channels, 1, channels]);
        report(&name, 2 * n, || copy_strided(1, &sizes, &strides, &x, &mut y[..n]));
        let name = format!("to channels last, {samples}x{pixels}x{channels}");
        let (sizes, strides) = ([samples, pixels, channels], [pixels * channels, 1, pixels]);
        report(&name, 2 * n, || copy_strided(1, &sizes, &strides, &x, &mut y[..n]));
    }
    for [samples, pixels, channels] in [[16, 64, 64], [64, 64, 16]] {
        let n = samples * pixels * channels;
        let name = format!("global mean, {samples}x{pixels}x{channels}");
        report(&name, n, || fold_middle(Fold::Sum, [samples, pixels, channels], &x, &mut y));
        let name = "its gradient";
        let (sizes, strides) = ([samples, pixels, channels], [channels, 0, 1]);
        report(name, n, || copy_strided(1, &sizes, &strides, &x, &mut y[..n]));
    }
}
