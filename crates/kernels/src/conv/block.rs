//! A stretch of a weight gradient over the images of several slices, for weights that are large beside the images.

use super::axis::Axis;
use super::{Conv, Direction};
use crate::gemm::{Epilogue, Mat, Term, gemm, scratch_len as gemm_scratch_len};

/// Most elements of a block: with its factors it stays in the second-level cache.
const BLOCK_ELEMENTS: usize = 32 * 1024;
/// Floats of gathered sources at a time.
const SOURCES: usize = 64 * 1024;

impl Conv {
    /// Elements of the blocks into which a weight gradient should be cut: whole rows of output channels.
    pub fn block_len(&self) -> usize {
        let rows = (BLOCK_ELEMENTS / self.output[2].max(1)).clamp(1, self.group_in().max(1));
        rows * self.output[2]
    }

    /// Floats of scratch for [`Conv::weight_gradient_block`] over this many images in all.
    pub fn block_scratch_len(&self, images: usize) -> usize {
        let rows = self.block_len() / self.output[2].max(1);
        let pixels = self.output[0] * self.output[1];
        let gathered = rows * pixels * self.images_at_a_time(rows).min(images);
        gathered + gemm_scratch_len(rows, self.output[2], pixels * images)
    }

    fn images_at_a_time(&self, rows: usize) -> usize {
        (SOURCES / (self.output[0] * self.output[1] * rows).max(1)).max(1)
    }

    /// Elements `start..start + out.len()` of the weight gradient over all images: `parts` are slices of x and dy
    /// with as many images each. For a convolution with one group, and whole rows of output channels, at most a block
    /// of them.
    ///
    /// Each element is the chain of [`Conv::weight_gradient`]: images in order, then outputs in order.
    ///
    /// # Panics
    /// When there are groups, the stretch cuts a row, or a slice is too short.
    pub fn weight_gradient_block(
        &self,
        parts: &[(&[f32], &[f32])],
        start: usize,
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (c, o) = (self.input[2], self.output[2]);
        let (mut row, end) = (start / o.max(1), (start + out.len()) / o.max(1));
        let whole = start == row * o && start + out.len() == end * o;
        assert!(self.groups == 1 && whole, "one group, and whole rows of output channels");
        let mut rest = out;
        while row < end {
            // the rows of one tap
            let n = (c - row % c).min(end - row);
            let (dw, others) = rest.split_at_mut(n * o);
            let tap = Tap {
                conv: self,
                axes: self.axes(Direction::Forward, [0, 0]),
                tap: row / c,
                from: row % c,
                n,
            };
            tap.run(parts, dw, scratch);
            (rest, row) = (others, row + n);
        }
    }
}

/// Input channels `from..from + n` of one tap.
struct Tap<'a> {
    conv: &'a Conv,
    axes: [Axis; 2],
    tap: usize,
    from: usize,
    n: usize,
}

impl Tap<'_> {
    fn run(&self, parts: &[(&[f32], &[f32])], dw: &mut [f32], scratch: &mut [f32]) {
        let (c, o) = (self.conv, self.conv.output[2]);
        let pixels = c.output[0] * c.output[1];
        let at_a_time = c.images_at_a_time(self.n);
        let mut first = true;
        for (x, dy) in parts {
            let images = x.len() / c.input_len(1).max(1);
            for from in (0..images).step_by(at_a_time) {
                let count = at_a_time.min(images - from);
                let (sources, scratch) = scratch.split_at_mut(count * pixels * self.n);
                let each = x[from * c.input_len(1)..].chunks_exact(c.input_len(1));
                for (image, sources) in each.zip(sources.chunks_exact_mut((pixels * self.n).max(1))) {
                    self.gather(image, sources);
                }
                let a = Mat { data: sources, row_stride: 1, col_stride: self.n };
                let b = Mat { data: &dy[from * c.output_len(1)..], row_stride: o, col_stride: 1 };
                let part = Term { a, b, k: count * pixels };
                gemm(self.n, o, dw, o, &[part], !first, Epilogue::default(), scratch);
                first = false;
            }
        }
        if first {
            dw.fill(0.0);
        }
    }

    /// The sources of every output of an image: `[OH, OW, n]`.
    fn gather(&self, image: &[f32], sources: &mut [f32]) {
        let [_, width, c] = self.conv.input;
        let [y, x] = &self.axes;
        let [ky, kx] = [self.tap / self.conv.kernel[1], self.tap % self.conv.kernel[1]];
        for (qy, line) in sources.chunks_exact_mut((self.conv.output[1] * self.n).max(1)).enumerate() {
            let Some(row) = y.source(qy, ky) else {
                line.fill(0.0);
                continue;
            };
            for (qx, to) in line.chunks_exact_mut(self.n.max(1)).enumerate() {
                match x.source(qx, kx) {
                    Some(column) => {
                        to.copy_from_slice(&image[(row * width + column) * c + self.from..][..self.n]);
                    }
                    None => to.fill(0.0),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, salt: u32) -> Vec<f32> {
        let word = |i: usize| crate::philox::philox4x32([salt, 1], [i as u32, 0, 0, 0])[0];
        (0..n).map(|i| (word(i) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
    }

    #[test]
    fn blocks_are_stretches_of_the_weight_gradient() {
        let conv = Conv {
            input: [5, 4, 30],
            output: [3, 2, 1500],
            kernel: [3, 3],
            stride: [2, 2],
            padding: [1, 1],
            dilation: [1, 1],
            groups: 1,
        };
        let (x, dy) = (values(5 * 600, 1), values(5 * 9000, 2));
        let mut whole = vec![f32::NAN; 270 * 1500];
        let mut scratch = vec![f32::NAN; conv.scratch_len(5)];
        conv.weight_gradient(5, &x, &dy, &mut whole, false, &mut scratch);
        let parts = [(&x[..1200], &dy[..18000]), (&x[..0], &dy[..0]), (&x[1200..], &dy[18000..])];
        let mut scratch = vec![f32::NAN; conv.block_scratch_len(5)];
        for start in (0..whole.len()).step_by(conv.block_len()) {
            let mut block = vec![f32::NAN; conv.block_len().min(whole.len() - start)];
            conv.weight_gradient_block(&parts, start, &mut block, &mut scratch);
            assert_eq!(block, whole[start..start + block.len()], "from {start}");
        }
        let mut none = vec![f32::NAN; conv.block_len()];
        conv.weight_gradient_block(&[], 0, &mut none, &mut scratch);
        assert!(none.iter().all(|x| *x == 0.0));
    }
}
