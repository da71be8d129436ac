//! One tile of C in registers: the inner loop of the matrix product, and the ways in and out of it.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; the contract is `TileFn`'s

use crate::simd::{Block, BlockMut, Simd};
use std::mem::MaybeUninit;

/// A run of the inner dimension that a tile adds up.
#[derive(Clone, Copy)]
pub(super) struct Segment {
    /// A of the product's row 0 at the first k.
    pub a: *const f32,
    /// From row 0 to row i of the tile that starts there: `i * a_row`.
    pub a_row: usize,
    /// Within a tile: from row to row (A in rows) or from k to k (A in columns).
    pub a_step: usize,
    /// B of the panel's first column at the first k; further k are `b_step` apart.
    pub b: *const f32,
    pub b_step: usize,
    pub k: usize,
}

impl Segment {
    pub const EMPTY: Segment =
        Segment { a: std::ptr::null(), a_row: 0, a_step: 0, b: std::ptr::null(), b_step: 0, k: 0 };
}

/// What happens to a finished sum; null pointers stand for absent operands.
#[derive(Clone, Copy)]
pub(super) struct Finish {
    /// Of the tile's first column (first row, if swapped).
    pub bias: *const f32,
    pub relu: bool,
    /// Laid out like C.
    pub gate: *const f32,
}

/// One tile's work.
pub(super) struct Tile {
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

/// Computes a tile.
///
/// # Safety
/// The machine has the instruction set; the segments' operands are readable over the tile's rows, the
/// panel's whole vectors and their k; C (and gate) over the tile's rows and existing lanes.
pub(super) type TileFn = unsafe fn(&Tile);

/// A set of tiles compiled for one instruction set.
pub(super) trait Tiles: Simd {
    /// The most vectors per tile row.
    const MAX_VECTORS: usize;
    /// The most rows of a tile that is so many vectors wide.
    fn max_rows(vectors: usize) -> usize;
    /// The tile of this size; `a_in_rows`: consecutive k of A are neighbours, else consecutive rows are.
    fn tile(a_in_rows: bool, rows: usize, vectors: usize) -> TileFn;
}

/// Implements [`Tiles`] from a list of tile widths and their heights, largest first.
macro_rules! tiles {
    ($isa:ty, [$($feature:literal)?], $max:literal, $($vectors:literal => [$largest:literal $($rows:literal)*],)+) => {
        impl Tiles for $isa {
            const MAX_VECTORS: usize = $max;

            fn max_rows(vectors: usize) -> usize {
                match vectors {
                    $($vectors => $largest,)+
                    _ => unreachable!("no tile is {vectors} vectors wide"),
                }
            }

            fn tile(a_in_rows: bool, rows: usize, vectors: usize) -> TileFn {
                $(#[target_feature(enable = $feature)])?
                unsafe fn compiled<const MR: usize, const NV: usize, const IN_ROWS: bool>(t: &Tile) {
                    tile::<$isa, MR, NV, IN_ROWS>(t)
                }
                match (vectors, rows, a_in_rows) {
                    $(
                        ($vectors, $largest, true) => compiled::<$largest, $vectors, true>,
                        ($vectors, $largest, false) => compiled::<$largest, $vectors, false>,
                        $(
                            ($vectors, $rows, true) => compiled::<$rows, $vectors, true>,
                            ($vectors, $rows, false) => compiled::<$rows, $vectors, false>,
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
    1 => [12 11 10 9 8 7 6 5 4 3 2 1],
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
tiles!(crate::simd::portable::Portable, [], 1,
    1 => [4 3 2 1],
);

/// The sums of a tile, row by row.
type Sums<S, const MR: usize, const NV: usize> = [[<S as Simd>::V; NV]; MR];

/// [`TileFn`] for `MR` rows of `NV` vectors.
#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NV: usize, const IN_ROWS: bool>(t: &Tile) {
    let mut sums: Sums<S, MR, NV> = [[S::splat(0.0); NV]; MR];
    if t.resume {
        if t.swapped { load_swapped::<S, MR, NV>(t, &mut sums) } else { load::<S, MR, NV>(t, &mut sums) }
    }
    for s in 0..t.n_segments {
        let segment = &*t.segments.add(s);
        let a = segment.a.add(t.row * segment.a_row);
        if IN_ROWS {
            sum_in_rows::<S, MR, NV>(&mut sums, segment, a)
        } else {
            sum_in_columns::<S, MR, NV>(&mut sums, segment, a)
        }
    }
    if t.swapped { store_swapped::<S, MR, NV>(t, &mut sums) } else { store::<S, MR, NV>(t, &mut sums) }
}

/// Adds one k: `sums[r] += a(r) * b`.
#[inline(always)]
unsafe fn step<S: Simd, const MR: usize, const NV: usize>(
    sums: &mut Sums<S, MR, NV>,
    a: *const f32,
    a_stride: usize,
    b: *const f32,
) {
    let mut bs = [S::splat(0.0); NV];
    for (v, x) in bs.iter_mut().enumerate() {
        *x = S::load(b.add(v * S::LANES));
    }
    for (r, row) in sums.iter_mut().enumerate() {
        let x = S::splat(*a.add(r * a_stride));
        for (sum, b) in row.iter_mut().zip(bs) {
            *sum = S::fma(x, b, *sum);
        }
    }
}

/// Adds a segment whose A has consecutive k side by side.
#[inline(always)]
unsafe fn sum_in_rows<S: Simd, const MR: usize, const NV: usize>(
    sums: &mut Sums<S, MR, NV>,
    s: &Segment,
    a: *const f32,
) {
    let (mut a, mut b) = (a, s.b);
    for _ in 0..s.k / 4 {
        for k in 0..4 {
            step::<S, MR, NV>(sums, a.add(k), s.a_step, b);
            b = b.add(s.b_step);
        }
        a = a.add(4);
    }
    for k in 0..s.k % 4 {
        step::<S, MR, NV>(sums, a.add(k), s.a_step, b);
        b = b.add(s.b_step);
    }
}

/// Adds a segment whose A has consecutive rows side by side.
#[inline(always)]
unsafe fn sum_in_columns<S: Simd, const MR: usize, const NV: usize>(
    sums: &mut Sums<S, MR, NV>,
    s: &Segment,
    a: *const f32,
) {
    let (mut a, mut b) = (a, s.b);
    for _ in 0..s.k {
        step::<S, MR, NV>(sums, a, 1, b);
        a = a.add(s.a_step);
        b = b.add(s.b_step);
    }
}

#[inline(always)]
unsafe fn load<S: Simd, const MR: usize, const NV: usize>(t: &Tile, sums: &mut Sums<S, MR, NV>) {
    let last = S::mask(t.last_lanes);
    for (r, row) in sums.iter_mut().enumerate() {
        let c = t.c.add(r * t.ldc).cast_const();
        for (v, sum) in row.iter_mut().enumerate() {
            *sum = load_lanes::<S, NV>(c, v, last);
        }
    }
}

#[inline(always)]
unsafe fn store<S: Simd, const MR: usize, const NV: usize>(t: &Tile, sums: &mut Sums<S, MR, NV>) {
    let last = S::mask(t.last_lanes);
    if let Some(finish) = t.finish {
        if !finish.bias.is_null() {
            for v in 0..NV {
                let bias = load_lanes::<S, NV>(finish.bias, v, last);
                for row in sums.iter_mut() {
                    row[v] = S::add(row[v], bias);
                }
            }
        }
        relu_if::<S, MR, NV>(finish.relu, sums);
        if !finish.gate.is_null() {
            for (r, row) in sums.iter_mut().enumerate() {
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = S::gate(*sum, load_lanes::<S, NV>(finish.gate.add(r * t.ldc), v, last));
                }
            }
        }
    }
    for (r, row) in sums.iter().enumerate() {
        let c = t.c.add(r * t.ldc);
        for (v, sum) in row.iter().enumerate() {
            if v + 1 < NV {
                S::store(c.add(v * S::LANES), *sum);
            } else {
                S::store_masked(c.add(v * S::LANES), *sum, last);
            }
        }
    }
}

/// Vector `v` of `NV`; the last one may be partial.
#[inline(always)]
unsafe fn load_lanes<S: Simd, const NV: usize>(p: *const f32, v: usize, last: S::Mask) -> S::V {
    if v + 1 < NV { S::load(p.add(v * S::LANES)) } else { S::load_masked(p.add(v * S::LANES), last) }
}

#[inline(always)]
unsafe fn relu_if<S: Simd, const MR: usize, const NV: usize>(wanted: bool, sums: &mut Sums<S, MR, NV>) {
    if wanted {
        for sum in sums.iter_mut().flatten() {
            *sum = S::relu(*sum);
        }
    }
}

/// Room for a tile of any instruction set; read only where written.
type Buffer = MaybeUninit<[f32; 1024]>;

/// Existing lanes of vector `v` of `NV`.
#[inline(always)]
fn lanes_of<S: Simd, const NV: usize>(t: &Tile, v: usize) -> usize {
    if v + 1 < NV { S::LANES } else { t.last_lanes }
}

#[inline(always)]
unsafe fn load_swapped<S: Simd, const MR: usize, const NV: usize>(t: &Tile, sums: &mut Sums<S, MR, NV>) {
    let mut buffer = Buffer::uninit();
    let (line, all) = (buffer.as_mut_ptr().cast::<f32>(), S::mask(S::LANES));
    for v in 0..NV {
        let c = Block { ptr: t.c.add(v * S::LANES * t.ldc), stride: t.ldc };
        let to = BlockMut { ptr: line.add(v * S::LANES), stride: NV * S::LANES };
        S::transpose(c, lanes_of::<S, NV>(t, v), MR, to, all);
    }
    for (i, sum) in sums.iter_mut().flatten().enumerate() {
        *sum = S::load(line.add(i * S::LANES));
    }
}

#[inline(always)]
unsafe fn store_swapped<S: Simd, const MR: usize, const NV: usize>(t: &Tile, sums: &mut Sums<S, MR, NV>) {
    if let Some(finish) = t.finish {
        if !finish.bias.is_null() {
            for (r, row) in sums.iter_mut().enumerate() {
                for sum in row {
                    *sum = S::add(*sum, S::splat(*finish.bias.add(r)));
                }
            }
        }
        relu_if::<S, MR, NV>(finish.relu, sums);
    }
    let mut buffer = Buffer::uninit();
    let line = buffer.as_mut_ptr().cast::<f32>();
    for (i, sum) in sums.iter().flatten().enumerate() {
        S::store(line.add(i * S::LANES), *sum);
    }
    for v in 0..NV {
        let mut r = 0;
        while r < MR {
            let rows = S::LANES.min(MR - r);
            let from = Block { ptr: line.add((r * NV + v) * S::LANES).cast_const(), stride: NV * S::LANES };
            let to = BlockMut { ptr: t.c.add(v * S::LANES * t.ldc + r), stride: t.ldc };
            S::transpose(from, rows, lanes_of::<S, NV>(t, v), to, S::mask(rows));
            r += rows;
        }
    }
}
