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

/// Inner length of a block whose panels are packed: they stay well within the second cache level.
/// Longer is better than fitting the first level, since each further block loads and stores C again.
const BLOCK_K: usize = 1024;
/// Inner length of a block whose panels are read in place: their rows lie far apart, and at strides of
/// powers of two they share few places in the caches.
const BLOCK_K_IN_PLACE: usize = 512;
/// The most stretches in a block; more parts make more blocks.
const MAX_STRETCHES: usize = 8;
/// Each stretch may be cut once.
const MAX_SEGMENTS: usize = 2 * MAX_STRETCHES;
/// Floats in a cache line, to which panels are aligned.
const LINE: usize = 16;
/// Widest panel of any instruction set, in floats.
const MAX_WIDTH: usize = 48;

/// Floats of scratch that [`gemm`] needs for these sizes; `k` is the inner length of all parts together.
///
/// Grows with each argument, so the largest sizes serve all smaller ones.
pub fn scratch_len(m: usize, n: usize, k: usize) -> usize {
    if m == 0 || n == 0 { 0 } else { k.min(BLOCK_K) * MAX_WIDTH + LINE }
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
    let scratch = scratch.wrapping_add(scratch.align_offset(LINE * size_of::<f32>()).min(LINE));
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
/// The operand in B's place is padded to whole vectors, and copied if its columns are not side by side;
/// a transposed C costs a shuffle per element. Costs are in fused multiply-adds, as measured on Zen 5.
fn prefers_swapped(m: usize, n: usize, parts: &[Part]) -> bool {
    let Some(part) = parts.first() else { return false };
    let k: usize = parts.iter().map(|part| part.k).sum();
    let cost = |cols: usize, rows: usize, col_stride: usize, row_stride: usize| {
        let copy = match (col_stride, row_stride) {
            (1, _) => 0,
            (_, 1) => 6,
            _ => 40,
        };
        cols.next_multiple_of(LINE) * k * (rows.max(3) + copy)
    };
    let straight = cost(n, m, part.b.col_stride, part.b.row_stride);
    let swapped = cost(m, n, part.a.row_stride, part.a.col_stride);
    swapped + 2 * m * n < straight
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
        let in_place = |part: &Part| (if job.swapped { part.a.row_stride } else { part.b.col_stride }) == 1;
        let most = if job.parts.iter().any(in_place) { BLOCK_K_IN_PLACE } else { BLOCK_K };
        let block_k = total.div_ceil(total.div_ceil(most).max(1));
        Blocks { job, part: 0, done: 0, block_k }
    }

    fn is_done(&self) -> bool {
        self.job.parts[self.part..].iter().all(|part| part.k == 0)
    }

    /// Fills `block` with the next stretches; returns how many.
    unsafe fn next(&mut self, block: &mut [Stretch; MAX_STRETCHES]) -> usize {
        let (mut n, mut room) = (0, self.block_k);
        while n < MAX_STRETCHES && room > 0 && self.part < self.job.parts.len() {
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
    let view = |m: &Mat| View {
        ptr: m.data.as_ptr(),
        rs: m.row_stride,
        cs: m.col_stride,
        end: m.data.as_ptr_range().end,
    };
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (view(&part.a).at(0, from), view(&part.b).at(from, 0)) };
    if swapped { Stretch { a: b.transposed(), b: a.transposed(), k } } else { Stretch { a, b, k } }
}

/// The whole product with one instruction set: blocks of k, panels of columns, tiles of rows.
///
/// # Safety
/// The machine has `S`; `job` was checked; scratch has `scratch_len` floats from an aligned start.
#[inline(always)]
unsafe fn run<S: Tiles>(job: &Job, scratch: *mut f32) {
    let (rows, cols) = if job.swapped { (job.n, job.m) } else { (job.m, job.n) };
    let nothing = View { ptr: std::ptr::null(), rs: 0, cs: 0, end: std::ptr::null() };
    let mut block = [Stretch { a: nothing, b: nothing, k: 0 }; MAX_STRETCHES];
    let mut blocks = Blocks::new(job);
    let mut first = true;
    while first || !blocks.is_done() {
        // SAFETY: `job` was checked.
        let n = unsafe { blocks.next(&mut block) };
        let pass = Pass {
            job,
            block: &block[..n],
            rows,
            resume: !first || job.accumulate,
            finish: blocks.is_done(),
        };
        for (vector, vectors) in Cuts::new(cols.div_ceil(S::LANES), S::max_vectors(rows)).iter() {
            let col = vector * S::LANES;
            let panel = Panel { col, width: (cols - col).min(vectors * S::LANES), vectors };
            // SAFETY: the caller's promise.
            unsafe { pass.run::<S>(panel, scratch) }
        }
        first = false;
    }
}

/// Some columns of the product, `vectors` wide, of which `width` floats exist.
#[derive(Clone, Copy)]
struct Panel {
    col: usize,
    width: usize,
    vectors: usize,
}

/// One block of k.
struct Pass<'a> {
    job: &'a Job<'a>,
    block: &'a [Stretch],
    rows: usize,
    resume: bool,
    finish: bool,
}

impl Pass<'_> {
    /// Computes one panel.
    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, panel: Panel, scratch: *mut f32) {
        let tiles = Cuts::new(self.rows, S::max_rows(panel.vectors));
        let mut segments = [Segment::EMPTY; MAX_SEGMENTS];
        let rows_adjacent = self.block.iter().all(|s| s.a.rs == 1);
        // SAFETY: the caller's promise.
        unsafe {
            let n = self.operands::<S>(panel, scratch, &mut segments);
            for (row, rows) in tiles.iter() {
                let tile = self.tile::<S>(panel, row, &segments[..n]);
                S::tile(rows_adjacent, rows, panel.vectors)(&tile);
            }
        }
    }

    /// Describes the operands of a panel. B is read in place where its columns are side by side, which
    /// was measured to be as fast as a packed copy even without counting the copying.
    #[inline(always)]
    unsafe fn operands<S: Tiles>(
        &self,
        panel: Panel,
        mut packed: *mut f32,
        segments: &mut [Segment; MAX_SEGMENTS],
    ) -> usize {
        let Panel { col, width, vectors } = panel;
        let wide = vectors * S::LANES;
        let mut n = 0;
        for s in self.block {
            // SAFETY: panel and stretch lie within the checked operands, rows in place are readable as
            // whole vectors, and the scratch has room for the block's k at the widest panel.
            unsafe {
                let (a, b) = (s.a, s.b.at(0, col));
                let in_place = if b.cs == 1 { b.readable_rows(s.k, wide) } else { 0 };
                if in_place > 0 {
                    segments[n] =
                        Segment { a: a.ptr, a_row: a.rs, a_k: a.cs, b: b.ptr, b_k: b.rs, k: in_place };
                    n += 1;
                }
                if in_place < s.k {
                    let (k, a) = (s.k - in_place, a.at(0, in_place));
                    pack::pack_panel::<S>(b.at(in_place, 0), k, width, vectors, packed);
                    segments[n] =
                        Segment { a: a.ptr, a_row: a.rs, a_k: a.cs, b: packed.cast_const(), b_k: wide, k };
                    packed = packed.add(k * wide);
                    n += 1;
                }
            }
        }
        n
    }

    /// Describes the tile at `row`.
    #[inline(always)]
    fn tile<S: Tiles>(&self, panel: Panel, row: usize, segments: &[Segment]) -> Tile {
        let (job, col) = (self.job, panel.col);
        let offset = if job.swapped { col * job.ldc + row } else { row * job.ldc + col };
        let at = |x: Option<&[f32]>, i: usize| x.map_or(std::ptr::null(), |x| x.as_ptr().wrapping_add(i));
        let finish = self.finish.then(|| Finish {
            bias: at(job.epilogue.bias, if job.swapped { row } else { col }),
            relu: job.epilogue.relu,
            gate: at(job.epilogue.gate, offset),
        });
        Tile {
            segments: segments.as_ptr(),
            n_segments: segments.len(),
            row,
            c: job.c.wrapping_add(offset),
            ldc: job.ldc,
            swapped: job.swapped,
            last_lanes: panel.width - (panel.vectors - 1) * S::LANES,
            resume: self.resume,
            finish,
        }
    }
}
