//! The weight gradient of small images as a matrix product: sources of every output are gathered side by side, a block
//! of outputs at a time.

use super::axis::Axis;
use super::{Conv, Direction};
use crate::gemm::{Epilogue, Mat, Term, gemm, scratch_len as gemm_scratch_len};

/// Floats that a block aims at: it is read once for each panel of columns.
const BLOCK: usize = 1 << 18;
/// Outputs in a block, whatever their sources.
const MIN_PIXELS: usize = 32;

/// Floats of scratch.
pub(super) fn scratch_len(c: &Conv, images: usize) -> usize {
    let (row, pixels) = (c.kernel[1] * c.group_in(), images * c.output[0] * c.output[1]);
    block(pixels, row) * row + gemm_scratch_len(1, 1, pixels)
}

/// Outputs in a block.
fn block(pixels: usize, k: usize) -> usize {
    (BLOCK / k.max(1)).max(MIN_PIXELS).min(pixels)
}

/// The outputs of one group and where they come from.
struct Plane<'a> {
    y: Axis,
    x: Axis,
    src: &'a [f32],
    channels: usize,
    /// The group's channels: first and number.
    from: usize,
    n: usize,
}

impl Plane<'_> {
    fn pixels(&self, images: usize) -> usize {
        images * self.y.count * self.x.count
    }

    fn k(&self) -> usize {
        self.y.n_taps * self.x.n_taps * self.n
    }

    /// Image, row and column of output `p`.
    fn place(&self, p: usize) -> (usize, usize, usize) {
        let (row, qx) = (p / self.x.count, p % self.x.count);
        (row / self.y.count, row % self.y.count, qx)
    }

    /// `col: [count, taps, n]` from output `from` on.
    fn gather(&self, from: usize, count: usize, col: &mut [f32]) {
        let k = self.k();
        if k == 0 {
            return;
        }
        for (p, line) in (from..from + count).zip(col.chunks_exact_mut(k)) {
            let (image, qy, qx) = self.place(p);
            for (i, line) in line.chunks_exact_mut(self.x.n_taps * self.n).enumerate() {
                match self.y.source(qy, i) {
                    Some(row) => self.gather_row(image * self.y.source_len + row, qx, line),
                    None => line.fill(0.0),
                }
            }
        }
    }

    /// The sources in row `row` of all images, side by side.
    fn gather_row(&self, row: usize, qx: usize, line: &mut [f32]) {
        let at = |x: usize| (row * self.x.source_len + x) * self.channels + self.from;
        let adjacent = self.x.offset_step == 1 && self.n == self.channels;
        let (first, last) = (self.x.source(qx, 0), self.x.source(qx, self.x.n_taps - 1));
        if let (true, Some(first), Some(_)) = (adjacent, first, last) {
            line.copy_from_slice(&self.src[at(first)..][..line.len()]);
            return;
        }
        for (i, line) in line.chunks_exact_mut(self.n).enumerate() {
            match self.x.source(qx, i) {
                Some(x) => line.copy_from_slice(&self.src[at(x)..][..self.n]),
                None => line.fill(0.0),
            }
        }
    }
}

/// [`Conv::weight_gradient`], one row of taps at a time: the fewer weights, the more outputs fit a block, and
/// the less often weights are read and written.
pub(super) fn weight_gradient(
    c: &Conv,
    images: usize,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
    accumulate: bool,
    scratch: &mut [f32],
) {
    let (channels, n) = (c.output[2], c.group_out());
    for (group, ky) in (0..c.groups).flat_map(|group| (0..c.kernel[0]).map(move |ky| (group, ky))) {
        let [rows, columns] = c.axes(Direction::Forward, [0, 0]);
        let n_src = c.group_in();
        let plane = Plane {
            y: rows.only(ky),
            x: columns,
            src: x,
            channels: c.input[2],
            from: group * n_src,
            n: n_src,
        };
        let (pixels, k) = (plane.pixels(images), plane.k());
        let block = block(pixels, k);
        let (col, scratch) = scratch.split_at_mut(block * k);
        let dw = &mut dw[ky * k * channels + group * n..];
        let mut from = 0;
        while from < pixels {
            let count = block.min(pixels - from);
            plane.gather(from, count, col);
            let a = Mat { data: col, row_stride: 1, col_stride: k };
            let b = Mat { data: &dy[from * channels + group * n..], row_stride: channels, col_stride: 1 };
            let part = Term { a, b, k: count };
            gemm(k, n, dw, channels, &[part], accumulate || from > 0, Epilogue::default(), scratch);
            from += count;
        }
    }
}
