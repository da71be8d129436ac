//! Reductions along rows, with 16 lanes and a fixed tree, and down columns, row after row.
//!
//! Long sums are made in runs, so that a term meets sums of about its own size: the error grows with the length of a
//! run, and not with that of the sum. Where runs end follows from the place in the sum alone.

use super::LANES;
use super::block::one_vector_at_a_time;

type Lanes = [f32; LANES];

/// Terms of a run.
pub const RUN: usize = 32;

/// # Safety
/// `a` has a vector to read.
#[inline(always)]
unsafe fn vector(a: *const f32) -> Lanes {
    // SAFETY: promised by the caller.
    unsafe { std::ptr::read_unaligned(a.cast()) }
}

/// Folds with 16 lanes and then a fixed tree, so that the result does not depend on the vector width.
#[inline(always)]
pub(super) fn fold_lanes(values: &[f32], neutral: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [neutral; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for l in 0..LANES {
            lanes[l] = join(lanes[l], chunk[l]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = join(*lane, *x);
    }
    tree(lanes, join)
}

#[inline(always)]
fn tree(mut lanes: Lanes, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = join(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum of a slice, in 16 lanes and a fixed tree; lanes in runs, and runs of runs, of [`RUN`] terms.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    let mut total = [0.0; LANES];
    for long in values.chunks(RUN * RUN * LANES) {
        let mut middle = [0.0; LANES];
        for run in long.chunks(RUN * LANES) {
            let mut lanes = [0.0; LANES];
            let vectors = run.chunks_exact(LANES);
            let rest = vectors.remainder();
            for vector in vectors {
                for l in 0..LANES {
                    lanes[l] += vector[l];
                }
            }
            lanes.iter_mut().zip(rest).for_each(|(lane, x)| *lane += x);
            middle.iter_mut().zip(&lanes).for_each(|(m, x)| *m += x);
        }
        total.iter_mut().zip(&middle).for_each(|(t, x)| *t += x);
    }
    tree(total, |a, b| a + b)
}

/// `high + low += x` without an error to speak of: what rounding takes from `high` goes to `low` (Knuth's two-sum).
/// Where `high` is not finite, `low` is no number.
#[inline(always)]
pub fn add_exactly(high: &mut [f32], low: &mut [f32], x: &[f32]) {
    for ((high, low), x) in high.iter_mut().zip(low).zip(x) {
        let sum = *high + *x;
        let added = sum - *high;
        *low += (*high - (sum - added)) + (*x - added);
        *high = sum;
    }
}

/// Folds each of `rows` rows of `cols` values as [`fold_lanes`] does.
///
/// # Safety
/// `a` has `rows · cols` floats and one vector more to read, `out` room for `rows`.
#[inline(always)]
pub(super) unsafe fn fold_rows(
    a: *const f32,
    [rows, cols]: [usize; 2],
    out: *mut f32,
    neutral: f32,
    join: impl Fn(f32, f32) -> f32 + Copy,
) {
    let (whole, rest) = (cols / LANES, cols % LANES);
    let mut valid = [0u32; LANES];
    valid[..rest].fill(u32::MAX);
    for first in (0..rows).step_by(LANES) {
        let n = LANES.min(rows - first);
        let mut lanes = [[neutral; LANES]; LANES];
        for (r, lanes) in lanes[..n].iter_mut().enumerate() {
            one_vector_at_a_time();
            // SAFETY: the last vector begins in the row and ends at most one vector behind the last row.
            unsafe {
                let row = a.add((first + r) * cols);
                let mut sums = [neutral; LANES];
                for i in 0..whole {
                    let x = vector(row.add(i * LANES));
                    for l in 0..LANES {
                        sums[l] = join(sums[l], x[l]);
                    }
                }
                if rest > 0 {
                    let x = vector(row.add(whole * LANES));
                    for l in 0..LANES {
                        let bits = x[l].to_bits() & valid[l] | neutral.to_bits() & !valid[l];
                        sums[l] = join(sums[l], f32::from_bits(bits));
                    }
                }
                *lanes = sums;
            }
        }
        // SAFETY: `out` has room for all rows.
        unsafe { trees(&lanes[..n], std::slice::from_raw_parts_mut(out.add(first), n), join) };
    }
}

/// The trees of several rows, level by level, so that each level is vector code.
#[inline(always)]
fn trees(lanes: &[Lanes], out: &mut [f32], join: impl Fn(f32, f32) -> f32 + Copy) {
    let mut fours = [[0.0; 4]; LANES];
    for (lanes, four) in lanes.iter().zip(&mut fours) {
        one_vector_at_a_time();
        let mut eight = [0.0; 8];
        for l in 0..8 {
            eight[l] = join(lanes[l], lanes[l + 8]);
        }
        let mut joined = [0.0; 4];
        for l in 0..4 {
            joined[l] = join(eight[l], eight[l + 4]);
        }
        *four = joined;
    }
    for (out, [a, b, c, d]) in out.iter_mut().zip(&fours) {
        *out = join(join(*a, *c), join(*b, *d));
    }
}

/// Folds `rows` rows of `target.len()` values into `target`, row after row.
///
/// # Safety
/// `a` has `rows · target.len()` floats and one vector more to read.
#[inline(always)]
pub(super) unsafe fn fold_columns(
    a: *const f32,
    rows: usize,
    target: &mut [f32],
    join: impl Fn(f32, f32) -> f32 + Copy,
) {
    let (cols, mut col) = (target.len(), 0);
    // SAFETY: the vectors of a row begin in it and end at most one vector behind the last row.
    unsafe {
        while col + 3 * LANES < cols {
            fold_vectors::<4>(a.add(col), [rows, cols], &mut target[col..], join);
            col += 4 * LANES;
        }
        while col + LANES < cols {
            fold_vectors::<2>(a.add(col), [rows, cols], &mut target[col..], join);
            col += 2 * LANES;
        }
        if col < cols {
            fold_vectors::<1>(a.add(col), [rows, cols], &mut target[col..], join);
        }
    }
}

/// Folds `N` vectors of columns at once, whose additions do not wait for one another.
///
/// # Safety
/// `a` has `N` vectors to read in every row, rows being `cols` floats apart.
#[inline(always)]
unsafe fn fold_vectors<const N: usize>(
    a: *const f32,
    [rows, cols]: [usize; 2],
    target: &mut [f32],
    join: impl Fn(f32, f32) -> f32 + Copy,
) {
    let mut sums = [[0.0; LANES]; N];
    let n = target.len().min(N * LANES);
    sums.as_flattened_mut()[..n].copy_from_slice(&target[..n]);
    for r in 0..rows {
        for (i, lanes) in sums.iter_mut().enumerate() {
            // SAFETY: promised by the caller.
            let x = unsafe { vector(a.add(r * cols + i * LANES)) };
            for l in 0..LANES {
                lanes[l] = join(lanes[l], x[l]);
            }
        }
    }
    target[..n].copy_from_slice(&sums.as_flattened()[..n]);
}
