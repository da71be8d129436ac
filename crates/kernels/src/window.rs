//! Maxima over windows of images, channels last: the values at them, and spreading values back to them.
//!
//! Where the maximum lies is found again from the image at every use, which costs less than writing and reading an
//! index. It is PyTorch's: the first of equal maxima in order of rows and columns; NaN is larger than everything, and
//! the last NaN wins.

#![allow(unsafe_op_in_unsafe_fn, clippy::needless_range_loop)] // vector operations, as in `simd`

use crate::simd::{Simd, each_vector, load, simd_versions, store};
use crate::sizes::product;
use std::ops::Range;

/// How windows lie on an image; pairs are `[along the height, along the width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// pixels of the image
    pub input: [usize; 2],
    /// windows
    pub output: [usize; 2],
    /// pixels of a window
    pub kernel: [usize; 2],
    /// pixels from one window to the next
    pub stride: [usize; 2],
    /// pixels before the image that the first window covers; they count as −∞
    pub padding: [usize; 2],
}

impl Window {
    /// The pixels of the image along `axis` (0: height, 1: width) under window `o`.
    #[inline(always)]
    pub fn range(&self, axis: usize, o: usize) -> Range<usize> {
        let start = o.saturating_mul(self.stride[axis]);
        let end =
            start.saturating_add(self.kernel[axis]).saturating_sub(self.padding[axis]).min(self.input[axis]);
        start.saturating_sub(self.padding[axis])..end
    }

    /// Whether every window holds a pixel.
    pub fn is_sound(&self) -> bool {
        (0..2).all(|a| {
            self.output[a] == 0
                || (!self.range(a, 0).is_empty() && !self.range(a, self.output[a] - 1).is_empty())
        })
    }

    /// Whether no pixel lies under two windows.
    fn is_disjoint(&self) -> bool {
        (0..2).all(|a| self.stride[a] >= self.kernel[a] || self.output[a] == 1)
    }

    /// Whether every pixel lies under a window.
    fn is_covering(&self) -> bool {
        let reaches_end =
            |a: usize| self.output[a] > 0 && self.range(a, self.output[a] - 1).end == self.input[a];
        (0..2).all(|a| reaches_end(a) && (self.stride[a] <= self.kernel[a] || self.output[a] == 1))
    }

    fn check(&self, channels: usize, image: usize, windows: usize) -> usize {
        let [pixels, outputs] = [self.input, self.output].map(|[h, w]| product(&[h, w, channels]));
        let samples = windows.checked_div(outputs).unwrap_or(0);
        assert!(self.is_sound(), "window: {self:?} holds nothing");
        assert!(
            product(&[samples, outputs]) == windows,
            "window: {windows} floats are not samples of {outputs}"
        );
        assert!(
            product(&[samples, pixels]) == image,
            "window: {image} floats for {samples} samples of {pixels}"
        );
        samples
    }
}

/// For every window and channel the element of `v` where `x` has its maximum; `x`, `v`: `[B, H, W, C]`, `out`:
/// `[B, OH, OW, C]`. With `v = x` this is max pooling.
///
/// # Panics
/// When a slice does not have the size that the window says, or a window holds no pixel.
pub fn pick(w: &Window, channels: usize, x: &[f32], v: &[f32], out: &mut [f32]) {
    let samples = w.check(channels, x.len(), out.len());
    assert!(v.len() == x.len(), "window: {} values for {} pixels", v.len(), x.len());
    let job = Job { w, channels, samples, x: x.as_ptr() };
    // SAFETY: `check` saw that windows hold pixels and slices whole samples; ranges of windows end within the image.
    unsafe {
        if std::ptr::eq(x, v) {
            maxima(job, out.as_mut_ptr())
        } else {
            picked(job, v.as_ptr(), out.as_mut_ptr())
        }
    }
}

/// Adds every element of `dy: [B, OH, OW, C]` to `dv: [B, H, W, C]` where `x` has its window's maximum, from zeros.
/// Where windows overlap, contributions are added in the windows' order.
///
/// # Panics
/// As [`pick`].
pub fn spread(w: &Window, channels: usize, x: &[f32], dy: &[f32], dv: &mut [f32]) {
    let samples = w.check(channels, x.len(), dy.len());
    assert!(dv.len() == x.len(), "window: {} gradients for {} pixels", dv.len(), x.len());
    let job = Job { w, channels, samples, x: x.as_ptr() };
    // SAFETY: as in `pick`.
    unsafe { spread_on(job, dy.as_ptr(), dv.as_mut_ptr()) }
}

/// A checked call.
#[derive(Clone, Copy)]
struct Job<'a> {
    w: &'a Window,
    channels: usize,
    samples: usize,
    x: *const f32,
}

simd_versions! {
    unsafe fn maxima(job: Job, out: *mut f32) = maxima_body;
    unsafe fn picked(job: Job, v: *const f32, out: *mut f32) = picked_body;
    unsafe fn spread_on(job: Job, dy: *const f32, dv: *mut f32) = spread_body;
}

/// Calls `f(output, input, size)` for every window: where its result lies, where its first pixel lies, and its size
/// on the image.
#[inline(always)]
unsafe fn each_window(job: Job, mut f: impl FnMut(usize, usize, [usize; 2])) {
    let (w, c) = (job.w, job.channels);
    let mut output = 0;
    for sample in 0..job.samples {
        for oh in 0..w.output[0] {
            let rows = w.range(0, oh);
            let line = (sample * w.input[0] + rows.start) * w.input[1];
            for ow in 0..w.output[1] {
                let columns = w.range(1, ow);
                f(output, (line + columns.start) * c, [rows.len(), columns.len()]);
                output += c;
            }
        }
    }
}

/// A run of channels of one window.
#[derive(Clone, Copy)]
struct Patch<S: Simd> {
    /// the first pixel
    at: usize,
    size: [usize; 2],
    /// from one row to the next
    line: usize,
    /// from one pixel to the next
    pixel: usize,
    lanes: Option<S::Mask>,
}

impl<S: Simd> Patch<S> {
    /// Calls `f(n, offset)` for every pixel, in order.
    #[inline(always)]
    fn each(self, mut f: impl FnMut(usize, usize)) {
        for r in 0..self.size[0] {
            for s in 0..self.size[1] {
                f(r * self.size[1] + s, self.at + r * self.line + s * self.pixel);
            }
        }
    }

    #[inline(always)]
    unsafe fn maximum(self, x: *const f32) -> S::V {
        let mut best = load::<S>(x.add(self.at), self.lanes);
        self.each(
            #[inline(always)]
            |n, offset| {
                if n > 0 {
                    let next = load::<S>(x.add(offset), self.lanes);
                    best = S::larger(best, next);
                }
            },
        );
        best
    }

    /// The number of the pixel that holds the maximum.
    #[inline(always)]
    unsafe fn place(self, x: *const f32) -> S::V {
        let mut best = load::<S>(x.add(self.at), self.lanes);
        let mut place = S::splat(0.0);
        self.each(
            #[inline(always)]
            |n, offset| {
                if n > 0 {
                    let next = load::<S>(x.add(offset), self.lanes);
                    place = S::newer(best, next, place, S::splat(n as f32));
                    best = S::larger(best, next);
                }
            },
        );
        place
    }
}

/// Calls `f(output, patch)` for every run of channels of every window. The sizes 2×2 and 3×3 are constants in the
/// code, so that loops over them disappear.
#[inline(always)]
unsafe fn each_patch<S: Simd, const K: usize>(job: Job, mut f: impl FnMut(usize, Patch<S>)) {
    let line = job.w.input[1] * job.channels;
    each_window(
        job,
        #[inline(always)]
        |output, at, size| {
            each_vector::<S>(
                job.channels,
                #[inline(always)]
                |c, lanes| {
                    let patch = Patch { at: at + c, size, line, pixel: job.channels, lanes };
                    if K > 0 && size == [K, K] {
                        f(output + c, Patch { size: [K, K], ..patch });
                    } else {
                        f(output + c, patch);
                    }
                },
            );
        },
    );
}

#[inline(always)]
unsafe fn maxima_body<S: Simd>(job: Job, out: *mut f32) {
    #[inline(always)]
    unsafe fn sized<S: Simd, const K: usize>(job: Job, out: *mut f32) {
        each_patch::<S, K>(
            job,
            #[inline(always)]
            |o, patch| store::<S>(out.add(o), patch.maximum(job.x), patch.lanes),
        );
    }
    match job.w.kernel {
        [2, 2] => sized::<S, 2>(job, out),
        [3, 3] => sized::<S, 3>(job, out),
        _ => sized::<S, 0>(job, out),
    }
}

#[inline(always)]
unsafe fn picked_body<S: Simd>(job: Job, v: *const f32, out: *mut f32) {
    each_patch::<S, 0>(
        job,
        #[inline(always)]
        |o, patch| {
            let mut best = load::<S>(job.x.add(patch.at), patch.lanes);
            let mut value = load::<S>(v.add(patch.at), patch.lanes);
            patch.each(
                #[inline(always)]
                |n, offset| {
                    if n > 0 {
                        let next = load::<S>(job.x.add(offset), patch.lanes);
                        value = S::newer(best, next, value, load::<S>(v.add(offset), patch.lanes));
                        best = S::larger(best, next);
                    }
                },
            );
            store::<S>(out.add(o), value, patch.lanes);
        },
    );
}

#[inline(always)]
unsafe fn spread_body<S: Simd>(job: Job, dy: *const f32, dv: *mut f32) {
    #[inline(always)]
    unsafe fn sized<S: Simd, const K: usize, const ADD: bool>(job: Job, dy: *const f32, dv: *mut f32) {
        each_patch::<S, K>(
            job,
            #[inline(always)]
            |o, patch| {
                let place = patch.place(job.x);
                let gradient = load::<S>(dy.add(o), patch.lanes);
                patch.each(
                    #[inline(always)]
                    |n, offset| {
                        let share = S::where_equal(place, S::splat(n as f32), gradient);
                        let sum =
                            if ADD { S::add(load::<S>(dv.add(offset), patch.lanes), share) } else { share };
                        store::<S>(dv.add(offset), sum, patch.lanes);
                    },
                );
            },
        );
    }
    let w = job.w;
    let disjoint = w.is_disjoint();
    let each = w.input[0] * w.input[1] * job.channels;
    // sample by sample, so that zeros are still in cache where sums begin
    for sample in 0..job.samples {
        let windows = sample * w.output[0] * w.output[1] * job.channels;
        let (dy, dv) = (dy.add(windows), dv.add(sample * each));
        let job = Job { samples: 1, x: job.x.add(sample * each), ..job };
        if !(disjoint && w.is_covering()) {
            dv.write_bytes(0, each);
        }
        match (w.kernel, disjoint) {
            ([2, 2], true) => sized::<S, 2, false>(job, dy, dv),
            ([3, 3], true) => sized::<S, 3, false>(job, dy, dv),
            (_, true) => sized::<S, 0, false>(job, dy, dv),
            ([2, 2], false) => sized::<S, 2, true>(job, dy, dv),
            ([3, 3], false) => sized::<S, 3, true>(job, dy, dv),
            (_, false) => sized::<S, 0, true>(job, dy, dv),
        }
    }
}
