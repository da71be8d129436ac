//! One axis of a convolution: which sources each output takes, forwards and backwards alike.

/// Outputs `first, first + step, ...`, each the sum over some taps of a source.
///
/// Output number `q` takes through tap `i` the source `q * source_step + offset + i * offset_step`, where that
/// exists, times the weight at `tap + i * tap_step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub first: usize,
    pub step: usize,
    pub count: usize,
    pub source_step: usize,
    pub source_len: usize,
    pub n_taps: usize,
    tap: usize,
    tap_step: isize,
    pub offset: isize,
    pub offset_step: isize,
}

/// The sizes of an axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
}

impl Axis {
    /// Outputs from inputs.
    pub fn forward(s: Sizes) -> Axis {
        Axis {
            first: 0,
            step: 1,
            count: s.output,
            source_step: s.stride,
            source_len: s.input,
            n_taps: s.kernel,
            tap: 0,
            tap_step: 1,
            offset: -(s.padding as isize),
            offset_step: s.dilation as isize,
        }
    }

    /// Inputs `phase, phase + stride, ...` from outputs. Each tap belongs to one of the `stride` phases; taps
    /// come in decreasing order, so that sources increase.
    pub fn backward(s: Sizes, phase: usize) -> Axis {
        let period = s.stride / gcd(s.stride, s.dilation);
        let first = first_tap(phase + s.padding, s.dilation, s.stride).filter(|k| *k < s.kernel);
        let n_taps = first.map_or(0, |k| (s.kernel - k).div_ceil(period));
        let tap = first.map_or(0, |k| k + (n_taps - 1) * period);
        Axis {
            first: phase,
            step: s.stride,
            count: s.input.saturating_sub(phase).div_ceil(s.stride),
            source_step: 1,
            source_len: s.output,
            n_taps,
            tap,
            tap_step: -(period as isize),
            offset: ((phase + s.padding) as isize - (tap * s.dilation) as isize) / s.stride as isize,
            offset_step: (period * s.dilation / s.stride) as isize,
        }
    }

    /// The same with tap `i` alone.
    pub fn only(&self, i: usize) -> Axis {
        Axis { n_taps: 1, tap: self.tap(i), offset: self.position(0, i), ..*self }
    }

    /// The weight's index of tap `i`.
    #[inline(always)]
    pub fn tap(&self, i: usize) -> usize {
        (self.tap as isize + i as isize * self.tap_step) as usize
    }

    /// The source of output `q` through tap `i`, which may lie outside.
    #[inline(always)]
    pub fn position(&self, q: usize, i: usize) -> isize {
        (q * self.source_step) as isize + self.offset + i as isize * self.offset_step
    }

    /// The outputs that have a source through tap `i`.
    pub fn outputs(&self, i: usize) -> std::ops::Range<usize> {
        let from = -self.position(0, i);
        let first = |n: isize| (n.max(0) as usize).div_ceil(self.source_step).min(self.count);
        first(from)..first(from + self.source_len as isize).max(first(from))
    }

    /// The source of output `q` through tap `i`.
    #[inline(always)]
    pub fn source(&self, q: usize, i: usize) -> Option<usize> {
        let at = self.position(q, i);
        (at >= 0 && (at as usize) < self.source_len).then_some(at as usize)
    }
}

/// The least k of which `k · dilation` differs from `place` by a multiple of `stride`.
fn first_tap(place: usize, dilation: usize, stride: usize) -> Option<usize> {
    let common = gcd(stride, dilation);
    let period = stride / common;
    if !place.is_multiple_of(common) {
        return None;
    }
    // k = (place / common) · (dilation / common)⁻¹ modulo the period; the inverse is found by Euclid's algorithm
    let (mut r, mut s) = ([(dilation / common % period) as i128, period as i128], [1i128, 0]);
    while r[1] != 0 {
        let q = r[0] / r[1];
        r = [r[1], r[0] - q * r[1]];
        s = [s[1], s[0] - q * s[1]];
    }
    let inverse = s[0].rem_euclid(period as i128);
    Some(((place / common % period) as i128 * inverse % period as i128) as usize)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Sizes, first_tap};

    #[test]
    fn the_first_tap_is_the_first_that_belongs() {
        for (stride, dilation) in (1..13).flat_map(|s| (1..13).map(move |d| (s, d))) {
            for place in 0..40usize {
                let belongs = |k: &usize| place.abs_diff(k * dilation).is_multiple_of(stride);
                let found = (0..stride).find(belongs);
                assert_eq!(first_tap(place, dilation, stride), found, "{place} {dilation} {stride}");
            }
        }
    }

    #[test]
    fn phases_together_are_the_forward_map_reversed() {
        for (stride, dilation, kernel, padding) in
            [(1, 1, 3, 1), (2, 1, 3, 1), (2, 1, 1, 0), (3, 2, 5, 4), (2, 2, 3, 1), (4, 6, 5, 0), (3, 1, 2, 7)]
        {
            let s = Sizes { input: 13, output: 9, kernel, stride, padding, dilation };
            let mut backward = Vec::new();
            for phase in 0..stride {
                let a = Axis::backward(s, phase);
                for i in 0..a.n_taps {
                    let outputs: Vec<_> = (0..a.count).filter(|q| a.source(*q, i).is_some()).collect();
                    assert_eq!(outputs, Vec::from_iter(a.outputs(i)), "{s:?}");
                }
                for q in 0..a.count {
                    let sources: Vec<_> = (0..a.n_taps).filter_map(|i| a.source(q, i)).collect();
                    assert!(sources.is_sorted(), "sources increase");
                    for i in 0..a.n_taps {
                        backward.extend(a.source(q, i).map(|out| (out, a.tap(i), a.first + q * a.step)));
                    }
                }
            }
            let a = Axis::forward(s);
            for i in 0..a.n_taps {
                let outputs: Vec<_> = (0..a.count).filter(|q| a.source(*q, i).is_some()).collect();
                assert_eq!(outputs, Vec::from_iter(a.outputs(i)), "{s:?}");
            }
            let mut forward = Vec::new();
            for out in 0..9 {
                for i in 0..a.n_taps {
                    forward.extend(a.source(out, i).map(|input| (out, a.tap(i), input)));
                }
            }
            backward.sort_unstable();
            forward.sort_unstable();
            assert_eq!(forward, backward, "{s:?}");
        }
    }
}
