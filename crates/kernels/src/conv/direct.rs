//! Correlation row by row: neighboring outputs are rows of a matrix product's tile, taps its inner dimension.
//!
//! Forward, and input gradients as one correlation for each phase of the stride.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::group::{Group, Panel, Phase};
use super::rows::{Band, Bands, Reach, Rows};
use super::{Conv, Direction, LINE, aligned};
use crate::gemm::Epilogue;
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Finish, Reading, Segment, Tile, Tiles};
use crate::simd::simd_versions;

/// The most runs of taps in one pass over a tile; more make more passes.
const MAX_SEGMENTS: usize = 32;
/// Floats of a panel of weights that a pass aims at, so that it stays in the first cache level while rows go by.
const PANEL: usize = 7 << 10;
/// Floats of source rows that are held beside it.
const BAND: usize = 4 << 10;
/// The same, where a vector of channels is worked on through all rows before the next one.
const BAND_OF_LANES: usize = 64 << 10;

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
    let reach = Reach::new(c, direction);
    let bands = bands(c, direction, &reach);
    k * n.next_multiple_of(LINE) + reach.copied(bands.slots(&reach)) + 2 * LINE
}

fn bands(c: &Conv, direction: Direction, reach: &Reach) -> Bands {
    let floats = if c.is_depthwise() { BAND_OF_LANES } else { BAND };
    Bands::new(reach, c.axes(direction, [0, 0])[0].count, usize::MAX, floats)
}

impl Conv {
    /// Inner size and columns of a group's product.
    pub(super) fn inner(&self, direction: Direction) -> (usize, usize) {
        match direction {
            _ if self.is_depthwise() => (self.taps(), self.input[2]),
            Direction::Forward => (self.taps() * self.group_in(), self.group_out()),
            Direction::Backward => (self.taps() * self.group_out(), self.group_in()),
        }
    }
}

simd_versions! {
    /// The whole map.
    ///
    /// # Safety
    /// `job` was checked; `scratch` has `scratch_len` floats.
    pub(super) unsafe fn run(job: &mut Job, scratch: *mut f32) = run_with;
}

#[inline(always)]
unsafe fn run_with<S: Tiles>(job: &mut Job, scratch: *mut f32) {
    let c = job.conv;
    let reach = Reach::new(c, job.direction);
    let bands = bands(c, job.direction, &reach);
    let (k, n) = c.inner(job.direction);
    let scratch = aligned(scratch);
    let ring = aligned(scratch.add(k * n.next_multiple_of(LINE)));
    for group in 0..c.split().0 {
        let group = Group::new::<S>(job, group, scratch);
        let mut rows = Rows::new(reach, group.src, ring, bands.slots(&reach));
        for band in bands.iter(job.images) {
            let (from, to) = band.sources(&reach);
            rows.fill(from, to);
            group.each_phase(|phase| run_phase::<S>(&group, phase, &rows, band));
        }
    }
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
}

/// Adds some runs of taps, `from..to`, to all outputs of a band and a phase.
struct Pass<'a> {
    group: &'a Group<'a>,
    phase: &'a Phase,
    rows: &'a Rows,
    band: Band,
    from: usize,
    to: usize,
    last: bool,
}

/// All runs of taps, as many at a time as are good for the first cache level.
#[inline(always)]
unsafe fn run_phase<S: Tiles>(group: &Group, phase: &Phase, rows: &Rows, band: Band) {
    if phase.x.count == 0 {
        return;
    }
    let runs = phase.runs(group.reading);
    let total = phase.y.n_taps * runs;
    let k = phase.x.n_taps / runs.max(1) * group.k();
    let wide = group.max_vectors.min(group.n.div_ceil(S::LANES)) * S::LANES;
    let most = (PANEL / (k * wide).max(1)).clamp(1, MAX_SEGMENTS);
    let pass = Pass { group, phase, rows, band, from: 0, to: 0, last: true };
    if total == 0 {
        pass.run::<S>();
    }
    for (from, count) in Cuts::new(total, most).iter() {
        let to = from + count;
        Pass { from, to, last: to == total, ..pass }.run::<S>();
    }
}

impl Pass<'_> {
    /// Panels of columns, within them rows of the image, within them tiles.
    #[inline(always)]
    unsafe fn run<S: Tiles>(&self) {
        let mut segments = [Segment::EMPTY; MAX_SEGMENTS];
        for panel in self.group.panels_of::<S>(self.phase) {
            for (image, q) in self.band.iter().filter(|(_, q)| *q < self.phase.y.count) {
                let n = self.segments(image, q, panel, &mut segments);
                self.tiles::<S>(image, q, panel, &segments[..n]);
            }
        }
    }

    /// The runs of taps that lie within the image, for output row `q`.
    #[inline(always)]
    unsafe fn segments(
        &self,
        image: usize,
        q: usize,
        panel: Panel,
        segments: &mut [Segment; MAX_SEGMENTS],
    ) -> usize {
        let (group, phase) = (self.group, self.phase);
        let runs = phase.runs(group.reading);
        let taps = phase.x.n_taps / runs.max(1);
        let (col, a_k) = match group.reading {
            Reading::Lanes => (panel.col, phase.x.offset_step as usize * group.n_src),
            _ => (0, 1),
        };
        let mut n = 0;
        for i in self.from..self.to {
            let (ty, run) = (i / runs, i % runs);
            if let Some(row) = phase.y.source(q, ty) {
                let a = self.rows.at(image * phase.y.source_len + row, phase.x.position(0, run));
                segments[n] = Segment {
                    a: a.wrapping_add(col),
                    a_row: phase.x.source_step * group.n_src,
                    a_k,
                    b: panel.b.add((ty * phase.x.n_taps + run * taps) * group.k() * panel.b_k),
                    b_k: panel.b_k,
                    k: taps * group.k(),
                };
                n += 1;
            }
        }
        n
    }

    /// One row of the image.
    #[inline(always)]
    unsafe fn tiles<S: Tiles>(&self, image: usize, q: usize, panel: Panel, segments: &[Segment]) {
        let (group, phase) = (self.group, self.phase);
        let ldc = phase.x.step * group.channels;
        let pixel =
            (image * group.shape[0] + phase.y.first + q * phase.y.step) * group.shape[1] + phase.x.first;
        let at = |p: *const f32, i: usize| if p.is_null() { p } else { p.wrapping_add(i) };
        for (row, height) in Cuts::new(phase.x.count, S::max_rows(panel.vectors)).iter() {
            let offset = pixel * group.channels + panel.col + row * ldc;
            let (bias, gate) = (at(group.bias, panel.col), at(group.gate, offset));
            let tile = Tile {
                segments: segments.as_ptr(),
                n_segments: segments.len(),
                row,
                c: group.out.wrapping_add(offset),
                ldc,
                reading: group.reading,
                swapped: false,
                last_lanes: panel.width - (panel.vectors - 1) * S::LANES,
                resume: self.from > 0,
                finish: self.last.then_some(Finish { bias, relu: group.relu, gate }),
            };
            S::run(&tile, height, panel.vectors);
        }
    }
}
