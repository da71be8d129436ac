//! Walks a product: blocks of the inner dimension, panels of columns, tiles of rows.

use super::micro::{Finish, Reading, Segment, Tile, Tiles};
use super::pack::{self, View};
use super::{BLOCK_K, BLOCK_K_IN_PLACE, Epilogue, LINE, Mat, Term};
use crate::isa::{Isa, isa};

/// The most sections in a block; more parts make more blocks.
const MAX_SECTIONS: usize = 8;
/// Each section may be cut once.
const MAX_SEGMENTS: usize = 2 * MAX_SECTIONS;

/// A checked product.
pub(super) struct Job<'a> {
    pub m: usize,
    pub n: usize,
    pub c: *mut f32,
    pub ldc: usize,
    pub parts: &'a [Term<'a>],
    pub accumulate: bool,
    pub epilogue: Epilogue<'a>,
    /// Tiles hold the transpose of C; there is no gate.
    pub swapped: bool,
}

/// The whole product, with the instruction set in use.
///
/// # Safety
/// `job` was checked; scratch has `scratch_len` floats.
pub(super) unsafe fn run_on_this_machine(job: &Job, scratch: *mut f32) {
    let scratch = scratch.wrapping_add(scratch.align_offset(LINE * size_of::<f32>()).min(LINE));
    // SAFETY: the caller's promise; `isa` names only what the machine was found to have.
    unsafe {
        match isa() {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run_avx512(job, scratch),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run_avx2(job, scratch),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => run::<crate::simd::neon::Neon>(job, scratch),
            _ => run::<crate::simd::portable::Portable>(job, scratch),
        }
    }
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
pub(crate) struct Cuts {
    total: usize,
    count: usize,
}

impl Cuts {
    /// As few as possible, none longer than `max`.
    pub fn new(total: usize, max: usize) -> Cuts {
        Cuts { total, count: total.div_ceil(max) }
    }

    /// (start, length) of each.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        let (base, longer) = (self.total / self.count.max(1), self.total % self.count.max(1));
        (0..self.count).map(move |i| (i * base + i.min(longer), base + usize::from(i < longer)))
    }
}

/// A section of one part's inner dimension, operands in the order of the tiles.
#[derive(Clone, Copy)]
struct Section {
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
        let total = job.parts.iter().fold(0usize, |k, part| k.saturating_add(part.k));
        let in_place = |part: &Term| (if job.swapped { part.a.row_stride } else { part.b.col_stride }) == 1;
        let most = if job.parts.iter().any(in_place) { BLOCK_K_IN_PLACE } else { BLOCK_K };
        let block_k = total.div_ceil(total.div_ceil(most).max(1));
        Blocks { job, part: 0, done: 0, block_k }
    }

    fn is_done(&self) -> bool {
        self.job.parts[self.part..].iter().all(|part| part.k == 0)
    }

    /// Fills `block` with the next sections; returns how many.
    unsafe fn next(&mut self, block: &mut [Section; MAX_SECTIONS]) -> usize {
        let (mut n, mut room) = (0, self.block_k);
        while n < MAX_SECTIONS && room > 0 && self.part < self.job.parts.len() {
            let part = &self.job.parts[self.part];
            let k = room.min(part.k - self.done);
            if k > 0 {
                // SAFETY: the section lies within the part, whose bounds were checked.
                block[n] = unsafe { section(part, self.done, k, self.job.swapped) };
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

unsafe fn section(part: &Term, from: usize, k: usize, swapped: bool) -> Section {
    let view = |m: &Mat| View {
        ptr: m.data.as_ptr(),
        rs: m.row_stride,
        cs: m.col_stride,
        end: m.data.as_ptr_range().end,
    };
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (view(&part.a).at(0, from), view(&part.b).at(from, 0)) };
    if swapped { Section { a: b.transposed(), b: a.transposed(), k } } else { Section { a, b, k } }
}

/// The whole product with one instruction set: blocks of k, panels of columns, tiles of rows.
///
/// # Safety
/// The machine has `S`; `job` was checked; scratch has `scratch_len` floats from an aligned start.
#[inline(always)]
unsafe fn run<S: Tiles>(job: &Job, scratch: *mut f32) {
    let (rows, cols) = if job.swapped { (job.n, job.m) } else { (job.m, job.n) };
    let nothing = View { ptr: std::ptr::null(), rs: 0, cs: 0, end: std::ptr::null() };
    let mut block = [Section { a: nothing, b: nothing, k: 0 }; MAX_SECTIONS];
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
    block: &'a [Section],
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
        let adjacent = self.block.iter().all(|s| s.a.rs == 1);
        let reading = if adjacent { Reading::Adjacent } else { Reading::Strided };
        // SAFETY: the caller's promise.
        unsafe {
            let n = self.operands::<S>(panel, scratch, &mut segments);
            for (row, rows) in tiles.iter() {
                let tile = self.tile::<S>(panel, row, &segments[..n]);
                S::tile(reading, rows, panel.vectors)(&tile);
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
            // SAFETY: panel and section lie within the checked operands, rows in place are readable as
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
