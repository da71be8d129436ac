//! Convolutions of 3×3 or 5×5 taps and stride 1 with fewer multiplications: tiles of 6×6 or 8×8 sources become values
//! at as many points, products of channels are made point by point, and give tiles of 4×4 results.
//!
//! 36 products in place of 144 (3×3), 64 in place of 400 (5×5), for about twenty additions a pixel and channel.
//! Rounding errors are a few times those of the direct sum. Weight gradients are kept as sums at the points, and become
//! taps once, at the end.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; the contract is that of `Job` and `Frame`
#![allow(clippy::needless_range_loop)] // counters keep vectors in registers, iterators do not

mod points;
mod tile;

use super::{Conv, Direction};
use crate::gemm::Epilogue;
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Reading, Segment, Tile, Tiles};
use crate::simd::{Block, BlockMut, simd_versions};
use points::{Five, M, Three};
use tile::{Results, Sources};

/// Floats in a cache line, to which channels are padded.
const LINE: usize = 16;
/// Floats of values at points that a block of tiles aims at: a quarter of a second-level cache.
const BLOCK: usize = 64 * 1024;
/// Fewest channels on either side for which the additions pay.
const MIN_CHANNELS: usize = 12;

/// One direction of a convolution: a correlation with stride 1 of `src` that gives `dst`.
#[derive(Clone, Copy)]
pub(super) struct Winograd {
    taps: usize,
    /// `[H, W, C]`
    src: [usize; 3],
    dst: [usize; 3],
    pad: [usize; 2],
    flipped: bool,
}

impl Winograd {
    /// The direction in this form, where that is faster.
    pub fn of(c: &Conv, direction: Direction) -> Option<Winograd> {
        let plain = c.stride == [1, 1] && c.dilation == [1, 1] && c.groups == 1;
        let taps = c.kernel[0];
        if !plain || !matches!(c.kernel, [3, 3] | [5, 5]) || c.padding.iter().any(|p| *p >= taps) {
            return None;
        }
        let back = c.padding.map(|p| taps - 1 - p);
        let (src, dst, pad, flipped) = match direction {
            Direction::Forward => (c.input, c.output, c.padding, false),
            Direction::Backward => (c.output, c.input, back, true),
        };
        let found = Winograd { taps, src, dst, pad, flipped };
        (src[2].min(dst[2]) >= MIN_CHANNELS && found.pays()).then_some(found)
    }

    /// Whether tiles are filled well enough, and weights are read often enough.
    fn pays(&self) -> bool {
        let [h, w, _] = self.dst;
        let [ty, tx] = self.tiles();
        let products = ty * tx * self.points();
        let saved = h * w * self.taps * self.taps;
        h.min(w) >= M && 3 * products <= 2 * saved && self.src[2] * self.dst[2] <= 256 * 256
    }

    /// Points of a tile.
    fn points(&self) -> usize {
        (M + self.taps - 1) * (M + self.taps - 1)
    }

    fn tiles(&self) -> [usize; 2] {
        [self.dst[0].div_ceil(M), self.dst[1].div_ceil(M)]
    }

    /// Channels in memory at the points: of the sources, of the results.
    fn padded(&self) -> [usize; 2] {
        [self.src[2], self.dst[2]].map(|c| c.next_multiple_of(LINE))
    }

    /// Most tiles in a block, of this many in all.
    fn most(&self, tiles: usize) -> usize {
        let [cp, op] = self.padded();
        // with many channels, weights outgrow the cache and are read again for each block
        let least = if cp + op > 128 { 48 } else { 12 };
        (BLOCK / (self.points() * (cp + op))).max(least).next_multiple_of(12).min(96).min(tiles.max(1))
    }

    /// Tiles in a block, as even as possible, so that no block reads the weights for a tile or two.
    fn block(&self, tiles: usize) -> usize {
        let tiles = tiles.max(1);
        tiles.div_ceil(tiles.div_ceil(self.most(tiles)))
    }

    /// Floats of the weights at the points: `[points, C, O padded]`; also of the sums of a weight gradient.
    pub fn weights_len(&self) -> usize {
        self.points() * self.src[2] * self.padded()[1]
    }

    /// Floats of scratch for this many images.
    pub fn scratch_len(&self, images: usize) -> usize {
        let [cp, op] = self.padded();
        let [ty, tx] = self.tiles();
        let most = self.most(images * ty * tx);
        LINE + cp.max(op) + self.points() * (apart(most * cp) + apart(most * op))
    }

    /// Floats of scratch for making the weights at the points.
    pub fn prepare_scratch_len(&self) -> usize {
        if self.flipped { self.taps * self.taps * self.src[2] * self.padded()[1] + LINE } else { 0 }
    }
}

/// Floats from one point's values to the next one's: an odd number of lines, so that the values of a tile at all points
/// do not compete for the same places in the first-level cache.
fn apart(floats: usize) -> usize {
    floats + LINE * (1 - floats / LINE % 2)
}

/// Weights to values at points.
pub(super) struct Prepare<'a> {
    pub at: Winograd,
    /// `[R, R, C, O]` of the convolution
    pub w: &'a [f32],
    pub out: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

simd_versions! {
    /// Makes the weights of a direction.
    ///
    /// # Safety
    /// Slices hold what `at` says.
    pub(super) unsafe fn prepare(job: &mut Prepare) = prepare_on;
}

#[inline(always)]
unsafe fn prepare_on<S: Tiles>(job: &mut Prepare) {
    let Prepare { at, w, out, scratch } = job;
    let [c, o] = [at.src[2], at.dst[2]];
    let op = at.padded()[1];
    if !at.flipped {
        return match at.taps {
            3 => tile::weights::<S, Three, 6, 3>(w.as_ptr(), [c, o], o, out.as_mut_ptr(), op),
            _ => tile::weights::<S, Five, 8, 5>(w.as_ptr(), [c, o], o, out.as_mut_ptr(), op),
        };
    }
    // the convolution's own weights are [taps, o, c]; of these, taps in reverse and channels exchanged
    let turned = align(scratch.as_mut_ptr());
    let n = at.taps * at.taps;
    for tap in 0..n {
        let (from, to) = (w.as_ptr().add((n - 1 - tap) * c * o), turned.add(tap * c * op));
        for lane in (0..o).step_by(S::LANES) {
            let rows = S::LANES.min(o - lane);
            let src = Block { ptr: from.add(lane * c), stride: c };
            let dst = BlockMut { ptr: to.add(lane), stride: op };
            S::transpose(src, rows, c, dst, S::mask(rows));
        }
    }
    match at.taps {
        3 => tile::weights::<S, Three, 6, 3>(turned, [c, o], op, out.as_mut_ptr(), op),
        _ => tile::weights::<S, Five, 8, 5>(turned, [c, o], op, out.as_mut_ptr(), op),
    }
}

/// The first whole line of a buffer that has one to spare.
fn align(p: *mut f32) -> *mut f32 {
    p.wrapping_add(p.align_offset(LINE * size_of::<f32>()).min(LINE))
}

/// A correlation.
pub(super) struct Correlate<'a> {
    pub at: Winograd,
    pub images: usize,
    pub src: &'a [f32],
    /// as [`prepare`] left them
    pub weights: &'a [f32],
    pub dst: &'a mut [f32],
    pub epilogue: Epilogue<'a>,
    pub scratch: &'a mut [f32],
}

simd_versions! {
    /// The forward pass or the input gradient.
    ///
    /// # Safety
    /// Slices hold what `at` and `images` say.
    pub(super) unsafe fn correlate(job: &mut Correlate) = correlate_on;
}

#[inline(always)]
unsafe fn correlate_on<S: Tiles>(job: &mut Correlate) {
    let at = job.at;
    let [cp, op] = at.padded();
    let [ty, tx] = at.tiles();
    let total = job.images * ty * tx;
    let block = at.block(total);
    let zeros = align(job.scratch.as_mut_ptr());
    std::ptr::write_bytes(zeros, 0, cp);
    let [vs, ms] = [apart(block * cp), apart(block * op)];
    let (v, m) = (zeros.add(cp.max(op)), zeros.add(cp.max(op) + at.points() * vs));
    let from = Sources { data: job.src.as_ptr(), size: at.src, pad: at.pad, tiles: [ty, tx], zeros };
    let e = job.epilogue;
    let to = Results {
        data: job.dst.as_mut_ptr(),
        size: at.dst,
        tiles: [ty, tx],
        bias: e.bias.map(<[f32]>::as_ptr),
        relu: e.relu,
        gate: e.gate.map(<[f32]>::as_ptr),
    };
    for first in (0..total).step_by(block) {
        let n = block.min(total - first);
        for t in 0..n {
            let v = v.add(t * cp);
            match at.taps {
                3 => tile::sources::<S, Three, 6, 3>(&from, first + t, v, vs),
                _ => tile::sources::<S, Five, 8, 5>(&from, first + t, v, vs),
            }
        }
        for p in 0..at.points() {
            let weights = job.weights.as_ptr().add(p * at.src[2] * op);
            let (v, m) = (v.add(p * vs), m.add(p * ms));
            let seg = Segment { a: v, a_row: cp, a_k: 1, b: weights, b_k: op, k: at.src[2] };
            product::<S>(seg, [n, op], m, false, false);
        }
        for t in 0..n {
            let m = m.add(t * op);
            match at.taps {
                3 => tile::results::<S, Three, 6, 3>(&to, first + t, m, ms),
                _ => tile::results::<S, Five, 8, 5>(&to, first + t, m, ms),
            }
        }
    }
}

/// `c = [c +] a·b` for one segment, with rows of C side by side and whole vectors.
#[inline(always)]
unsafe fn product<S: Tiles>(
    seg: Segment,
    [rows, cols]: [usize; 2],
    c: *mut f32,
    adjacent: bool,
    resume: bool,
) {
    let reading = if adjacent { Reading::Adjacent } else { Reading::Strided };
    for (vector, vectors) in Cuts::new(cols / S::LANES, S::max_vectors(rows)).iter() {
        let segment = Segment { b: seg.b.add(vector * S::LANES), ..seg };
        for (row, n) in Cuts::new(rows, S::max_rows(vectors)).iter() {
            let tile = Tile {
                segments: &segment,
                n_segments: 1,
                row,
                c: c.add(row * cols + vector * S::LANES),
                ldc: cols,
                swapped: false,
                last_lanes: S::LANES,
                resume,
                finish: None,
            };
            S::tile(reading, n, vectors)(&tile);
        }
    }
}

/// The sums of a weight gradient at the points.
pub(super) struct Gradient<'a> {
    pub at: Winograd,
    pub images: usize,
    pub x: &'a [f32],
    pub dy: &'a [f32],
    /// `[points, C, O padded]`
    pub sums: &'a mut [f32],
    pub accumulate: bool,
    pub scratch: &'a mut [f32],
}

simd_versions! {
    /// Adds up a weight gradient at the points.
    ///
    /// # Safety
    /// Slices hold what `at` and `images` say; `at` is a forward direction.
    pub(super) unsafe fn gradient(job: &mut Gradient) = gradient_on;
}

#[inline(always)]
unsafe fn gradient_on<S: Tiles>(job: &mut Gradient) {
    let at = job.at;
    let [cp, op] = at.padded();
    let [ty, tx] = at.tiles();
    let total = job.images * ty * tx;
    let block = at.block(total);
    let zeros = align(job.scratch.as_mut_ptr());
    std::ptr::write_bytes(zeros, 0, cp.max(op));
    let [vs, ms] = [apart(block * cp), apart(block * op)];
    let (v, m) = (zeros.add(cp.max(op)), zeros.add(cp.max(op) + at.points() * vs));
    let tiles = [ty, tx];
    let x = Sources { data: job.x.as_ptr(), size: at.src, pad: at.pad, tiles, zeros };
    let dy = Sources { data: job.dy.as_ptr(), size: at.dst, pad: [0, 0], tiles, zeros };
    for first in (0..total).step_by(block) {
        let n = block.min(total - first);
        for t in 0..n {
            let (v, m) = (v.add(t * cp), m.add(t * op));
            match at.taps {
                3 => {
                    tile::sources::<S, Three, 6, 3>(&x, first + t, v, vs);
                    tile::spread::<S, Three, 6, 3>(&dy, first + t, m, ms);
                }
                _ => {
                    tile::sources::<S, Five, 8, 5>(&x, first + t, v, vs);
                    tile::spread::<S, Five, 8, 5>(&dy, first + t, m, ms);
                }
            }
        }
        for p in 0..at.points() {
            let (v, m) = (v.add(p * vs), m.add(p * ms));
            let seg = Segment { a: v, a_row: 1, a_k: cp, b: m, b_k: op, k: n };
            let sums = job.sums.as_mut_ptr().add(p * at.src[2] * op);
            product::<S>(seg, [at.src[2], op], sums, true, job.accumulate || first > 0);
        }
    }
    if total == 0 && !job.accumulate {
        job.sums.fill(0.0);
    }
}

/// Sums at the points to taps.
pub(super) struct Taps<'a> {
    pub at: Winograd,
    pub sums: &'a [f32],
    /// `[R, R, C, O]`
    pub dw: &'a mut [f32],
}

simd_versions! {
    /// The weight gradient of which [`gradient`] made the sums.
    ///
    /// # Safety
    /// Slices hold what `at` says; `at` is a forward direction.
    pub(super) unsafe fn taps(job: &mut Taps) = taps_on;
}

#[inline(always)]
unsafe fn taps_on<S: Tiles>(job: &mut Taps) {
    let [c, o] = [job.at.src[2], job.at.dst[2]];
    let (sums, dw, op) = (job.sums.as_ptr(), job.dw.as_mut_ptr(), job.at.padded()[1]);
    match job.at.taps {
        3 => tile::taps::<S, Three, 6, 3>(sums, op, [c, o], dw),
        _ => tile::taps::<S, Five, 8, 5>(sums, op, [c, o], dw),
    }
}
