//! Weight gradients with the tiles of the matrix product: taps and channels are a tile's rows, and the pixels of a band its inner dimension.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::axis::Axis;
use super::rows::{Band, Bands, Frame, Rows};
use super::{Conv, Direction};
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Finish, Segment, Tile, Tiles};
use crate::gemm::pack::{View, pack_panel};
use crate::simd::on_this_machine;

/// Floats in a cache line, and in the widest vector.
const LINE: usize = 16;
/// The most output rows in a band.
const MAX_ROWS: usize = 64;
/// Floats of source rows in a band.
const BAND: usize = 6 << 10;

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
    let frame = Frame::new(c, Direction::Forward);
    let bands = bands(c, &frame);
    let ring = if frame.in_place() { 0 } else { bands.slots(&frame) * frame.row_len() };
    ring + copied_dy(c) * bands.max_rows() + 2 * LINE
}

/// Floats of a copied row of dy; zero if all rows are read in place.
fn copied_dy(c: &Conv) -> usize {
    let n = c.group_out();
    if n.is_multiple_of(LINE) { 0 } else { c.output[1] * n.next_multiple_of(LINE) }
}

fn bands(c: &Conv, frame: &Frame) -> Bands {
    Bands::new(frame, c.output[0], MAX_ROWS, BAND)
}

on_this_machine! {
    /// The whole gradient.
    ///
    /// # Safety
    /// `job` was checked, and has outputs; `scratch` has `scratch_len` floats.
    pub(super) unsafe fn run(job: &mut Job, scratch: *mut f32) = run_with;
}

#[inline(always)]
unsafe fn run_with<S: Tiles>(job: &mut Job, scratch: *mut f32) {
    let c = job.conv;
    let frame = Frame::new(c, Direction::Forward);
    let bands = bands(c, &frame);
    let ring = aligned(scratch);
    let copies = aligned(ring.add(if frame.in_place() { 0 } else { bands.slots(&frame) * frame.row_len() }));
    let [y, x] = c.axes(Direction::Forward, [0, 0]);
    for group in 0..c.groups {
        let src = job.x.as_ptr().add(group * c.group_in());
        let mut rows = Rows::new(frame, src, ring, bands.slots(&frame));
        let mut resume = job.accumulate;
        for band in bands.iter(job.images) {
            let (from, to) = band.sources(&frame);
            rows.fill(from, to);
            let pass = Pass { conv: c, y, x, rows: &rows, band, resume };
            let dy = pass.outputs::<S>(job.dy.as_ptr().add(group * c.group_out()), copies);
            pass.run::<S>(dy, job.dw.as_mut_ptr().add(group * c.group_out()));
            resume = true;
        }
    }
}

fn aligned(p: *mut f32) -> *mut f32 {
    p.wrapping_add(p.align_offset(LINE * size_of::<f32>()).min(LINE))
}

/// One band of one group.
struct Pass<'a> {
    conv: &'a Conv,
    y: Axis,
    x: Axis,
    rows: &'a Rows,
    band: Band,
    resume: bool,
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
        let (c, band, n) = (self.conv, self.band, self.conv.group_out());
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

    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, dy: Outputs, dw: *mut f32) {
        let (c, n) = (self.conv, self.conv.group_in());
        let (runs, taps) = if self.x.offset_step == 1 { (1, c.kernel[1]) } else { (c.kernel[1], 1) };
        let mut segments = [Segment::EMPTY; MAX_ROWS];
        for i in 0..c.kernel[0] * runs {
            let (ky, run) = (i / runs, i % runs);
            let count = self.segments(ky, run, dy, &mut segments);
            let dw = dw.add((ky * c.kernel[1] + run * taps) * n * c.output[2]);
            self.tiles::<S>(taps * n, &mut segments[..count], dw);
        }
    }

    /// The rows of the band that meet row `ky` of the taps.
    #[inline(always)]
    unsafe fn segments(
        &self,
        ky: usize,
        run: usize,
        dy: Outputs,
        segments: &mut [Segment; MAX_ROWS],
    ) -> usize {
        let mut n = 0;
        for (image, q) in self.band.iter() {
            if let Some(row) = self.y.source(q, ky) {
                let b = dy.ptr.add((image - self.band.image) * dy.image + (q - self.band.first) * dy.row);
                segments[n] = Segment {
                    a: self.rows.at(image * self.y.source_len + row, self.x.position(0, run)),
                    a_row: 1,
                    a_k: self.x.source_step * self.conv.group_in(),
                    b,
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
    unsafe fn tiles<S: Tiles>(&self, rows: usize, segments: &mut [Segment], dw: *mut f32) {
        let (n, ldc) = (self.conv.group_out(), self.conv.output[2]);
        for (vector, vectors) in Cuts::new(n.div_ceil(S::LANES), S::max_vectors(rows)).iter() {
            let col = vector * S::LANES;
            let width = (n - col).min(vectors * S::LANES);
            for (row, height) in Cuts::new(rows, S::max_rows(vectors)).iter() {
                let tile = Tile {
                    segments: segments.as_ptr(),
                    n_segments: segments.len(),
                    row,
                    c: dw.add(row * ldc + col),
                    ldc,
                    swapped: false,
                    last_lanes: width - (vectors - 1) * S::LANES,
                    resume: self.resume,
                    finish: None::<Finish>,
                };
                S::tile(true, height, vectors)(&tile);
            }
            segments.iter_mut().for_each(|s| s.b = s.b.wrapping_add(vectors * S::LANES));
        }
    }
}
