//! Windows, resampling, folds and strided copies against plain loops, on every instruction set.

#[path = "common/isa.rs"]
mod isa;

use isa::on_each_isa;
use kernels::fold::fold_middle;
use kernels::isa::Isa;
use kernels::map::Fold;
use kernels::permute::copy_strided;
use kernels::resample::{Taps, resample, scratch_len};
use kernels::window::{Window, pick, spread};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// PyTorch's loop: the place of the maximum of one window and channel.
fn place(w: &Window, x: &[f32], channels: usize, [sample, oh, ow, c]: [usize; 4]) -> usize {
    let at = |h: usize, v: usize| ((sample * w.input[0] + h) * w.input[1] + v) * channels + c;
    let (rows, columns) = (w.range(0, oh), w.range(1, ow));
    let (mut best, mut largest) = (at(rows.start, columns.start), f32::NEG_INFINITY);
    for h in rows {
        for v in columns.clone() {
            let here = x[at(h, v)];
            if here > largest || here.is_nan() {
                (best, largest) = (at(h, v), here);
            }
        }
    }
    best
}

fn check_window(isa: Isa, w: &Window, samples: usize, channels: usize, salt: usize) {
    let [n, m] = [w.input, w.output].map(|[h, v]| samples * h * v * channels);
    // few different values, so that maxima tie, and some that are not numbers
    let value = |i: usize| match (i * 7919 + salt * 31) % 101 {
        0 => f32::NAN,
        1 => f32::NEG_INFINITY,
        k => (k % 7) as f32 - 3.0,
    };
    let x: Vec<f32> = (0..n).map(value).collect();
    let v: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let dy: Vec<f32> = (0..m).map(|i| 1.0 + (i % 13) as f32).collect();
    let (mut largest, mut picked, mut dv) = (vec![0.0; m], vec![0.0; m], vec![0.0; n]);
    for i in 0..m {
        let [oh, ow] = w.output;
        let index = [i / (channels * ow * oh), i / (channels * ow) % oh, i / channels % ow, i % channels];
        let at = place(w, &x, channels, index);
        (largest[i], picked[i]) = (x[at], v[at]);
        dv[at] += dy[i];
    }
    let what = format!("{w:?}, {channels} channels on {}", isa.name());
    let (mut y, mut got) = (vec![f32::NAN; m], vec![f32::NAN; n]);
    pick(w, channels, &x, &x, &mut y);
    assert_eq!(bits(&y), bits(&largest), "{what}");
    pick(w, channels, &x, &v, &mut y);
    assert_eq!(bits(&y), bits(&picked), "{what}");
    spread(w, channels, &x, &dy, &mut got);
    assert_eq!(bits(&got), bits(&dv), "{what}");
}

#[test]
fn maxima_are_where_pytorch_finds_them() {
    on_each_isa(|isa| {
        for salt in 0..200 {
            let die = |n: usize, k: usize| (salt * 31 + n * 17 + salt / 3) % k;
            let kernel = [[2, 2], [3, 3], [1, 2], [4, 3], [3, 5]][salt % 5];
            let stride = if die(1, 2) == 0 { kernel } else { [1 + die(2, 3), 1 + die(3, 4)] };
            let padding = [die(4, kernel[0] / 2 + 1), die(5, kernel[1] / 2 + 1)];
            let input = [kernel[0] + die(6, 5), kernel[1] + die(7, 4)];
            let output = [0, 1].map(|a| (input[a] + 2 * padding[a] - kernel[a]) / stride[a] + 1);
            let w = Window { input, output, kernel, stride, padding };
            check_window(isa, &w, 1 + die(8, 2), [1, 3, 8, 16, 21, 40][salt % 6], salt);
        }
    });
}

type Runs = Vec<(usize, Vec<f64>)>;

/// Runs of up to `most` weights, some of them empty, some with the single weight 1.
fn runs(input: usize, output: usize, most: usize, salt: usize) -> Runs {
    let run = |o: usize| {
        let start = (o * 5 + salt) % input;
        let n = ((o + salt) % (most + 1)).min(input - start);
        let weight =
            |k: usize| if n == 1 && o.is_multiple_of(2) { 1.0 } else { 0.25 + (k + o) as f64 * 0.125 };
        (start, (0..n).map(weight).collect())
    };
    (0..output).map(run).collect()
}

fn taps(input: usize, runs: &Runs) -> Taps {
    Taps::new(input, runs.iter().map(|(start, weights)| (*start, &weights[..])))
}

/// The double sum in f64, over one sample `[.., width, channels]`.
fn double_sum(rows: &Runs, columns: &Runs, [width, channels]: [usize; 2], x: &[f32]) -> Vec<f64> {
    let mut y = vec![];
    for (top, down) in rows {
        for (left, along) in columns {
            for c in 0..channels {
                let mut sum = 0.0;
                for (h, a) in down.iter().enumerate() {
                    for (w, b) in along.iter().enumerate() {
                        sum += a * b * f64::from(x[((top + h) * width + left + w) * channels + c]);
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

#[test]
fn resampling_is_a_double_sum() {
    let mut fused: Vec<Vec<u32>> = vec![];
    on_each_isa(|isa| {
        for salt in 0..200 {
            let (h, w, channels) = (1 + salt % 7, 1 + salt / 2 % 9, [1, 2, 5, 16, 19, 33][salt % 6]);
            let rows = runs(h, 1 + salt % 5, 1 + salt % 4, salt);
            let columns = runs(w, 1 + salt % 8, 1 + salt / 3 % 4, salt);
            let x: Vec<f32> =
                (0..2 * h * w * channels).map(|i| ((i * 7919) % 257) as f32 / 64.0 - 2.0).collect();
            let each = |x| double_sum(&rows, &columns, [w, channels], x);
            let want: Vec<f64> = x.chunks_exact(h * w * channels).flat_map(each).collect();
            let (rows, columns) = (taps(h, &rows), taps(w, &columns));
            let mut scratch = vec![f32::NAN; scratch_len(&columns, channels)];
            let mut y = vec![f32::NAN; want.len()];
            resample(&rows, &columns, channels, &x, &mut y, &mut scratch);
            for (i, (y, want)) in y.iter().zip(&want).enumerate() {
                assert!(
                    (f64::from(*y) - want).abs() <= 1e-5,
                    "{salt}[{i}]: {y}, not {want}, on {}",
                    isa.name()
                );
            }
            match fused.get(salt) {
                Some(first) if isa.is_fused() => assert_eq!(first, &bits(&y), "{salt} on {}", isa.name()),
                None => fused.push(bits(&y)),
                _ => {}
            }
        }
    });
}

#[test]
fn folds_have_the_bits_of_plain_loops() {
    let sizes = [
        [2, 5, 1],
        [1, 7, 3],
        [3, 4, 16],
        [2, 3, 21],
        [2, 9, 64],
        [1, 2, 150],
        [2, 0, 5],
        [2, 81, 17],
        [1, 2000, 3],
    ];
    on_each_isa(|isa| {
        for (fold, [outer, mid, inner]) in
            [Fold::Sum, Fold::Max].into_iter().flat_map(|f| sizes.map(|s| (f, s)))
        {
            let x: Vec<f32> = (0..outer * mid * inner).map(|i| ((i * 7919) % 1009) as f32 * 1e-2).collect();
            let want: Vec<f32> = (0..outer * inner)
                .map(|i| {
                    let column = |m| x[(i / inner * mid + m) * inner + i % inner];
                    in_runs(fold, &(0..mid).map(column).collect::<Vec<_>>())
                })
                .collect();
            let mut got = vec![f32::NAN; outer * inner];
            fold_middle(fold, [outer, mid, inner], &x, &mut got);
            assert_eq!(got, want, "{fold:?} of {:?} on {}", [outer, mid, inner], isa.name());
        }
    });
}

/// Runs of 32 terms, and runs of 32 of them.
fn in_runs(fold: Fold, terms: &[f32]) -> f32 {
    let chain = |terms: &mut dyn Iterator<Item = f32>| terms.fold(fold.neutral(), |t, x| fold.join(t, x));
    let run = |terms: &[f32]| chain(&mut terms.iter().copied());
    let middle = |terms: &[f32]| chain(&mut terms.chunks(32).map(run));
    chain(&mut terms.chunks(32 * 32).map(middle))
}

fn by_elements(sizes: &[usize], strides: &[usize], x: &[f32]) -> Vec<f32> {
    let element = |mut flat: usize| {
        let mut at = 0;
        for (size, stride) in sizes.iter().zip(strides).rev() {
            at += flat % size * stride;
            flat /= size;
        }
        x[at]
    };
    (0..sizes.iter().product()).map(element).collect()
}

/// Sizes and strides of a copy.
const COPIES: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[7], &[3]),
    // transposes
    (&[4, 33, 17], &[600, 1, 33]),
    (&[2, 3, 50], &[150, 1, 3]),
    (&[2, 50, 3], &[150, 1, 50]),
    (&[2, 5, 3, 7], &[105, 1, 35, 5]),
    (&[2, 300, 21], &[6300, 1, 300]),
    (&[2, 5, 300], &[1500, 1, 5]),
    // repetitions
    (&[3, 8, 4, 5], &[160, 0, 5, 1]),
    (&[3, 8, 4], &[1, 0, 0]),
    // slices
    (&[3, 4, 6], &[100, 10, 1]),
    (&[3, 4, 6], &[100, 10, 2]),
    // more axes than the loops keep apart
    (&[2, 1, 2, 1, 2, 1, 2, 3, 2, 2], &[500, 9, 250, 9, 100, 9, 50, 16, 8, 3]),
    (&[3, 0, 4], &[1, 2, 3]),
];

#[test]
fn strided_copies_take_the_right_elements() {
    let x: Vec<f32> = (0..20_000).map(|i| i as f32).collect();
    on_each_isa(|isa| {
        for (sizes, strides) in COPIES {
            let want = by_elements(sizes, strides, &x);
            let mut out = vec![f32::NAN; want.len()];
            copy_strided(1, sizes, strides, &x, &mut out);
            assert_eq!(out, want, "{sizes:?} by {strides:?} on {}", isa.name());
        }
        let mut out = vec![f32::NAN; 6 * 50 * 3];
        copy_strided(3, &[2, 50, 3], &[150, 1, 50], &x, &mut out);
        assert_eq!(out, by_elements(&[6, 50, 3], &[150, 1, 50], &x), "a batch on {}", isa.name());
    });
}
