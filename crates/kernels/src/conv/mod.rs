//! Single-threaded convolutions of channels-last images, forwards and backwards, with bits that depend on nothing but the operands.

mod axis;
mod block;
mod gather;

use crate::gemm::Epilogue;
use axis::{Axis, Sizes};

/// The geometry of a convolution of `x: [images, H, W, C]` with `w: [KH, KW, C / groups, O]` into `y: [images, OH, OW, O]`.
///
/// `y[oy, ox, o] = sum over ky, kx, c of x[oy * stride + ky * dilation - padding, ..., c] * w[ky, kx, c, o]`, where
/// positions outside the image are zero; channels of group g take only channels of group g. The three
/// directions are the product's derivatives by one another, so a transposed convolution is
/// [`Conv::input_gradient`] of the convolution that it transposes.
///
/// Each result is one chain of fused multiply-adds in an order that follows from the geometry alone: an image
/// alone equals the image among others, and a weight gradient over some images, continued over others, equals
/// the one over all. AVX-512, AVX2 and Advanced SIMD agree bit for bit; the portable version rounds each product.
/// Images may be in one call or several; sizes of zero are legal. Nothing is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    /// `[H, W, C]`
    pub input: [usize; 3],
    /// `[OH, OW, O]`
    pub output: [usize; 3],
    /// `[KH, KW]`
    pub kernel: [usize; 2],
    /// `[rows, columns]` from one output's first source to the next one's.
    pub stride: [usize; 2],
    /// Zeros `[above, left]`; those below and right follow from the output.
    pub padding: [usize; 2],
    /// `[rows, columns]` from one tap to the next.
    pub dilation: [usize; 2],
    /// Divides C and O.
    pub groups: usize,
}

/// Which side of the map is the source.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Forward,
    Backward,
}

impl Conv {
    /// Floats of scratch that each direction needs for so many images; never falls as images grow.
    pub fn scratch_len(&self, images: usize) -> usize {
        if self.is_empty() { 0 } else { gather::scratch_len(self, images) }
    }

    /// `y = epilogue(x * w)`; `bias: [O]`, gate like `y`. Cost: `2 images OH OW O KH KW C / groups` operations.
    ///
    /// # Panics
    /// When a slice is shorter than the geometry says, or groups do not divide the channels.
    pub fn forward(
        &self,
        images: usize,
        x: &[f32],
        w: &[f32],
        y: &mut [f32],
        epilogue: Epilogue,
        scratch: &mut [f32],
    ) {
        self.check(images, x, y, w, scratch);
        check_epilogue(&epilogue, self.output[2], self.output_len(images));
        let y = &mut y[..self.output_len(images)];
        gather::forward(self, images, x, w, y, epilogue, scratch);
    }

    /// `dx = epilogue(sum over outputs of dy * w)`; `bias: [C]`, gate like `dx`. Cost as [`Conv::forward`].
    ///
    /// # Panics
    /// As [`Conv::forward`].
    pub fn input_gradient(
        &self,
        images: usize,
        dy: &[f32],
        w: &[f32],
        dx: &mut [f32],
        epilogue: Epilogue,
        scratch: &mut [f32],
    ) {
        self.check(images, dx, dy, w, scratch);
        check_epilogue(&epilogue, self.input[2], self.input_len(images));
        let dx = &mut dx[..self.input_len(images)];
        gather::input_gradient(self, images, dy, w, dx, epilogue, scratch);
    }

    /// `dw = [dw +] sum over images and outputs of x * dy`. Cost as [`Conv::forward`].
    ///
    /// # Panics
    /// As [`Conv::forward`].
    pub fn weight_gradient(
        &self,
        images: usize,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        accumulate: bool,
        scratch: &mut [f32],
    ) {
        self.check(images, x, dy, dw, scratch);
        let dw = &mut dw[..self.weight_len()];
        if images * self.output[0] * self.output[1] == 0 {
            if !accumulate {
                dw.fill(0.0);
            }
            return;
        }
        gather::weight_gradient(self, images, x, dy, dw, accumulate, scratch);
    }

    fn input_len(&self, images: usize) -> usize {
        images * self.input[0] * self.input[1] * self.input[2]
    }

    fn output_len(&self, images: usize) -> usize {
        images * self.output[0] * self.output[1] * self.output[2]
    }

    fn weight_len(&self) -> usize {
        self.taps() * self.group_in() * self.output[2]
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Input channels of a group.
    fn group_in(&self) -> usize {
        self.input[2] / self.groups
    }

    /// Output channels of a group.
    fn group_out(&self) -> usize {
        self.output[2] / self.groups
    }

    /// No value anywhere.
    fn is_empty(&self) -> bool {
        self.input_len(1) == 0 && self.output_len(1) == 0
    }

    /// Rows and columns; the phase is that of a backward map.
    fn axes(&self, direction: Direction, phase: [usize; 2]) -> [Axis; 2] {
        [0, 1].map(|i| {
            let sizes = Sizes {
                input: self.input[i],
                output: self.output[i],
                kernel: self.kernel[i],
                stride: self.stride[i],
                padding: self.padding[i],
                dilation: self.dilation[i],
            };
            match direction {
                Direction::Forward => Axis::forward(sizes),
                Direction::Backward => Axis::backward(sizes, phase[i]),
            }
        })
    }

    /// Panics unless every index that the three directions touch exists.
    fn check(&self, images: usize, x: &[f32], y: &[f32], w: &[f32], scratch: &[f32]) {
        let Conv { groups, stride, dilation, .. } = *self;
        assert!(
            groups > 0 && stride.iter().chain(&dilation).all(|n| *n > 0),
            "conv: a size is zero: {self:?}"
        );
        let divides = self.input[2].is_multiple_of(groups) && self.output[2].is_multiple_of(groups);
        assert!(divides, "conv: groups do not divide the channels: {self:?}");
        let need =
            [self.input_len(images), self.output_len(images), self.weight_len(), self.scratch_len(images)];
        let have = [x.len(), y.len(), w.len(), scratch.len()];
        for ((name, have), need) in ["x", "y", "w", "scratch"].iter().zip(have).zip(need) {
            assert!(have >= need, "conv: {name} holds {have} floats, {images} images need {need}: {self:?}");
        }
    }
}

fn check_epilogue(epilogue: &Epilogue, channels: usize, len: usize) {
    if let Some(bias) = epilogue.bias {
        assert!(bias.len() >= channels, "conv: bias holds {} floats, channels are {channels}", bias.len());
    }
    if let Some(gate) = epilogue.gate {
        assert!(gate.len() >= len, "conv: gate holds {} floats, needs {len}", gate.len());
    }
}
