//! Correlation across images: an output row of all images at once gives the rows of a matrix product's tile.
//!
//! For small images with many channels. Weights are read once for a block of images, and what lies outside of an image
//! costs nothing: at 4×4 pixels and 3×3 taps that is a third of the products, at 2×2 more than half.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; `Conv` checked the bounds

use super::axis::Axis;
use super::direct::Job;
use super::{Conv, Direction, LINE, aligned};
use crate::gemm::drive::Cuts;
use crate::gemm::micro::{Reading, Segment, Tile, Tiles};
use crate::gemm::pack::{View, pack_panel};
use crate::gemm::{Epilogue, MAX_WIDTH};
use crate::simd::simd_versions;

/// Floats of sums that a panel of columns aims at: a quarter of a second-level cache.
const SUMS: usize = 64 * 1024;

/// Sizes of a correlation of one group of channels.
struct Correlation<'a> {
    conv: &'a Conv,
    direction: Direction,
    /// `[H, W, C]` of source and output
    src: [usize; 3],
    out: [usize; 3],
    /// channels of a group
    n_src: usize,
    n_out: usize,
}

impl<'a> Correlation<'a> {
    fn new(conv: &'a Conv, direction: Direction) -> Correlation<'a> {
        let (src, out) = (conv.input, conv.output);
        let (n_src, n_out) = (conv.group_in(), conv.group_out());
        match direction {
            Direction::Forward => Correlation { conv, direction, src, out, n_src, n_out },
            Direction::Backward => {
                Correlation { conv, direction, src: out, out: src, n_src: n_out, n_out: n_src }
            }
        }
    }

    /// Most images in a block.
    fn most(&self) -> usize {
        (SUMS / (self.out[0] * self.out[1] * MAX_WIDTH).max(1)).max(1)
    }

    /// Floats from one copied pixel to the next: an odd number of lines, so that neighbors do not compete for the same
    /// places in the caches.
    fn pixel(&self) -> usize {
        (self.n_src.div_ceil(LINE) | 1) * LINE
    }

    /// Floats of scratch: copied sources, sums of a panel, its weights for one tap.
    fn lens(&self, images: usize) -> [usize; 3] {
        let sources = self.src[0] * self.src[1] * images * self.pixel();
        [sources, self.out[0] * self.out[1] * images * MAX_WIDTH, self.n_src * MAX_WIDTH]
    }

    /// Phases of the stride that have outputs.
    fn phases(&self) -> [usize; 2] {
        if self.direction == Direction::Forward {
            return [1, 1];
        }
        [0, 1].map(|i| self.conv.stride[i].min(self.out[i]))
    }
}

/// Floats of scratch.
pub(super) fn scratch_len(c: &Conv, direction: Direction, images: usize) -> usize {
    let correlation = Correlation::new(c, direction);
    correlation.lens(correlation.most().min(images)).iter().sum::<usize>() + LINE
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
    let correlation = Correlation::new(job.conv, job.direction);
    let [sources, sums, _] = correlation.lens(correlation.most().min(job.images));
    let scratch = aligned(scratch);
    for (first, images) in Cuts::new(job.images, correlation.most()).iter() {
        for group in 0..job.conv.groups {
            let part = Block { correlation: &correlation, first, images, group, sources: scratch };
            part.copy(job.src.as_ptr());
            let [py, px] = correlation.phases();
            for (y, x) in (0..py).flat_map(|y| (0..px).map(move |x| (y, x))) {
                let [y, x] = job.conv.axes(job.direction, [y, x]);
                let phase = Phase { block: &part, y, x, sums: scratch.add(sources) };
                phase.run::<S>(job, scratch.add(sources + sums));
            }
        }
    }
}

/// Some images, some channels, and where their sources lie: `[H, W, images, pixel]`.
struct Block<'a> {
    correlation: &'a Correlation<'a>,
    first: usize,
    images: usize,
    group: usize,
    sources: *mut f32,
}

impl Block<'_> {
    unsafe fn copy(&self, src: *const f32) {
        let Correlation { src: [h, w, c], n_src, .. } = *self.correlation;
        for image in 0..self.images {
            for p in 0..h * w {
                let from = src.add(((self.first + image) * h * w + p) * c + self.group * n_src);
                let to = self.sources.add((p * self.images + image) * self.correlation.pixel());
                to.copy_from_nonoverlapping(from, n_src);
            }
        }
    }
}

/// Outputs of one phase of the stride; sums lie as `[rows, columns, images, panel]`.
struct Phase<'a> {
    block: &'a Block<'a>,
    y: Axis,
    x: Axis,
    sums: *mut f32,
}

/// Some columns of the product, `vectors` wide, of which `width` floats exist.
#[derive(Clone, Copy)]
struct Panel {
    col: usize,
    width: usize,
    vectors: usize,
    wide: usize,
}

impl Phase<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(&self, job: &mut Job, packed: *mut f32) {
        let n = self.block.correlation.n_out;
        let rows = self.x.count * self.block.images;
        for (vector, vectors) in Cuts::new(n.div_ceil(S::LANES), S::max_vectors(rows)).iter() {
            let (col, wide) = (vector * S::LANES, vectors * S::LANES);
            let panel = Panel { col, width: (n - col).min(wide), vectors, wide };
            self.sums.write_bytes(0, self.y.count * rows * wide);
            for i in 0..self.y.n_taps {
                for j in 0..self.x.n_taps {
                    self.tap::<S>([i, j], panel, job.w, packed);
                }
            }
            self.finish::<S>(panel, job);
        }
    }

    /// Adds a tap to all outputs that have a source for it.
    #[inline(always)]
    unsafe fn tap<S: Tiles>(&self, [i, j]: [usize; 2], panel: Panel, w: &[f32], packed: *mut f32) {
        let Block { correlation, images, sources, .. } = *self.block;
        let (b, b_k) = self.weights::<S>([i, j], panel, w, packed);
        let columns = self.x.outputs(j);
        // where neighbors have neighboring sources, their rows are one matrix
        let step = if self.x.source_step == 1 { columns.len().max(1) } else { 1 };
        for (qy, qx) in self.y.outputs(i).flat_map(|qy| columns.clone().step_by(step).map(move |qx| (qy, qx)))
        {
            let pixel =
                self.y.position(qy, i) as usize * correlation.src[1] + self.x.position(qx, j) as usize;
            let a = sources.add(pixel * images * correlation.pixel());
            let seg = Segment { a, a_row: correlation.pixel(), a_k: 1, b, b_k, k: correlation.n_src };
            let c = self.sums.add((qy * self.x.count + qx) * images * panel.wide);
            let rows = step.min(columns.end - qx) * images;
            for (row, height) in Cuts::new(rows, S::max_rows(panel.vectors)).iter() {
                let tile = Tile {
                    segments: &seg,
                    n_segments: 1,
                    row,
                    c: c.add(row * panel.wide),
                    ldc: panel.wide,
                    reading: Reading::Strided,
                    swapped: false,
                    last_lanes: S::LANES,
                    resume: true,
                    finish: None,
                };
                S::run(&tile, height, panel.vectors);
            }
        }
    }

    /// A tap's weights for a panel: in place where whole vectors lie there, else copied.
    #[inline(always)]
    unsafe fn weights<S: Tiles>(
        &self,
        [i, j]: [usize; 2],
        panel: Panel,
        w: &[f32],
        packed: *mut f32,
    ) -> (*const f32, usize) {
        let Block { correlation, group, .. } = *self.block;
        let (c, o) = (correlation.conv, correlation.conv.output[2]);
        let tap = self.y.tap(i) * c.kernel[1] + self.x.tap(j);
        let tap = w.as_ptr().add(tap * c.group_in() * o + group * c.group_out());
        let end = std::ptr::null();
        let view = match correlation.direction {
            Direction::Forward if panel.width == panel.wide => return (tap.add(panel.col), o),
            Direction::Forward => View { ptr: tap.add(panel.col), rs: o, cs: 1, end },
            Direction::Backward => View { ptr: tap.add(panel.col * o), rs: 1, cs: o, end },
        };
        pack_panel::<S>(view, correlation.n_src, panel.width, panel.vectors, packed);
        (packed, panel.wide)
    }

    /// Puts the sums of a panel into their places, with the epilogue.
    #[inline(always)]
    unsafe fn finish<S: Tiles>(&self, panel: Panel, job: &mut Job) {
        let Block { correlation, first, images, group, .. } = *self.block;
        let [h, w, channels] = correlation.out;
        let channel = group * correlation.n_out + panel.col;
        for q in 0..self.y.count * self.x.count {
            let (y, x) = (q / self.x.count, q % self.x.count);
            let pixel = (self.y.first + y * self.y.step) * w + self.x.first + x * self.x.step;
            for image in 0..images {
                let sums = self.sums.add((q * images + image) * panel.wide);
                let at = ((first + image) * h * w + pixel) * channels + channel;
                line::<S>(sums, &mut job.out[at..at + panel.width], &job.epilogue, [channel, at]);
            }
        }
    }
}

/// `out = epilogue(sums)` for channels from `channel` and elements from `at` on.
#[inline(always)]
unsafe fn line<S: Tiles>(sums: *const f32, out: &mut [f32], epilogue: &Epilogue, [channel, at]: [usize; 2]) {
    let mut i = 0;
    while i < out.len() {
        let keep = S::mask(S::LANES.min(out.len() - i));
        let mut v = S::load(sums.add(i));
        if let Some(bias) = epilogue.bias {
            v = S::add(v, S::load_masked(bias.as_ptr().add(channel + i), keep));
        }
        if epilogue.relu {
            v = S::relu(v);
        }
        if let Some(gate) = epilogue.gate {
            v = S::gate(v, S::load_masked(gate.as_ptr().add(at + i), keep));
        }
        S::store_masked(out.as_mut_ptr().add(i), v, keep);
        i += S::LANES;
    }
}
