//! A separable linear map of images, channels last: every row and column of the result is a weighted sum of a run of
//! neighboring ones. Average pooling, resizing and their gradients are such maps.

#![allow(unsafe_op_in_unsafe_fn, clippy::needless_range_loop)] // vector operations, as in `simd`

use crate::simd::{Simd, each_vector, load, simd_versions, store};
use crate::sizes::{product, span};

/// For each index of the result along one axis, a run of indices of the input, with weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taps {
    input: usize,
    /// first index of each run
    starts: Vec<usize>,
    /// where the weights of each run begin; one more entry than runs
    bounds: Vec<usize>,
    weights: Vec<f32>,
    /// weights of the longest run
    longest: usize,
}

impl Taps {
    /// Runs over an axis of `input` indices: each a first index and its weights. A run may be empty.
    ///
    /// # Panics
    /// When a run goes beyond the input.
    pub fn new<'a>(input: usize, runs: impl IntoIterator<Item = (usize, &'a [f64])>) -> Self {
        let mut taps = Taps { input, bounds: vec![0], ..Taps::default() };
        for (start, weights) in runs {
            assert!(
                start <= input && weights.len() <= input - start,
                "taps: {} from {start} on, of {input}",
                weights.len()
            );
            taps.starts.push(start);
            taps.weights.extend(weights.iter().map(|w| *w as f32));
            taps.bounds.push(taps.weights.len());
            taps.longest = taps.longest.max(weights.len());
        }
        taps
    }

    /// Indices of the input.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Indices of the result.
    pub fn output(&self) -> usize {
        self.starts.len()
    }

    /// Weights of the longest run.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The first index and the weights of one run.
    #[inline(always)]
    fn run(&self, o: usize) -> (usize, &[f32]) {
        (self.starts[o], &self.weights[self.bounds[o]..self.bounds[o + 1]])
    }
}

/// Floats of scratch that [`resample`] needs.
pub fn scratch_len(columns: &Taps, channels: usize) -> usize {
    product(&[columns.input, channels])
}

/// `out[b, i, j, c] = Σ rows[i, h]·columns[j, w]·x[b, h, w, c]`: `[B, H, W, C] -> [B, OH, OW, C]`. First over the rows,
/// then over the columns; each sum is one chain of fused multiply-adds in increasing order.
///
/// # Panics
/// When the slices do not hold whole samples of the same number, or scratch is shorter than [`scratch_len`].
pub fn resample(
    rows: &Taps,
    columns: &Taps,
    channels: usize,
    x: &[f32],
    out: &mut [f32],
    scratch: &mut [f32],
) {
    let (line, out_line) = (product(&[columns.input(), channels]), product(&[columns.output(), channels]));
    let (each, out_each) = (product(&[rows.input(), line]), product(&[rows.output(), out_line]));
    let scratch = &mut scratch[..line];
    if out_each == 0 || each == 0 {
        return out.fill(0.0);
    }
    assert!(x.len() / each == out.len() / out_each, "resample: {} floats become {}", x.len(), out.len());
    for (x, out) in x.chunks_exact(each).zip(out.chunks_exact_mut(out_each)) {
        for (o, out) in out.chunks_exact_mut(out_line).enumerate() {
            let (start, weights) = rows.run(o);
            let x = &x[start * line..];
            match *weights {
                // SAFETY: the runs end within the input, as `Taps::new` saw; the slices hold whole rows.
                [a, b] if columns.longest <= 2 => unsafe { each_pair(columns, channels, [a, b], x, out) },
                // SAFETY: as above.
                [1.0] => unsafe { each_column(columns, channels, x, out) },
                _ => {
                    mix(x, line, weights, scratch);
                    // SAFETY: as above.
                    unsafe { each_column(columns, channels, scratch, out) }
                }
            }
        }
    }
}

/// `out = Σ weights[k]·x[k·stride..]`
fn mix(x: &[f32], stride: usize, weights: &[f32], out: &mut [f32]) {
    assert!(
        weights.is_empty() || x.len() >= span(weights.len(), stride, out.len()),
        "resample: a run beyond the end"
    );
    // SAFETY: the length was just checked.
    unsafe { mixed(x.as_ptr(), stride, weights, out) }
}

simd_versions! {
    /// As [`mix`]; `x` holds what the run needs.
    unsafe fn mixed(x: *const f32, stride: usize, weights: &[f32], out: &mut [f32]) = mixed_body;
    /// Every column of one row; `x` begins with a row of the columns' input.
    unsafe fn each_column(columns: &Taps, channels: usize, x: &[f32], out: &mut [f32]) = each_column_body;
    /// The same of two rows with weights, where no run has more than two; `x` begins with both.
    unsafe fn each_pair(columns: &Taps, channels: usize, rows: [f32; 2], x: &[f32], out: &mut [f32]) = each_pair_body;
}

#[inline(always)]
unsafe fn each_column_body<S: Simd>(columns: &Taps, channels: usize, x: &[f32], out: &mut [f32]) {
    for (o, out) in out.chunks_exact_mut(channels).enumerate() {
        let (start, weights) = columns.run(o);
        mixed_body::<S>(x.as_ptr().add(start * channels), channels, weights, out);
    }
}

#[inline(always)]
unsafe fn each_pair_body<S: Simd>(
    columns: &Taps,
    channels: usize,
    rows: [f32; 2],
    x: &[f32],
    out: &mut [f32],
) {
    let line = columns.input * channels;
    for (o, out) in out.chunks_exact_mut(channels).enumerate() {
        let (start, weights) = columns.run(o);
        let x = x.as_ptr().add(start * channels);
        match *weights {
            [a] => pair::<S, 1>(x, [line, channels], rows, [a], out),
            [a, b] => pair::<S, 2>(x, [line, channels], rows, [a, b], out),
            _ => out.fill(0.0),
        }
    }
}

/// Two rows of `N` pixels as one pixel, in the order of a pass over the rows and one over the columns.
#[inline(always)]
unsafe fn pair<S: Simd, const N: usize>(
    x: *const f32,
    [line, pixel]: [usize; 2],
    rows: [f32; 2],
    weights: [f32; N],
    out: &mut [f32],
) {
    let zero = S::splat(0.0);
    let (top, bottom) = (S::splat(rows[0]), S::splat(rows[1]));
    each_vector::<S>(
        out.len(),
        #[inline(always)]
        |c, lanes| {
            let mut sum = zero;
            for k in 0..N {
                let x = x.add(k * pixel + c);
                let upper = S::fma(top, load::<S>(x, lanes), zero);
                let mixed = S::fma(bottom, load::<S>(x.add(line), lanes), upper);
                sum = S::fma(S::splat(weights[k]), mixed, sum);
            }
            store::<S>(out.as_mut_ptr().add(c), sum, lanes);
        },
    );
}

#[inline(always)]
unsafe fn mixed_body<S: Simd>(x: *const f32, stride: usize, weights: &[f32], out: &mut [f32]) {
    match *weights {
        [1.0] => std::ptr::copy_nonoverlapping(x, out.as_mut_ptr(), out.len()),
        [a] => few::<S, 1>(x, stride, [a], out),
        [a, b] => few::<S, 2>(x, stride, [a, b], out),
        [a, b, c] => few::<S, 3>(x, stride, [a, b, c], out),
        _ => each_vector::<S>(
            out.len(),
            #[inline(always)]
            |c, lanes| {
                let mut sum = S::splat(0.0);
                for (k, weight) in weights.iter().enumerate() {
                    sum = S::fma(S::splat(*weight), load::<S>(x.add(k * stride + c), lanes), sum);
                }
                store::<S>(out.as_mut_ptr().add(c), sum, lanes);
            },
        ),
    }
}

#[inline(always)]
unsafe fn few<S: Simd, const N: usize>(x: *const f32, stride: usize, weights: [f32; N], out: &mut [f32]) {
    let weights = weights.map(
        #[inline(always)]
        |w| S::splat(w),
    );
    each_vector::<S>(
        out.len(),
        #[inline(always)]
        |c, lanes| {
            let mut sum = S::splat(0.0);
            for k in 0..N {
                sum = S::fma(weights[k], load::<S>(x.add(k * stride + c), lanes), sum);
            }
            store::<S>(out.as_mut_ptr().add(c), sum, lanes);
        },
    );
}
