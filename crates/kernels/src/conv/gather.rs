//! Convolution as a matrix product: sources of every output are gathered side by side, a block of outputs at a time.
//!
//! Best where images are small and channels are many: a tile of the product spans rows and images.

use super::axis::Axis;
use super::{Conv, Direction};
use crate::gemm::{Epilogue, Mat, Part, gemm, scratch_len as gemm_scratch_len};

/// Floats that a block aims at: large enough that weights are seldom read again, within reach of the caches.
const BLOCK: usize = 1 << 19;
/// The same for weight gradients, which read the block once for each panel of columns.
const WEIGHT_BLOCK: usize = 1 << 18;
/// Outputs in a block, whatever their sources.
const MIN_PIXELS: usize = 32;
/// Parts of one product; more taps make more products.
const MAX_PARTS: usize = 8;

/// Floats of scratch for one direction.
pub(super) fn scratch_len(c: &Conv, images: usize) -> usize {
    let forward = {
        let (k, pixels) = (c.taps() * c.group_in(), images * c.output[0] * c.output[1]);
        let row = c.kernel[1] * c.group_in();
        (block(pixels, k) * k).max(weight_block(pixels, row) * row) + gemm_scratch_len(1, 1, k.max(pixels))
    };
    let backward = {
        let (k, n) = (c.taps() * c.group_out(), images * c.input[0] * c.input[1]);
        let copy = if c.stride == [1, 1] { 0 } else { c.group_in() };
        block(n, k) * (k + copy) + gemm_scratch_len(1, 1, k)
    };
    forward.max(backward)
}

/// The same for a row of taps in a weight gradient.
fn weight_block(pixels: usize, k: usize) -> usize {
    (WEIGHT_BLOCK / k.max(1)).max(MIN_PIXELS).min(pixels)
}

/// Outputs in a block.
fn block(pixels: usize, k: usize) -> usize {
    (BLOCK / k.max(1)).max(MIN_PIXELS).min(pixels)
}

/// The outputs of one phase and where they come from.
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

impl Conv {
    fn group_plane<'a>(
        &self,
        direction: Direction,
        phase: [usize; 2],
        group: usize,
        src: &'a [f32],
    ) -> Plane<'a> {
        let [y, x] = self.axes(direction, phase);
        let (channels, n) = match direction {
            Direction::Forward => (self.input[2], self.group_in()),
            Direction::Backward => (self.output[2], self.group_out()),
        };
        Plane { y, x, src, channels, from: group * n, n }
    }
}

/// [`Conv::forward`].
pub(super) fn forward(
    c: &Conv,
    images: usize,
    x: &[f32],
    w: &[f32],
    y: &mut [f32],
    epilogue: Epilogue,
    scratch: &mut [f32],
) {
    let (channels, n) = (c.output[2], c.group_out());
    for group in 0..c.groups {
        let plane = c.group_plane(Direction::Forward, [0, 0], group, x);
        let (pixels, k) = (plane.pixels(images), plane.k());
        let block = block(pixels, k);
        let (col, scratch) = scratch.split_at_mut(block * k);
        let b = Mat { data: w.get(group * n..).unwrap_or(&[]), row_stride: channels, col_stride: 1 };
        let mut from = 0;
        while from < pixels {
            let count = block.min(pixels - from);
            plane.gather(from, count, col);
            let a = Mat { data: col, row_stride: k, col_stride: 1 };
            let at = from * channels + group * n;
            let epilogue = shifted(epilogue, group * n, at);
            gemm(count, n, &mut y[at..], channels, &[Part { a, b, k }], false, epilogue, scratch);
            from += count;
        }
    }
}

/// The epilogue of a part of the channels and elements.
pub(super) fn shifted(epilogue: Epilogue, channel: usize, element: usize) -> Epilogue {
    Epilogue {
        bias: epilogue.bias.map(|bias| &bias[channel..]),
        gate: epilogue.gate.map(|gate| &gate[element..]),
        ..epilogue
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
        let whole = c.group_plane(Direction::Forward, [0, 0], group, x);
        let plane = Plane { y: whole.y.only(ky), ..whole };
        let (pixels, k) = (plane.pixels(images), plane.k());
        let block = weight_block(pixels, k);
        let (col, scratch) = scratch.split_at_mut(block * k);
        let dw = &mut dw[ky * k * channels + group * n..];
        let mut from = 0;
        while from < pixels {
            let count = block.min(pixels - from);
            plane.gather(from, count, col);
            let a = Mat { data: col, row_stride: 1, col_stride: k };
            let b = Mat { data: &dy[from * channels + group * n..], row_stride: channels, col_stride: 1 };
            let part = Part { a, b, k: count };
            gemm(k, n, dw, channels, &[part], accumulate || from > 0, Epilogue::default(), scratch);
            from += count;
        }
    }
}

/// [`Conv::input_gradient`].
pub(super) fn input_gradient(
    c: &Conv,
    images: usize,
    dy: &[f32],
    w: &[f32],
    dx: &mut [f32],
    epilogue: Epilogue,
    scratch: &mut [f32],
) {
    for group in 0..c.groups {
        for py in 0..c.stride[0] {
            for px in 0..c.stride[1] {
                let plane = c.group_plane(Direction::Backward, [py, px], group, dy);
                let phase = Phase { conv: c, plane, group, w };
                phase.run(images, dx, epilogue, scratch);
            }
        }
    }
}

/// One phase of an input gradient.
struct Phase<'a> {
    conv: &'a Conv,
    plane: Plane<'a>,
    group: usize,
    w: &'a [f32],
}

impl Phase<'_> {
    fn run(&self, images: usize, dx: &mut [f32], epilogue: Epilogue, scratch: &mut [f32]) {
        let (c, plane) = (self.conv, &self.plane);
        let (channels, n) = (c.input[2], c.group_in());
        let (pixels, k) = (plane.pixels(images), plane.k());
        let block = block(pixels, c.taps() * c.group_out());
        let (col, scratch) = scratch.split_at_mut(block * k);
        let adjacent = c.stride == [1, 1];
        let (copy, scratch) = scratch.split_at_mut(if adjacent { 0 } else { block * n });
        let mut from = 0;
        while from < pixels {
            let count = block.min(pixels - from);
            plane.gather(from, count, col);
            if adjacent {
                let at = from * channels + self.group * n;
                let epilogue = shifted(epilogue, self.group * n, at);
                self.product(count, col, &mut dx[at..], channels, epilogue, scratch);
            } else {
                self.product(count, col, copy, n, Epilogue::default(), scratch);
                self.scatter(from, copy, dx, epilogue, count);
            }
            from += count;
        }
    }

    /// All taps of `count` outputs into `out`, whose rows are `ldc` floats apart.
    fn product(
        &self,
        count: usize,
        col: &[f32],
        out: &mut [f32],
        ldc: usize,
        epilogue: Epilogue,
        scratch: &mut [f32],
    ) {
        let (c, plane) = (self.conv, &self.plane);
        let (n, k, taps) = (c.group_in(), plane.k(), plane.y.n_taps * plane.x.n_taps);
        let empty = Mat { data: &[], row_stride: 0, col_stride: 0 };
        let mut parts = [Part { a: empty, b: empty, k: 0 }; MAX_PARTS];
        let mut from = 0;
        loop {
            let count_parts = MAX_PARTS.min(taps - from);
            for (i, part) in (from..).zip(&mut parts[..count_parts]) {
                let tap = [plane.y.tap(i / plane.x.n_taps), plane.x.tap(i % plane.x.n_taps)];
                let at = (tap[0] * c.kernel[1] + tap[1]) * n * c.output[2] + plane.from;
                let a = Mat { data: &col[i * plane.n..], row_stride: k, col_stride: 1 };
                let b = Mat { data: &self.w[at..], row_stride: 1, col_stride: c.output[2] };
                *part = Part { a, b, k: plane.n };
            }
            let (done, last) = (from > 0, from + count_parts == taps);
            let tail = if last { epilogue } else { Epilogue::default() };
            gemm(count, n, out, ldc, &parts[..count_parts], done, tail, scratch);
            if last {
                return;
            }
            from += count_parts;
        }
    }

    /// Puts outputs from `from` on into their places, with the epilogue.
    fn scatter(&self, from: usize, copy: &[f32], dx: &mut [f32], epilogue: Epilogue, count: usize) {
        let (c, plane, n) = (self.conv, &self.plane, self.conv.group_in());
        if n == 0 {
            return;
        }
        for (p, line) in (from..from + count).zip(copy.chunks_exact(n)) {
            let (image, qy, qx) = plane.place(p);
            let (y, x) = (plane.y.first + qy * plane.y.step, plane.x.first + qx * plane.x.step);
            let at = ((image * c.input[0] + y) * c.input[1] + x) * c.input[2] + self.group * n;
            finish(line, &mut dx[at..at + n], shifted(epilogue, self.group * n, at));
        }
    }
}

/// `to = epilogue(line)`.
pub(super) fn finish(line: &[f32], to: &mut [f32], epilogue: Epilogue) {
    to.copy_from_slice(line);
    if let Some(bias) = epilogue.bias {
        to.iter_mut().zip(bias).for_each(|(v, bias)| *v += bias);
    }
    if epilogue.relu {
        to.iter_mut().for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v });
    }
    if let Some(gate) = epilogue.gate {
        to.iter_mut().zip(gate).for_each(|(v, gate)| *v = if *gate > 0.0 { *v } else { 0.0 });
    }
}
