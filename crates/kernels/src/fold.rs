//! Sums and maxima along the middle axis of `[outer, mid, inner]`, with vectors along the inner one.

#![allow(unsafe_op_in_unsafe_fn, clippy::needless_range_loop)] // vector operations, as in `simd`

use crate::map::{Fold, RUN};
use crate::simd::{Simd, load, simd_versions, store};
use crate::sizes::product;

/// `out[o, i] = fold over m of x[o, m, i]`, over m in increasing order, in runs, and runs of runs, of [`RUN`] terms.
///
/// # Panics
/// When `x` is shorter than `outer · mid · inner`, or `out` than `outer · inner`.
pub fn fold_middle(fold: Fold, [outer, mid, inner]: [usize; 3], x: &[f32], out: &mut [f32]) {
    assert!(
        x.len() >= product(&[outer, mid, inner]),
        "fold: {} floats for [{outer}, {mid}, {inner}]",
        x.len()
    );
    assert!(out.len() >= product(&[outer, inner]), "fold: {} results for [{outer}, {inner}]", out.len());
    // SAFETY: the lengths were just checked.
    unsafe { folds(fold, [outer, mid, inner], x.as_ptr(), out.as_mut_ptr()) }
}

simd_versions! {
    unsafe fn folds(fold: Fold, sizes: [usize; 3], x: *const f32, out: *mut f32) = folds_body;
}

#[inline(always)]
unsafe fn folds_body<S: Simd>(fold: Fold, sizes: [usize; 3], x: *const f32, out: *mut f32) {
    match fold {
        Fold::Sum => each_column::<S>(
            fold,
            sizes,
            x,
            out,
            #[inline(always)]
            |t, v| S::add(t, v),
        ),
        Fold::Max => each_column::<S>(
            fold,
            sizes,
            x,
            out,
            #[inline(always)]
            |t, v| S::larger(t, v),
        ),
    }
}

#[inline(always)]
unsafe fn each_column<S: Simd>(
    fold: Fold,
    [outer, mid, inner]: [usize; 3],
    x: *const f32,
    out: *mut f32,
    join: impl Fn(S::V, S::V) -> S::V,
) {
    for o in 0..outer {
        let (x, out) = (x.add(o * mid * inner), out.add(o * inner));
        let mut i = 0;
        while i + 4 * S::LANES <= inner {
            column::<S, 4>(fold, [mid, inner], x.add(i), out.add(i), None, &join);
            i += 4 * S::LANES;
        }
        while i + S::LANES <= inner {
            column::<S, 1>(fold, [mid, inner], x.add(i), out.add(i), None, &join);
            i += S::LANES;
        }
        if i < inner {
            column::<S, 1>(fold, [mid, inner], x.add(i), out.add(i), Some(S::mask(inner - i)), &join);
        }
    }
}

/// `N` vectors side by side, folded over `mid` rows.
#[inline(always)]
unsafe fn column<S: Simd, const N: usize>(
    fold: Fold,
    [mid, inner]: [usize; 2],
    x: *const f32,
    out: *mut f32,
    lanes: Option<S::Mask>,
    join: &impl Fn(S::V, S::V) -> S::V,
) {
    let neutral = [S::splat(fold.neutral()); N];
    let mut total = neutral;
    for long in (0..mid).step_by(RUN * RUN) {
        let mut middle = neutral;
        let end = (long + RUN * RUN).min(mid);
        for first in (long..end).step_by(RUN) {
            let mut run = neutral;
            for m in first..(first + RUN).min(end) {
                for n in 0..N {
                    run[n] = join(run[n], load::<S>(x.add(m * inner + n * S::LANES), lanes));
                }
            }
            for n in 0..N {
                middle[n] = join(middle[n], run[n]);
            }
        }
        for n in 0..N {
            total[n] = join(total[n], middle[n]);
        }
    }
    for n in 0..N {
        store::<S>(out.add(n * S::LANES), total[n], lanes);
    }
}
