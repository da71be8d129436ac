//! The linear maps of convolution by interpolation at 0, ±1, ±2 and ∞, in one dimension.
//!
//! With six points, M results of R taps need 6 products in place of M·R: `y = Aᵀ[(G w) ⊙ (Bᵀ d)]`. In two dimensions
//! each map is applied to columns, then to rows. Source: Winograd 1980; Lavin and Gray, "Fast algorithms for
//! convolutional neural networks", CVPR 2016.

use crate::simd::Simd;

/// Points, and sources in a tile along each axis.
pub(super) const N: usize = 6;

/// The maps that depend on the number of taps R, for M = 7 − R results.
pub(super) trait Kernel<const M: usize, const R: usize> {
    /// G: taps to points.
    const POINTS: [[f32; R]; N];

    /// Aᵀ: points to results.
    unsafe fn results<S: Simd>(p: [S::V; N]) -> [S::V; M];
    /// A: results to points.
    unsafe fn spread<S: Simd>(y: [S::V; M]) -> [S::V; N];
}

/// 3 taps, 4 results.
pub(super) struct Three;
/// 5 taps, 2 results.
pub(super) struct Five;

/// Values of the polynomials 1, x, x², … at the points, each divided by the product of its distances to the others.
const fn points<const R: usize>() -> [[f32; R]; N] {
    let at = [0.0, 1.0, -1.0, 2.0, -2.0];
    let share = [1.0 / 4.0, -1.0 / 6.0, -1.0 / 6.0, 1.0 / 24.0, 1.0 / 24.0];
    let mut g = [[0.0; R]; N];
    let mut i = 0;
    while i < N - 1 {
        let (mut r, mut power) = (0, share[i]);
        while r < R {
            g[i][r] = power;
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

/// Bᵀ: sources to points.
#[inline(always)]
pub(super) unsafe fn sources<S: Simd>(d: [S::V; N]) -> [S::V; N] {
    // SAFETY: the caller's promise.
    unsafe {
        let [a, b] = [plus::<S>(d[4], -4.0, d[2]), plus::<S>(d[3], -4.0, d[1])];
        let [c, e] = [sub::<S>(d[4], d[2]), sub::<S>(d[3], d[1])];
        let zero = plus::<S>(plus::<S>(d[4], -5.0, d[2]), 4.0, d[0]);
        let infinity = plus::<S>(plus::<S>(d[5], -5.0, d[3]), 4.0, d[1]);
        [zero, S::add(a, b), sub::<S>(a, b), plus::<S>(c, 2.0, e), plus::<S>(c, -2.0, e), infinity]
    }
}

impl Kernel<4, 3> for Three {
    const POINTS: [[f32; 3]; N] = points();

    #[inline(always)]
    unsafe fn results<S: Simd>(p: [S::V; N]) -> [S::V; 4] {
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
    unsafe fn spread<S: Simd>(y: [S::V; 4]) -> [S::V; N] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(y[0], y[2]), S::add(y[1], y[3])];
            let [c, d] = [plus::<S>(y[0], 4.0, y[2]), plus::<S>(y[1], 4.0, y[3])];
            let both = [S::add(a, b), sub::<S>(a, b), plus::<S>(c, 2.0, d), plus::<S>(c, -2.0, d)];
            [y[0], both[0], both[1], both[2], both[3], y[3]]
        }
    }
}

impl Kernel<2, 5> for Five {
    const POINTS: [[f32; 5]; N] = points();

    #[inline(always)]
    unsafe fn results<S: Simd>(p: [S::V; N]) -> [S::V; 2] {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b] = [S::add(p[1], p[2]), sub::<S>(p[1], p[2])];
            let [c, d] = [S::add(p[3], p[4]), sub::<S>(p[3], p[4])];
            [S::add(S::add(p[0], a), c), S::add(plus::<S>(b, 2.0, d), p[5])]
        }
    }

    #[inline(always)]
    unsafe fn spread<S: Simd>(y: [S::V; 2]) -> [S::V; N] {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = [S::add(y[0], y[1]), sub::<S>(y[0], y[1])];
            let wide = [plus::<S>(y[0], 2.0, y[1]), plus::<S>(y[0], -2.0, y[1])];
            [y[0], pair[0], pair[1], wide[0], wide[1], y[1]]
        }
    }
}

/// G of the taps of one dimension.
#[inline(always)]
pub(super) unsafe fn points_of<S: Simd, K: Kernel<M, R>, const M: usize, const R: usize>(
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
pub(super) unsafe fn taps_of<S: Simd, K: Kernel<M, R>, const M: usize, const R: usize>(
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
