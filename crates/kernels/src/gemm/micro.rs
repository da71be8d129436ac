//! One tile of C in registers: the inner loop of the matrix product, and the ways in and out of it.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; the contract is `TileFn`'s
#![allow(clippy::needless_range_loop)] // counters keep the sums in registers, iterators do not

use crate::simd::{Block, BlockMut, Simd};
use std::mem::MaybeUninit;

/// A run of the inner dimension that a tile adds up.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    /// A of the product's row 0 at the first k.
    pub a: *const f32,
    /// A's row stride.
    pub a_row: usize,
    /// A's stride from k to k.
    pub a_k: usize,
    /// B of the panel's first column at the first k.
    pub b: *const f32,
    /// B's stride from k to k.
    pub b_k: usize,
    pub k: usize,
}

impl Segment {
    pub const EMPTY: Segment =
        Segment { a: std::ptr::null(), a_row: 0, a_k: 0, b: std::ptr::null(), b_k: 0, k: 0 };
}

/// What happens to a finished sum; null pointers stand for absent operands.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    /// Of the tile's first column (first row, if swapped).
    pub bias: *const f32,
    pub relu: bool,
    /// Laid out like C.
    pub gate: *const f32,
}

/// One tile's work.
pub(crate) struct Tile {
    pub segments: *const Segment,
    pub n_segments: usize,
    /// The tile's first row in the product.
    pub row: usize,
    /// Element (0, 0) of the tile.
    pub c: *mut f32,
    pub ldc: usize,
    /// C holds the transpose of the tile.
    pub swapped: bool,
    /// Lanes of the last vector that exist.
    pub last_lanes: usize,
    /// Start from C rather than from zero.
    pub resume: bool,
    pub finish: Option<Finish>,
}

/// How a tile reads A.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Reading {
    /// One element for a row and k.
    Strided,
    /// The same, where A's row stride is 1.
    Adjacent,
    /// As many elements as the tile is wide: lane by lane, every column has an A of its own.
    Lanes,
}

const STRIDED: u8 = 0;
const ADJACENT: u8 = 1;
const LANES: u8 = 2;

/// Computes a tile.
///
/// # Safety
/// The machine has the instruction set; the segments' operands are readable over the tile's rows, the
/// panel's whole vectors and their k; C (and gate) over the tile's rows and existing lanes.
pub(crate) type TileFn = unsafe fn(&Tile);

/// A set of tiles compiled for one instruction set.
pub(crate) trait Tiles: Simd {
    /// The most vectors per tile row, for a product of this many rows.
    fn max_vectors(rows: usize) -> usize;
    /// The most rows of a tile that is this many vectors wide.
    fn max_rows(vectors: usize) -> usize;
    /// The tile of this size.
    fn tile(reading: Reading, rows: usize, vectors: usize) -> TileFn;
}

/// Implements [`Tiles`] from a list of tile widths and their heights, largest first.
macro_rules! tiles {
    ($isa:ty, [$($feature:literal)?], $max:literal, $($vectors:literal => [$largest:literal $($rows:literal)*],)+) => {
        impl Tiles for $isa {
            fn max_vectors(rows: usize) -> usize {
                let fits = |vectors: usize| rows <= Self::max_rows(vectors);
                // A lower, narrower tile reads A and B once if all rows fit it, but not the widest one.
                if !fits($max) && $max > 2 && fits(2) { 2 } else { $max }
            }

            fn max_rows(vectors: usize) -> usize {
                match vectors {
                    $($vectors => $largest,)+
                    _ => unreachable!("no tile is {vectors} vectors wide"),
                }
            }

            fn tile(reading: Reading, rows: usize, vectors: usize) -> TileFn {
                $(#[target_feature(enable = $feature)])?
                unsafe fn compiled<const MR: usize, const NV: usize, const READING: u8>(t: &Tile) {
                    tile::<$isa, MR, NV, READING>(t)
                }
                match (vectors, rows, reading) {
                    $(
                        ($vectors, $largest, Reading::Strided) => compiled::<$largest, $vectors, STRIDED>,
                        ($vectors, $largest, Reading::Adjacent) => compiled::<$largest, $vectors, ADJACENT>,
                        ($vectors, $largest, Reading::Lanes) => compiled::<$largest, $vectors, LANES>,
                        $(
                            ($vectors, $rows, Reading::Strided) => compiled::<$rows, $vectors, STRIDED>,
                            ($vectors, $rows, Reading::Adjacent) => compiled::<$rows, $vectors, ADJACENT>,
                            ($vectors, $rows, Reading::Lanes) => compiled::<$rows, $vectors, LANES>,
                        )*
                    )+
                    _ => unreachable!("no tile has {rows} rows of {vectors} vectors"),
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles!(crate::simd::avx512::Avx512, ["avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"], 3,
    1 => [16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1],
    2 => [12 11 10 9 8 7 6 5 4 3 2 1],
    3 => [8 7 6 5 4 3 2 1],
);
#[cfg(target_arch = "x86_64")]
tiles!(crate::simd::avx2::Avx2, ["avx2,fma"], 2,
    1 => [8 7 6 5 4 3 2 1],
    2 => [6 5 4 3 2 1],
);
#[cfg(target_arch = "aarch64")]
tiles!(crate::simd::neon::Neon, ["neon"], 3,
    1 => [8 7 6 5 4 3 2 1],
    2 => [8 7 6 5 4 3 2 1],
    3 => [8 7 6 5 4 3 2 1],
);
tiles!(crate::simd::portable::Portable, [], 2,
    1 => [4 3 2 1],
    2 => [4 3 2 1],
);

/// The sums of a tile, row by row. Passed by value and indexed by plain counters, so that they stay in registers.
type Sums<S, const MR: usize, const NV: usize> = [[<S as Simd>::V; NV]; MR];

/// [`TileFn`] for `MR` rows of `NV` vectors.
#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize, const READING: u8>(t: &Tile) {
    let mut sums: Sums<S, MR, NV> = [[S::splat(0.0); NV]; MR];
    // only matrix products swap, and they never read lane by lane: a third of the tiles needs no transpose compiled
    debug_assert!(READING != LANES || !t.swapped);
    let swapped = READING != LANES && t.swapped;
    if t.resume {
        sums = if swapped { load_swapped::<S, MR, NV>(t) } else { load::<S, MR, NV>(t) };
    }
    for s in 0..t.n_segments {
        sums = add_segment::<S, MR, NV, READING>(sums, &*t.segments.add(s), t.row);
    }
    if swapped { store_swapped::<S, MR, NV>(t, sums) } else { store::<S, MR, NV>(t, sums) }
}

/// Adds a segment: for each k, `sums[r] += a(r) * b`.
///
/// Row r of A is found from every fourth row's pointer, at 0 to 3 strides from it, which x86 addresses
/// without computing; so any strides are as fast as packed rows. Short nested loops are unrolled where one
/// long loop is not.
#[inline(always)]
unsafe fn add_segment<S: Simd, const MR: usize, const NV: usize, const READING: u8>(
    mut sums: Sums<S, MR, NV>,
    s: &Segment,
    row: usize,
) -> Sums<S, MR, NV> {
    let a_row = if READING == ADJACENT { 1 } else { s.a_row };
    let mut fourths = [s.a.add(row * a_row); 4];
    for i in 1..MR.div_ceil(4) {
        fourths[i] = fourths[i - 1].add(4 * a_row);
    }
    let mut b = s.b;
    for _ in 0..s.k {
        let mut bs = [S::splat(0.0); NV];
        for v in 0..NV {
            bs[v] = S::load(b.add(v * S::LANES));
        }
        for i in 0..MR.div_ceil(4) {
            for j in 0..4 {
                let r = 4 * i + j;
                if r < MR {
                    let a = if READING == ADJACENT { fourths[0].add(r) } else { fourths[i].add(j * a_row) };
                    if READING == LANES {
                        for v in 0..NV {
                            sums[r][v] = S::fma(S::load(a.add(v * S::LANES)), bs[v], sums[r][v]);
                        }
                    } else {
                        let a = S::splat(*a);
                        for v in 0..NV {
                            sums[r][v] = S::fma(a, bs[v], sums[r][v]);
                        }
                    }
                }
            }
        }
        for i in 0..MR.div_ceil(4) {
            fourths[i] = fourths[i].wrapping_add(s.a_k);
        }
        b = b.wrapping_add(s.b_k);
    }
    sums
}

#[inline(always)]
unsafe fn load<S: Simd, const MR: usize, const NV: usize>(t: &Tile) -> Sums<S, MR, NV> {
    let last = S::mask(t.last_lanes);
    let mut sums = [[S::splat(0.0); NV]; MR];
    for r in 0..MR {
        for v in 0..NV {
            sums[r][v] = load_lanes::<S, NV>(t.c.add(r * t.ldc), v, last);
        }
    }
    sums
}

#[inline(always)]
unsafe fn store<S: Simd, const MR: usize, const NV: usize>(t: &Tile, mut sums: Sums<S, MR, NV>) {
    let last = S::mask(t.last_lanes);
    if let Some(finish) = t.finish {
        if !finish.bias.is_null() {
            for v in 0..NV {
                let bias = load_lanes::<S, NV>(finish.bias, v, last);
                for r in 0..MR {
                    sums[r][v] = S::add(sums[r][v], bias);
                }
            }
        }
        if finish.relu {
            sums = relu::<S, MR, NV>(sums);
        }
        if !finish.gate.is_null() {
            for r in 0..MR {
                for v in 0..NV {
                    let gate = load_lanes::<S, NV>(finish.gate.add(r * t.ldc), v, last);
                    sums[r][v] = S::gate(sums[r][v], gate);
                }
            }
        }
    }
    for r in 0..MR {
        let c = t.c.add(r * t.ldc);
        for v in 0..NV - 1 {
            S::store(c.add(v * S::LANES), sums[r][v]);
        }
        S::store_masked(c.add((NV - 1) * S::LANES), sums[r][NV - 1], last);
    }
}

/// Vector `v` of `NV`; the last one may be partial.
#[inline(always)]
unsafe fn load_lanes<S: Simd, const NV: usize>(p: *const f32, v: usize, last: S::Mask) -> S::V {
    if v + 1 < NV { S::load(p.add(v * S::LANES)) } else { S::load_masked(p.add(v * S::LANES), last) }
}

#[inline(always)]
unsafe fn relu<S: Simd, const MR: usize, const NV: usize>(mut sums: Sums<S, MR, NV>) -> Sums<S, MR, NV> {
    for r in 0..MR {
        for v in 0..NV {
            sums[r][v] = S::relu(sums[r][v]);
        }
    }
    sums
}

/// Room for a tile of any instruction set; read only where written.
type Buffer = MaybeUninit<[f32; 1024]>;

/// Existing lanes of vector `v` of `NV`.
#[inline(always)]
fn lanes_of<S: Simd, const NV: usize>(t: &Tile, v: usize) -> usize {
    if v + 1 < NV { S::LANES } else { t.last_lanes }
}

#[inline(always)]
unsafe fn load_swapped<S: Simd, const MR: usize, const NV: usize>(t: &Tile) -> Sums<S, MR, NV> {
    let mut buffer = Buffer::uninit();
    let (line, all) = (buffer.as_mut_ptr().cast::<f32>(), S::mask(S::LANES));
    for v in 0..NV {
        let c = Block { ptr: t.c.add(v * S::LANES * t.ldc), stride: t.ldc };
        let to = BlockMut { ptr: line.add(v * S::LANES), stride: NV * S::LANES };
        S::transpose(c, lanes_of::<S, NV>(t, v), MR, to, all);
    }
    let mut sums = [[S::splat(0.0); NV]; MR];
    for r in 0..MR {
        for v in 0..NV {
            sums[r][v] = S::load(line.add((r * NV + v) * S::LANES));
        }
    }
    sums
}

#[inline(always)]
unsafe fn store_swapped<S: Simd, const MR: usize, const NV: usize>(t: &Tile, mut sums: Sums<S, MR, NV>) {
    if let Some(finish) = t.finish {
        if !finish.bias.is_null() {
            for r in 0..MR {
                let bias = S::splat(*finish.bias.add(r));
                for v in 0..NV {
                    sums[r][v] = S::add(sums[r][v], bias);
                }
            }
        }
        if finish.relu {
            sums = relu::<S, MR, NV>(sums);
        }
    }
    for v in 0..NV {
        let mut column = [S::splat(0.0); MR];
        for r in 0..MR {
            column[r] = sums[r][v];
        }
        let to = BlockMut { ptr: t.c.add(v * S::LANES * t.ldc), stride: t.ldc };
        S::store_columns(column, lanes_of::<S, NV>(t, v), to);
    }
}
