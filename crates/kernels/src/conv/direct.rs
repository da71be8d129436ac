//! Correlation with the tiles of the matrix product: neighbouring outputs of a row are a tile's rows, and the taps its inner dimension.
//!
//! Forward, and input gradients as one correlation for each phase of the stride.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::axis::Axis;
use super::rows::{Band, Bands, Frame, Rows};
use super::{Conv, Direction, LINE, aligned};
use crate::gemm::Epilogue;
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Finish, Reading, Segment, Tile, Tiles};
use crate::gemm::pack::{View, pack_panel};
use crate::simd::on_this_machine;

/// The most runs of taps in one pass over a tile; more make more passes.
const MAX_SEGMENTS: usize = 32;
/// Floats of a panel of weights that a pass aims at, so that it stays in the first cache level while rows go by.
const PANEL: usize = 7 << 10;
/// Floats of source rows that are held beside it.
const BAND: usize = 4 << 10;
/// The same, where a vector of channels is worked on through all rows before the next one.
const BAND_OF_LANES: usize = 64 << 10;
/// Weights beyond so many floats are read in place where they can be.
const MAX_COPY: usize = 1 << 16;

/// A checked map from `src` to `out`.
pub(super) struct Job<'a> {
    pub conv: &'a Conv,
    pub direction: Direction,
    pub images: usize,
    pub src: &'a [f32],
    pub w: &'a [f32],
    pub out: &'a mut [f32],
    pub epilogue: Epilogue<'a>,
}

/// Floats of scratch, whatever the number of images.
pub(super) fn scratch_len(c: &Conv, direction: Direction) -> usize {
    let (k, n) = c.inner(direction);
    let frame = Frame::new(c, direction);
    let bands = bands(c, direction, &frame);
    k * n.next_multiple_of(LINE) + frame.copied(bands.slots(&frame)) + 2 * LINE
}

fn bands(c: &Conv, direction: Direction, frame: &Frame) -> Bands {
    let floats = if c.is_depthwise() { BAND_OF_LANES } else { BAND };
    Bands::new(frame, c.axes(direction, [0, 0])[0].count, usize::MAX, floats)
}

impl Conv {
    /// Inner size and columns of a group's product.
    fn inner(&self, direction: Direction) -> (usize, usize) {
        match direction {
            _ if self.is_depthwise() => (self.taps(), self.input[2]),
            Direction::Forward => (self.taps() * self.group_in(), self.group_out()),
            Direction::Backward => (self.taps() * self.group_out(), self.group_in()),
        }
    }
}

on_this_machine! {
    /// The whole map.
    ///
    /// # Safety
    /// `job` was checked; `scratch` has `scratch_len` floats.
    pub(super) unsafe fn run(job: &mut Job, scratch: *mut f32) = run_with;
}

#[inline(always)]
unsafe fn run_with<S: Tiles>(job: &mut Job, scratch: *mut f32) {
    let c = job.conv;
    let frame = Frame::new(c, job.direction);
    let bands = bands(c, job.direction, &frame);
    let (k, n) = c.inner(job.direction);
    let scratch = aligned(scratch);
    let ring = aligned(scratch.add(k * n.next_multiple_of(LINE)));
    for group in 0..c.split().0 {
        let group = Group::new::<S>(job, group, scratch);
        let mut rows = Rows::new(frame, group.src, ring, bands.slots(&frame));
        for band in bands.iter(job.images) {
            let (from, to) = band.sources(&frame);
            rows.fill(from, to);
            group.each_phase(|phase| phase.run::<S>(&group, &rows, band));
        }
    }
}

/// What one group of channels needs.
struct Group<'a> {
    conv: &'a Conv,
    direction: Direction,
    /// Source channels of the group; its first source.
    n_src: usize,
    src: *const f32,
    /// The group's first output, its channels and those of all groups; sizes of an image.
    out: *mut f32,
    n: usize,
    channels: usize,
    shape: [usize; 2],
    bias: *const f32,
    relu: bool,
    gate: *const f32,
    weights: Weights,
    /// Vectors of a panel.
    max_vectors: usize,
    /// Lanes if every channel has its own kernel.
    reading: Reading,
}

/// Vectors beside so many rows that give enough independent sums.
fn vectors_for(rows: usize) -> usize {
    8usize.div_ceil(rows.max(1))
}

/// The weights of all phases, one after the other.
#[derive(Clone, Copy)]
enum Weights {
    /// `[taps, n_src, row stride]`
    InPlace(*const f32, usize),
    /// For each phase and panel `[taps, n_src, whole vectors]`.
    Packed(*const f32),
}

/// Outputs `phase, phase + stride, ...` of both axes.
struct Phase {
    y: Axis,
    x: Axis,
    /// Taps of the phases before.
    taps_before: usize,
}

impl<'a> Group<'a> {
    #[inline(always)]
    unsafe fn new<S: Tiles>(job: &mut Job<'a>, group: usize, scratch: *mut f32) -> Group<'a> {
        let c = job.conv;
        let (_, n_in, n_out) = c.split();
        let (n_src, out, n) = match job.direction {
            Direction::Forward => (n_in, c.output, n_out),
            Direction::Backward => (n_out, c.input, n_in),
        };
        let columns = c.axes(job.direction, [0, 0])[1].count;
        let reading = if c.is_depthwise() { Reading::Lanes } else { Reading::Strided };
        let max_vectors = if c.is_depthwise() { vectors_for(columns) } else { usize::MAX };
        let at = |x: Option<&[f32]>| x.map_or(std::ptr::null(), |x| x.as_ptr().wrapping_add(group * n));
        let mut this = Group {
            conv: c,
            direction: job.direction,
            n_src,
            src: job.src.as_ptr().wrapping_add(group * n_src),
            out: job.out.as_mut_ptr().wrapping_add(group * n),
            n,
            channels: out[2],
            shape: [out[0], out[1]],
            bias: at(job.epilogue.bias),
            relu: job.epilogue.relu,
            gate: at(job.epilogue.gate),
            weights: Weights::Packed(scratch),
            max_vectors: S::max_vectors(columns).min(max_vectors),
            reading,
        };
        let (k, _) = c.inner(job.direction);
        let forward = job.direction == Direction::Forward;
        let dense = !c.is_depthwise();
        if dense && forward && n.is_multiple_of(LINE) && k * n > MAX_COPY {
            this.weights = Weights::InPlace(job.w.as_ptr().add(group * n), c.output[2]);
        } else {
            this.pack::<S>(job.w.as_ptr(), group, scratch);
        }
        this
    }

    /// Inner size of a tap.
    fn k(&self) -> usize {
        if self.reading == Reading::Lanes { 1 } else { self.n_src }
    }

    #[inline(always)]
    fn each_phase(&self, mut f: impl FnMut(&Phase)) {
        let strides = if self.direction == Direction::Forward { [1, 1] } else { self.conv.stride };
        let mut taps_before = 0;
        for py in 0..strides[0] {
            for px in 0..strides[1] {
                let [y, x] = self.conv.axes(self.direction, [py, px]);
                f(&Phase { y, x, taps_before });
                taps_before += y.n_taps * x.n_taps;
            }
        }
    }

    #[inline(always)]
    unsafe fn pack<S: Tiles>(&self, w: *const f32, group: usize, mut to: *mut f32) {
        let (c, o) = (self.conv, self.conv.output[2]);
        let nothing = std::ptr::null();
        self.each_phase(|phase| {
            for panel in self.panels::<S>() {
                for i in 0..phase.y.n_taps * phase.x.n_taps {
                    let [ky, kx] = [phase.y.tap(i / phase.x.n_taps), phase.x.tap(i % phase.x.n_taps)];
                    let tap = w.add((ky * c.kernel[1] + kx) * c.group_in() * o + group * c.group_out());
                    let view = if self.direction == Direction::Forward || self.reading == Reading::Lanes {
                        View { ptr: tap.add(panel.col), rs: o, cs: 1, end: nothing }
                    } else {
                        View { ptr: tap.add(panel.col * o), rs: 1, cs: o, end: nothing }
                    };
                    pack_panel::<S>(view, self.k(), panel.width, panel.vectors, to);
                    to = to.add(self.k() * panel.vectors * S::LANES);
                }
            }
        });
    }

    #[inline(always)]
    fn panels<S: Tiles>(&self) -> impl Iterator<Item = Panel> + use<S> {
        let n = self.n;
        Cuts::new(n.div_ceil(S::LANES), self.max_vectors).iter().map(move |(vector, vectors)| {
            let col = vector * S::LANES;
            Panel { col, width: (n - col).min(vectors * S::LANES), vectors }
        })
    }
}

/// Some columns of the product, `vectors` wide, of which `width` floats exist.
#[derive(Clone, Copy)]
struct Panel {
    col: usize,
    width: usize,
    vectors: usize,
}

impl Phase {
    /// Runs of taps whose sources lie side by side, in one row of taps.
    fn runs(&self, reading: Reading) -> usize {
        if self.x.offset_step == 1 || reading == Reading::Lanes {
            self.x.n_taps.min(1)
        } else {
            self.x.n_taps
        }
    }

    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, group: &Group, rows: &Rows, band: Band) {
        if self.x.count == 0 {
            return;
        }
        let runs = self.runs(group.reading);
        let total = self.y.n_taps * runs;
        let k = self.x.n_taps / runs.max(1) * group.k();
        let wide = group.max_vectors.min(group.n.div_ceil(S::LANES)) * S::LANES;
        let most = (PANEL / (k * wide).max(1)).clamp(1, MAX_SEGMENTS);
        let blocks = Cuts::new(total, most);
        if total == 0 {
            self.block::<S>(group, rows, band, Block { from: 0, to: 0, last: true });
        }
        for (from, count) in blocks.iter() {
            let to = from + count;
            self.block::<S>(group, rows, band, Block { from, to, last: to == total });
        }
    }

    /// Adds some runs of taps to all outputs of the band.
    #[inline(always)]
    unsafe fn block<S: Tiles>(&self, group: &Group, rows: &Rows, band: Band, block: Block) {
        let n_rows = group.shape[0];
        let frame_rows = self.y.source_len;
        let mut segments = [Segment::EMPTY; MAX_SEGMENTS];
        for panel in group.panels::<S>() {
            let tiles = Cuts::new(self.x.count, S::max_rows(panel.vectors));
            let (ldc, weights) = (self.x.step * group.channels, group.weights_of::<S>(self, panel));
            for (image, q) in band.iter().filter(|(_, q)| *q < self.y.count) {
                let n =
                    self.segments(group, rows, (image * frame_rows, q), block, weights, panel, &mut segments);
                let (y, x) = (self.y.first + q * self.y.step, self.x.first);
                let at = ((image * n_rows + y) * group.shape[1] + x) * group.channels + panel.col;
                for (row, height) in tiles.iter() {
                    let offset = at + row * ldc;
                    let gate =
                        if group.gate.is_null() { group.gate } else { group.gate.wrapping_add(offset) };
                    let bias =
                        if group.bias.is_null() { group.bias } else { group.bias.wrapping_add(panel.col) };
                    let tile = Tile {
                        segments: segments.as_ptr(),
                        n_segments: n,
                        row,
                        c: group.out.wrapping_add(offset),
                        ldc,
                        swapped: false,
                        last_lanes: panel.width - (panel.vectors - 1) * S::LANES,
                        resume: block.from > 0,
                        finish: block.last.then_some(Finish { bias, relu: group.relu, gate }),
                    };
                    S::tile(group.reading, height, panel.vectors)(&tile);
                }
            }
        }
    }

    /// The block's runs of taps that lie within the image, for output row `q`.
    #[inline(always)]
    unsafe fn segments(
        &self,
        group: &Group,
        rows: &Rows,
        (first_row, q): (usize, usize),
        block: Block,
        (weights, b_k): (*const f32, usize),
        panel: Panel,
        segments: &mut [Segment; MAX_SEGMENTS],
    ) -> usize {
        let runs = self.runs(group.reading);
        let taps = self.x.n_taps / runs.max(1);
        let (col, a_k) = match group.reading {
            Reading::Lanes => (panel.col, self.x.offset_step as usize * group.n_src),
            _ => (0, 1),
        };
        let mut n = 0;
        for i in block.from..block.to {
            let (ty, run) = (i / runs, i % runs);
            if let Some(row) = self.y.source(q, ty) {
                segments[n] = Segment {
                    a: rows.at(first_row + row, self.x.position(0, run)).wrapping_add(col),
                    a_row: self.x.source_step * group.n_src,
                    a_k,
                    b: weights.add((ty * self.x.n_taps + run * taps) * group.k() * b_k),
                    b_k,
                    k: taps * group.k(),
                };
                n += 1;
            }
        }
        n
    }
}

impl Group<'_> {
    /// A panel's weights for a phase, and the stride of their rows.
    #[inline(always)]
    unsafe fn weights_of<S: Tiles>(&self, phase: &Phase, panel: Panel) -> (*const f32, usize) {
        match self.weights {
            Weights::InPlace(w, stride) => (w.add(panel.col), stride),
            Weights::Packed(w) => {
                let all = self.n.next_multiple_of(S::LANES);
                let before = phase.taps_before * all + phase.y.n_taps * phase.x.n_taps * panel.col;
                (w.add(self.k() * before), panel.vectors * S::LANES)
            }
        }
    }
}

/// Runs of taps `from..to`.
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    to: usize,
    last: bool,
}
