//! Weight gradients row by row: taps and channels are rows of a matrix product's tile, pixels its inner dimension.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::axis::Axis;
use super::rows::{Band, Bands, Reach, Rows};
use super::{Conv, Direction, LINE, aligned};
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Finish, Reading, Segment, Tile, Tiles};
use crate::gemm::pack::{View, pack_panel};
use crate::simd::simd_versions;

/// The most output rows in a band.
const MAX_ROWS: usize = 64;
/// Floats of source rows in a band.
const BAND: usize = 6 << 10;
/// The same, where a vector of channels is worked on through all rows before the next one.
const BAND_OF_LANES: usize = 64 << 10;

/// A checked gradient.
pub(super) struct Job<'a> {
    pub conv: &'a Conv,
    pub images: usize,
    pub x: &'a [f32],
    pub dy: &'a [f32],
    pub dw: &'a mut [f32],
    pub accumulate: bool,
}

/// Floats of scratch, whatever the number of images.
pub(super) fn scratch_len(c: &Conv) -> usize {
    let reach = Reach::new(c, Direction::Forward);
    let bands = bands(c, &reach);
    reach.copied(bands.slots(&reach)) + copied_dy(c) * bands.max_rows() + 2 * LINE
}

/// Floats of a copied row of dy; zero if all rows are read in place.
fn copied_dy(c: &Conv) -> usize {
    let (.., n) = c.split();
    if n.is_multiple_of(LINE) { 0 } else { c.output[1] * n.next_multiple_of(LINE) }
}

fn bands(c: &Conv, reach: &Reach) -> Bands {
    let floats = if c.is_depthwise() { BAND_OF_LANES } else { BAND };
    Bands::new(reach, c.output[0], MAX_ROWS, floats)
}

simd_versions! {
    /// The whole gradient.
    ///
    /// # Safety
    /// `job` was checked, and has outputs; `scratch` has `scratch_len` floats.
    pub(super) unsafe fn run(job: &mut Job, scratch: *mut f32) = run_with;
}

#[inline(always)]
unsafe fn run_with<S: Tiles>(job: &mut Job, scratch: *mut f32) {
    let c = job.conv;
    let reach = Reach::new(c, Direction::Forward);
    let bands = bands(c, &reach);
    let ring = aligned(scratch);
    let copies = aligned(ring.add(reach.copied(bands.slots(&reach))));
    let [y, x] = c.axes(Direction::Forward, [0, 0]);
    let (groups, n_in, n_out) = c.split();
    for group in 0..groups {
        let mut rows = Rows::new(reach, job.x.as_ptr().add(group * n_in), ring, bands.slots(&reach));
        let mut resume = job.accumulate;
        for band in bands.iter(job.images) {
            let (from, to) = band.sources(&reach);
            rows.fill(from, to);
            let pass = Pass { conv: c, y, x, rows: &rows, band, resume, n_in, n_out };
            let dy = pass.outputs::<S>(job.dy.as_ptr().add(group * n_out), copies);
            pass.run::<S>(dy, job.dw.as_mut_ptr().add(group * n_out));
            resume = true;
        }
    }
}

/// One band of one group.
struct Pass<'a> {
    conv: &'a Conv,
    y: Axis,
    x: Axis,
    rows: &'a Rows,
    band: Band,
    resume: bool,
    n_in: usize,
    n_out: usize,
}

/// The output gradient of a band.
#[derive(Clone, Copy)]
struct Outputs {
    ptr: *const f32,
    /// Floats from one image, row and pixel to the next.
    image: usize,
    row: usize,
    pixel: usize,
}

impl Pass<'_> {
    /// The output gradient of the band, in place if its channels fill whole vectors.
    #[inline(always)]
    unsafe fn outputs<S: Tiles>(&self, dy: *const f32, copies: *mut f32) -> Outputs {
        let (c, band, n) = (self.conv, self.band, self.n_out);
        let [oh, ow, channels] = c.output;
        let dy = dy.add((band.image * oh + band.first) * ow * channels);
        let (row, image) = (ow * channels, oh * ow * channels);
        if n.is_multiple_of(LINE) {
            return Outputs { ptr: dy, image, row, pixel: channels };
        }
        let vectors = n.div_ceil(S::LANES);
        let wide = vectors * S::LANES;
        for i in 0..band.images {
            let from = View { ptr: dy.add(i * image), rs: channels, cs: 1, end: std::ptr::null() };
            pack_panel::<S>(from, band.rows * ow, n, vectors, copies.add(i * band.rows * ow * wide));
        }
        Outputs { ptr: copies, image: band.rows * ow * wide, row: ow * wide, pixel: wide }
    }

    /// Panels of columns, within them runs of taps, within them tiles of rows.
    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, dy: Outputs, dw: *mut f32) {
        let [kernel_rows, kernel] = self.conv.kernel;
        let lanes = self.conv.is_depthwise();
        let (runs, taps) = if self.x.offset_step == 1 || lanes { (1, kernel) } else { (kernel, 1) };
        let (n, ldc) = (if lanes { 1 } else { self.n_in }, self.conv.output[2]);
        let mut segments = [Segment::EMPTY; MAX_ROWS];
        for (vector, vectors) in Cuts::new(self.n_out.div_ceil(S::LANES), S::max_vectors(taps * n)).iter() {
            let col = vector * S::LANES;
            let width = (self.n_out - col).min(vectors * S::LANES);
            for i in 0..kernel_rows * runs {
                let (ky, run) = (i / runs, i % runs);
                let count = self.segments(ky, run, dy, col, &mut segments);
                let panel = Panel {
                    dw: dw.add((ky * kernel + run * taps) * n * ldc + col),
                    vectors,
                    last_lanes: width - (vectors - 1) * S::LANES,
                };
                self.tiles::<S>(panel, taps * n, &segments[..count]);
            }
        }
    }

    /// The rows of the band that meet row `ky` of the taps.
    #[inline(always)]
    unsafe fn segments(
        &self,
        ky: usize,
        run: usize,
        dy: Outputs,
        col: usize,
        segments: &mut [Segment; MAX_ROWS],
    ) -> usize {
        let lanes = self.conv.is_depthwise();
        let (a_col, a_row) = if lanes { (col, self.x.offset_step as usize * self.n_in) } else { (0, 1) };
        let mut n = 0;
        for (image, q) in self.band.iter() {
            if let Some(row) = self.y.source(q, ky) {
                let b = (image - self.band.image) * dy.image + (q - self.band.first) * dy.row + col;
                let row = self.rows.at(image * self.y.source_len + row, self.x.position(0, run));
                segments[n] = Segment {
                    a: row.wrapping_add(a_col),
                    a_row,
                    a_k: self.x.source_step * self.n_in,
                    b: dy.ptr.add(b),
                    b_k: dy.pixel,
                    k: self.x.count,
                };
                n += 1;
            }
        }
        n
    }

    /// `rows` rows of the gradient.
    #[inline(always)]
    unsafe fn tiles<S: Tiles>(&self, panel: Panel, rows: usize, segments: &[Segment]) {
        let reading = if self.conv.is_depthwise() { Reading::Lanes } else { Reading::Adjacent };
        let ldc = self.conv.output[2];
        for (row, height) in Cuts::new(rows, S::max_rows(panel.vectors)).iter() {
            let tile = Tile {
                segments: segments.as_ptr(),
                n_segments: segments.len(),
                row,
                c: panel.dw.add(row * ldc),
                ldc,
                swapped: false,
                last_lanes: panel.last_lanes,
                resume: self.resume,
                finish: None::<Finish>,
            };
            S::tile(reading, height, panel.vectors)(&tile);
        }
    }
}

/// Some columns of some rows of the gradient.
#[derive(Clone, Copy)]
struct Panel {
    dw: *mut f32,
    vectors: usize,
    last_lanes: usize,
}
