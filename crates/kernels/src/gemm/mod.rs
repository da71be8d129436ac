//! Single-threaded matrix products for the shapes of training, with bits that depend on nothing but the operands.
//!
//! Each element of C is one chain of fused multiply-adds over k in increasing order, over the parts in
//! order, starting from zero (or from C when accumulating): whatever the tile sizes, the blocking, the
//! orientation and the other rows of the call. So a row computed alone equals the row computed among
//! others, and parts may be cut anywhere. AVX-512, AVX2 and Advanced SIMD agree bit for bit; the portable
//! version rounds each product and differs in last bits.

mod micro;
mod pack;

use crate::isa::{Isa, isa};
use micro::{Finish, Segment, Tile, Tiles};
use pack::View;

/// A matrix in memory: element (i, j) is `data[i * row_stride + j * col_stride]`.
///
/// The transpose is the same data with the strides exchanged.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    /// From element (0, 0) on.
    pub data: &'a [f32],
    /// Floats from one row to the next.
    pub row_stride: usize,
    /// Floats from one column to the next.
    pub col_stride: usize,
}

/// One term of the sum: `a: [m, k]` times `b: [k, n]`.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// `[m, k]`
    pub a: Mat<'a>,
    /// `[k, n]`
    pub b: Mat<'a>,
    /// The inner size.
    pub k: usize,
}

/// What is done to each finished element, in this order.
#[derive(Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// `[n]`, added to every row.
    pub bias: Option<&'a [f32]>,
    /// Negative values become zero; NaN stays NaN.
    pub relu: bool,
    /// `[m, n]`, laid out like C: the value is kept where the gate is positive, else zero.
    pub gate: Option<&'a [f32]>,
}

/// Inner length of a block: its B panel and A tile stay in the first two cache levels.
const BLOCK_K: usize = 512;
/// Rows of A packed at a time.
const BLOCK_ROWS: usize = 512;
/// The most segments in a block; more parts make more blocks.
const MAX_SEGMENTS: usize = 16;
/// Widest panel of any instruction set, in floats.
const MAX_WIDTH: usize = 48;

/// Floats of scratch that [`gemm`] needs for these sizes; `k` is the inner length of all parts together.
///
/// Grows with each argument, so the largest sizes serve all smaller ones.
pub fn scratch_len(m: usize, n: usize, k: usize) -> usize {
    k.min(BLOCK_K) * (MAX_WIDTH + m.max(n).min(BLOCK_ROWS))
}

/// `C = [C +] sum over parts of a * b`, then the epilogue. `c: [m, n]`, rows `ldc` floats apart.
///
/// C is only read when accumulating. Sizes of zero are legal: no parts, or parts with `k = 0`, sum to
/// zero. Allocates nothing. Cost: `2 m n k` operations.
///
/// # Panics
/// If an operand is shorter than its sizes and strides say, or `scratch` than [`scratch_len`] says.
#[allow(clippy::too_many_arguments)] // the signature of a matrix product
pub fn gemm(
    m: usize,
    n: usize,
    c: &mut [f32],
    ldc: usize,
    parts: &[Part],
    accumulate: bool,
    epilogue: Epilogue,
    scratch: &mut [f32],
) {
    if m == 0 || n == 0 {
        return;
    }
    check(m, n, c, ldc, parts, &epilogue, scratch);
    let swapped = epilogue.gate.is_none() && prefers_swapped(m, n, parts);
    let job = Job { m, n, c: c.as_mut_ptr(), ldc, parts, accumulate, epilogue, swapped };
    let scratch = scratch.as_mut_ptr();
    // SAFETY: `check` saw that operands, C and scratch hold what the sizes say, for either orientation;
    // `isa` names only what the machine was found to have.
    unsafe {
        match isa() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run_avx512(&job, scratch),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run_avx2(&job, scratch),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => run::<crate::simd::neon::Neon>(&job, scratch),
            _ => run::<crate::simd::portable::Portable>(&job, scratch),
        }
    }
}

/// Panics unless every index that the product touches exists.
fn check(m: usize, n: usize, c: &[f32], ldc: usize, parts: &[Part], epilogue: &Epilogue, scratch: &[f32]) {
    let c_len = (m - 1) * ldc + n;
    assert!(m == 1 || ldc >= n, "gemm: rows of C overlap: ldc is {ldc}, n is {n}");
    assert!(c.len() >= c_len, "gemm: C holds {} floats, [{m}, {n}] by {ldc} needs {c_len}", c.len());
    let mut k = 0;
    for (i, part) in parts.iter().enumerate().filter(|(_, part)| part.k > 0) {
        for (name, mat, rows, cols) in [("a", part.a, m, part.k), ("b", part.b, part.k, n)] {
            let need = (rows - 1) * mat.row_stride + (cols - 1) * mat.col_stride + 1;
            let have = mat.data.len();
            assert!(
                have >= need,
                "gemm: part {i}: {name} holds {have} floats, [{rows}, {cols}] needs {need}"
            );
        }
        k += part.k;
    }
    if let Some(bias) = epilogue.bias {
        assert!(bias.len() >= n, "gemm: bias holds {} floats, n is {n}", bias.len());
    }
    if let Some(gate) = epilogue.gate {
        assert!(gate.len() >= c_len, "gemm: gate holds {} floats, needs {c_len}", gate.len());
    }
    let need = scratch_len(m, n, k);
    assert!(scratch.len() >= need, "gemm: scratch holds {} floats, needs {need}", scratch.len());
}

/// Whether to compute the transpose of C, with B in A's place.
///
/// The operand in B's place is copied into panels and padded to whole vectors, so it should be the
/// smaller one. Costs are in cycles per k of a 16-lane machine with two FMA units.
fn prefers_swapped(m: usize, n: usize, parts: &[Part]) -> bool {
    let Some(part) = parts.first() else { return false };
    let cost = |vectors: usize, rows: usize, packed: usize, contiguous: bool| {
        let pack = if contiguous { packed / 16 } else { packed / 8 };
        vectors.div_ceil(16) * rows.max(4) * 8 + pack * 16
    };
    let straight = cost(n, m, n, part.b.col_stride == 1);
    let swapped = cost(m, n, m, part.a.row_stride == 1);
    swapped < straight
}

/// A checked product.
struct Job<'a> {
    m: usize,
    n: usize,
    c: *mut f32,
    ldc: usize,
    parts: &'a [Part<'a>],
    accumulate: bool,
    epilogue: Epilogue<'a>,
    /// Tiles hold the transpose of C.
    swapped: bool,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn run_avx512(job: &Job, scratch: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { run::<crate::simd::avx512::Avx512>(job, scratch) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2(job: &Job, scratch: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { run::<crate::simd::avx2::Avx2>(job, scratch) }
}

/// `total` cut into `count` nearly equal lengths, longer ones first.
#[derive(Clone, Copy)]
struct Cuts {
    total: usize,
    count: usize,
}

impl Cuts {
    /// As few as possible, none longer than `max`.
    fn new(total: usize, max: usize) -> Cuts {
        Cuts { total, count: total.div_ceil(max) }
    }

    /// (start, length) of each.
    #[inline(always)]
    fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        let (base, longer) = (self.total / self.count.max(1), self.total % self.count.max(1));
        (0..self.count).map(move |i| (i * base + i.min(longer), base + usize::from(i < longer)))
    }
}

/// A stretch of one part's inner dimension, operands in the order of the tiles.
#[derive(Clone, Copy)]
struct Stretch {
    a: View,
    b: View,
    k: usize,
}

/// Cuts the inner dimension of all parts into blocks.
struct Blocks<'a> {
    job: &'a Job<'a>,
    part: usize,
    done: usize,
    block_k: usize,
}

impl<'a> Blocks<'a> {
    fn new(job: &'a Job<'a>) -> Blocks<'a> {
        let total: usize = job.parts.iter().map(|part| part.k).sum();
        let block_k = total.div_ceil(total.div_ceil(BLOCK_K).max(1));
        Blocks { job, part: 0, done: 0, block_k }
    }

    fn is_done(&self) -> bool {
        self.job.parts[self.part..].iter().all(|part| part.k == 0)
    }

    /// Fills `block` with the next stretches; returns how many.
    unsafe fn next(&mut self, block: &mut [Stretch; MAX_SEGMENTS]) -> usize {
        let (mut n, mut room) = (0, self.block_k);
        while n < MAX_SEGMENTS && room > 0 && self.part < self.job.parts.len() {
            let part = &self.job.parts[self.part];
            let k = room.min(part.k - self.done);
            if k > 0 {
                // SAFETY: the stretch lies within the part, whose bounds were checked.
                block[n] = unsafe { stretch(part, self.done, k, self.job.swapped) };
                n += 1;
            }
            (room, self.done) = (room - k, self.done + k);
            if self.done == part.k {
                (self.part, self.done) = (self.part + 1, 0);
            }
        }
        n
    }
}

unsafe fn stretch(part: &Part, from: usize, k: usize, swapped: bool) -> Stretch {
    let view = |m: &Mat| View { ptr: m.data.as_ptr(), rs: m.row_stride, cs: m.col_stride };
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (view(&part.a).at(0, from), view(&part.b).at(from, 0)) };
    if swapped { Stretch { a: b.transposed(), b: a.transposed(), k } } else { Stretch { a, b, k } }
}

/// The whole product with one instruction set: blocks of k, chunks of rows, panels of columns, tiles.
///
/// # Safety
/// The machine has `S`; `job` was checked; scratch has `scratch_len` floats.
#[inline(always)]
unsafe fn run<S: Tiles>(job: &Job, scratch: *mut f32) {
    let (rows, cols) = if job.swapped { (job.n, job.m) } else { (job.m, job.n) };
    let nothing = View { ptr: std::ptr::null(), rs: 0, cs: 0 };
    let mut block = [Stretch { a: nothing, b: nothing, k: 0 }; MAX_SEGMENTS];
    let mut blocks = Blocks::new(job);
    let mut first = true;
    while first || !blocks.is_done() {
        // SAFETY: `job` was checked.
        let n = unsafe { blocks.next(&mut block) };
        let in_rows = block[..n].iter().all(|s| s.a.cs == 1);
        let chunk_rows = if in_rows { rows } else { BLOCK_ROWS };
        for (start, len) in Cuts::new(rows, chunk_rows).iter() {
            let pass = Pass {
                job,
                block: &block[..n],
                in_rows,
                rows: (start, len),
                cols,
                resume: !first || job.accumulate,
                finish: blocks.is_done(),
            };
            // SAFETY: the caller's promise.
            unsafe { pass.run::<S>(scratch) }
        }
        first = false;
    }
}

/// One block of k over one chunk of rows.
struct Pass<'a> {
    job: &'a Job<'a>,
    block: &'a [Stretch],
    /// A is read in place.
    in_rows: bool,
    /// (start, length)
    rows: (usize, usize),
    cols: usize,
    resume: bool,
    finish: bool,
}

impl Pass<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, scratch: *mut f32) {
        let k: usize = self.block.iter().map(|s| s.k).sum();
        let mut packed_for = 0;
        for (vector, vectors) in Cuts::new(self.cols.div_ceil(S::LANES), S::MAX_VECTORS).iter() {
            let (col, wide) = (vector * S::LANES, vectors * S::LANES);
            let width = wide.min(self.cols - col);
            let tiles = Cuts::new(self.rows.1, S::max_rows(vectors));
            let mut segments = [Segment::EMPTY; MAX_SEGMENTS];
            // SAFETY: panel and rows lie within the checked operands; scratch has room for a panel of
            // at most `MAX_WIDTH` and for `BLOCK_ROWS` rows behind it.
            unsafe {
                let packed = scratch.add(k * MAX_WIDTH);
                if !self.in_rows && packed_for != tiles.count {
                    self.pack_rows(tiles, k, packed);
                    packed_for = tiles.count;
                }
                self.pack_panel::<S>(col, width, vectors, scratch, &mut segments);
                self.tiles::<S>(&mut segments, tiles, (col, width, vectors), (packed, k));
            }
        }
    }

    /// Packs the rows of this pass, tile after tile, all stretches of a tile together.
    #[inline(always)]
    unsafe fn pack_rows(&self, tiles: Cuts, k: usize, packed: *mut f32) {
        for (row, rows) in tiles.iter() {
            // SAFETY: the caller's promise.
            unsafe {
                let mut to = packed.add(row * k);
                for s in self.block {
                    pack::pack_rows(s.a.at(self.rows.0 + row, 0), rows, s.k, to);
                    to = to.add(rows * s.k);
                }
            }
        }
    }

    /// Packs a panel of B and describes it.
    #[inline(always)]
    unsafe fn pack_panel<S: Tiles>(
        &self,
        col: usize,
        width: usize,
        vectors: usize,
        panel: *mut f32,
        segments: &mut [Segment; MAX_SEGMENTS],
    ) {
        let wide = vectors * S::LANES;
        let mut b = panel;
        for (s, segment) in self.block.iter().zip(segments) {
            // SAFETY: the caller's promise.
            unsafe {
                pack::pack_panel::<S>(s.b.at(0, col), s.k, width, vectors, b);
                let a = s.a.at(self.rows.0, 0);
                *segment =
                    Segment { a: a.ptr, a_row: a.rs, a_step: a.rs, b: b.cast_const(), b_step: wide, k: s.k };
                b = b.add(wide * s.k);
            }
        }
    }

    /// Runs the tiles of one panel.
    #[inline(always)]
    unsafe fn tiles<S: Tiles>(
        &self,
        segments: &mut [Segment; MAX_SEGMENTS],
        tiles: Cuts,
        (col, width, vectors): (usize, usize, usize),
        (packed, k): (*mut f32, usize),
    ) {
        let job = self.job;
        let mut n_segments = self.block.len();
        if !self.in_rows && n_segments > 0 {
            // Both operands are packed, so the stretches form one.
            segments[0] = Segment { a: packed.cast_const(), a_row: k, k, ..segments[0] };
            n_segments = 1;
        }
        for (tile_row, rows) in tiles.iter() {
            let row = self.rows.0 + tile_row;
            if !self.in_rows {
                segments[0].a_step = rows;
            }
            let offset = if job.swapped { col * job.ldc + row } else { row * job.ldc + col };
            let at = |x: &[f32], i: usize| x.as_ptr().wrapping_add(i);
            let null = std::ptr::null();
            let finish = self.finish.then(|| Finish {
                bias: job.epilogue.bias.map_or(null, |x| at(x, if job.swapped { row } else { col })),
                relu: job.epilogue.relu,
                gate: job.epilogue.gate.map_or(null, |x| at(x, offset)),
            });
            let tile = Tile {
                segments: segments.as_ptr(),
                n_segments,
                row: tile_row,
                c: job.c.wrapping_add(offset),
                ldc: job.ldc,
                swapped: job.swapped,
                last_lanes: width - (vectors - 1) * S::LANES,
                resume: self.resume,
                finish,
            };
            // SAFETY: the caller's promise.
            unsafe { S::tile(self.in_rows, rows, vectors)(&tile) }
        }
    }
}
