//! The linear maps of convolution by interpolation, in one dimension: 3 taps at 0, ±1, ±2 and ∞, 5 taps at ±½ too.
//!
//! With N points, M results of R taps need N = M + R − 1 products in place of M·R: `y = Aᵀ[(G w) ⊙ (Bᵀ d)]`. In two
//! dimensions each map is applied to columns, then to rows. Source: Winograd 1980; Lavin and Gray, "Fast algorithms for
//! convolutional neural networks", CVPR 2016.

use crate::simd::Simd;

/// Results in a tile along each axis.
pub(super) const M: usize = 4;

/// The maps for R taps at N points.
pub(super) trait Kernel<const N: usize, const R: usize> {
    /// G: taps to points.
    const POINTS: [[f32; R]; N];

    /// Bᵀ: sources to points.
    unsafe fn sources<S: Simd>(d: [S::V; N]) -> [S::V; N];
    /// Aᵀ: points to results.
    unsafe fn results<S: Simd>(p: [S::V; N]) -> [S::V; M];
    /// A: results to points.
    unsafe fn spread<S: Simd>(y: [S::V; M]) -> [S::V; N];
}

/// 3 taps at 0, ±1, ±2 and ∞.
pub(super) struct Three;
/// 5 taps at 0, ±1, ±2, ±½ and ∞.
pub(super) struct Five;

/// Values of the polynomials 1, x, x², … at the points, each divided by the product of its distances to the others;
/// the last point is ∞.
const fn points<const N: usize, const R: usize>(at: [f64; N]) -> [[f32; R]; N] {
    let mut g = [[0.0; R]; N];
    let mut i = 0;
    while i < N - 1 {
        let (mut j, mut distances) = (0, 1.0);
        while j < N - 1 {
            if j != i {
                distances *= at[i] - at[j];
            }
            j += 1;
        }
        let (mut r, mut power) = (0, 1.0 / distances);
        while r < R {
            g[i][r] = power as f32;
            power *= at[i];
            r += 1;
        }
        i += 1;
    }
    g[N - 1][R - 1] = 1.0;
    g
}

#[inline(always)]
unsafe fn sub<S: Simd>(a: S::V, b: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::fma(b, S::splat(-1.0), a) }
}

#[inline(always)]
unsafe fn plus<S: Simd>(a: S::V, k: f32, b: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::fma(b, S::splat(k), a) }
}

impl Kernel<6, 3> for Three {
    const POINTS: [[f32; 3]; 6] = points([0.0, 1.0, -1.0, 2.0, -2.0, f64::INFINITY]);

    #[inline(always)]
    unsafe fn sources<S: Simd>(d: [S::V; 6]) -> [S::V; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [plus::<S>(d[4], -4.0, d[2]), plus::<S>(d[3], -4.0, d[1])];
            let [c, e] = [sub::<S>(d[4], d[2]), sub::<S>(d[3], d[1])];
            let zero = plus::<S>(plus::<S>(d[4], -5.0, d[2]), 4.0, d[0]);
            let infinity = plus::<S>(plus::<S>(d[5], -5.0, d[3]), 4.0, d[1]);
            [zero, S::add(a, b), sub::<S>(a, b), plus::<S>(c, 2.0, e), plus::<S>(c, -2.0, e), infinity]
        }
    }

    #[inline(always)]
    unsafe fn results<S: Simd>(p: [S::V; 6]) -> [S::V; M] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(p[1], p[2]), sub::<S>(p[1], p[2])];
            let [c, d] = [S::add(p[3], p[4]), sub::<S>(p[3], p[4])];
            let first = S::add(S::add(p[0], a), c);
            let last = S::add(plus::<S>(b, 8.0, d), p[5]);
            [first, plus::<S>(b, 2.0, d), plus::<S>(a, 4.0, c), last]
        }
    }

    #[inline(always)]
    unsafe fn spread<S: Simd>(y: [S::V; M]) -> [S::V; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(y[0], y[2]), S::add(y[1], y[3])];
            let [c, d] = [plus::<S>(y[0], 4.0, y[2]), plus::<S>(y[1], 4.0, y[3])];
            let both = [S::add(a, b), sub::<S>(a, b), plus::<S>(c, 2.0, d), plus::<S>(c, -2.0, d)];
            [y[0], both[0], both[1], both[2], both[3], y[3]]
        }
    }
}

impl Kernel<8, 5> for Five {
    const POINTS: [[f32; 5]; 8] = points([0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, f64::INFINITY]);

    /// Row of a point ±a: the even powers of `x (x ± a) Π (x² − b²)` over the other pairs ±b, ±a times the odd ones.
    #[inline(always)]
    unsafe fn sources<S: Simd>(d: [S::V; 8]) -> [S::V; 8] {
        // SAFETY: the caller's promise.
        unsafe {
            let third = |i: usize, k: f32, last: f32| plus::<S>(plus::<S>(d[i + 4], k, d[i + 2]), last, d[i]);
            let ends = |i: usize| plus::<S>(sub::<S>(d[i + 6], d[i]), 5.25, sub::<S>(d[i + 2], d[i + 4]));
            let [one, one_odd] = [third(2, -4.25, 1.0), third(1, -4.25, 1.0)];
            let [two, two_odd] = [third(2, -1.25, 0.25), third(1, -1.25, 0.25)];
            let [half, half_odd] = [third(2, -5.0, 4.0), third(1, -5.0, 4.0)];
            let ones = [S::add(one, one_odd), sub::<S>(one, one_odd)];
            let twos = [plus::<S>(two, 2.0, two_odd), plus::<S>(two, -2.0, two_odd)];
            let halves = [plus::<S>(half, 0.5, half_odd), plus::<S>(half, -0.5, half_odd)];
            [ends(0), ones[0], ones[1], twos[0], twos[1], halves[0], halves[1], ends(1)]
        }
    }

    #[inline(always)]
    unsafe fn results<S: Simd>(p: [S::V; 8]) -> [S::V; M] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(p[1], p[2]), sub::<S>(p[1], p[2])];
            let [c, d] = [S::add(p[3], p[4]), sub::<S>(p[3], p[4])];
            let [e, f] = [S::add(p[5], p[6]), sub::<S>(p[5], p[6])];
            let first = S::add(S::add(p[0], a), S::add(c, e));
            let last = S::add(plus::<S>(plus::<S>(b, 8.0, d), 0.125, f), p[7]);
            let second = plus::<S>(plus::<S>(b, 2.0, d), 0.5, f);
            [first, second, plus::<S>(plus::<S>(a, 4.0, c), 0.25, e), last]
        }
    }

    #[inline(always)]
    unsafe fn spread<S: Simd>(y: [S::V; M]) -> [S::V; 8] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(y[0], y[2]), S::add(y[1], y[3])];
            let [c, d] = [plus::<S>(y[0], 4.0, y[2]), plus::<S>(y[1], 4.0, y[3])];
            let [e, f] = [plus::<S>(y[0], 0.25, y[2]), plus::<S>(y[1], 0.25, y[3])];
            let ones = [S::add(a, b), sub::<S>(a, b)];
            let twos = [plus::<S>(c, 2.0, d), plus::<S>(c, -2.0, d)];
            let halves = [plus::<S>(e, 0.5, f), plus::<S>(e, -0.5, f)];
            [y[0], ones[0], ones[1], twos[0], twos[1], halves[0], halves[1], y[3]]
        }
    }
}

/// G of the taps of one dimension.
#[inline(always)]
pub(super) unsafe fn points_of<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    w: [S::V; R],
) -> [S::V; N] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut p = [S::splat(0.0); N];
        for i in 0..N {
            for r in 0..R {
                p[i] = S::fma(S::splat(K::POINTS[i][r]), w[r], p[i]);
            }
        }
        p
    }
}

/// Gᵀ of the points of one dimension.
#[inline(always)]
pub(super) unsafe fn taps_of<S: Simd, K: Kernel<N, R>, const N: usize, const R: usize>(
    p: [S::V; N],
) -> [S::V; R] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut w = [S::splat(0.0); R];
        for i in 0..N {
            for r in 0..R {
                w[r] = S::fma(S::splat(K::POINTS[i][r]), p[i], w[r]);
            }
        }
        w
    }
}
