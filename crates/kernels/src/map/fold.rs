//! Reductions along rows, with 16 lanes and a fixed tree, and down columns, row after row.

use super::LANES;
use super::block::one_vector_at_a_time;

type Lanes = [f32; LANES];

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

/// The sum of a slice, in 16 lanes and a fixed tree.
pub fn sum(values: &[f32]) -> f32 {
    fold_lanes(values, 0.0, |a, b| a + b)
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
