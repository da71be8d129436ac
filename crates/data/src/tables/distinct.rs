//! Different numbers of a column, in as many passes as memory asks for.

use std::collections::HashSet;

use super::cells::{Cell, Column, unpack};

/// Bytes that one number takes in a set.
const SIZE: usize = 32;

/// Passes over a column, each over the numbers of one part.
fn parts(column: &Column) -> usize {
    (column.n_numbers.saturating_mul(SIZE)).div_ceil(column.room().max(SIZE)).max(1)
}

/// The bits of the numbers of a part.
fn of_part(column: &Column, part: usize, n_parts: usize) -> impl Iterator<Item = u64> + '_ {
    let numbers = column.packed().filter_map(|stored| match unpack(stored) {
        Cell::Number(x) => Some(x.to_bits()),
        Cell::Text(_) => None,
    });
    numbers.filter(move |bits| n_parts == 1 || mixed(*bits) % n_parts as u64 == part as u64)
}

/// Bits of a number in disorder (the end of `SplitMix64`; Steele, Lea and Flood 2014), so that parts are alike.
fn mixed(bits: u64) -> u64 {
    let x = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// How many different numbers there are.
pub(super) fn count(column: &Column) -> usize {
    let n_parts = if column.n_numbers == 0 { 0 } else { parts(column) };
    (0..n_parts).map(|part| of_part(column, part, n_parts).collect::<HashSet<u64>>().len()).sum()
}

/// Whether all numbers are whole, and no two are the same.
pub(super) fn are_unlike(column: &Column) -> bool {
    let mut last = f64::NEG_INFINITY;
    if column.packed().all(|x| x.fract() == 0.0 && std::mem::replace(&mut last, x) < x) {
        return true;
    }
    let n_parts = parts(column);
    (0..n_parts).all(|part| {
        let mut seen = HashSet::new();
        of_part(column, part, n_parts).all(|bits| f64::from_bits(bits).fract() == 0.0 && seen.insert(bits))
    })
}
