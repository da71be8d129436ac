//! Convolutions of channels-last images on one thread, with bits that depend on nothing but the operands.

mod across;
mod axis;
mod block;
mod direct;
mod gather;
mod group;
mod rows;
mod weights;
mod winograd;

use crate::gemm::Epilogue;
use crate::sizes::product;
use axis::{Axis, Sizes};
use winograd::Winograd;

/// The geometry of a convolution of `x: [images, H, W, C]` with `w: [KH, KW, C / groups, O]` into
/// `y: [images, OH, OW, O]`.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// from the input to the output
    Forward,
    /// from the output's gradient to the input's
    Backward,
}

/// Floats in a cache line, and in the widest vector.
const LINE: usize = 16;
/// Outputs in a row from which on rows are worked on one by one.
const MIN_DIRECT: usize = 7;
/// Weights of a group up to which their gradient is worked on row by row.
const MAX_DIRECT_WEIGHTS: usize = 1 << 16;

impl Conv {
    /// Whether every position, every row with what is around it, and all scratch can be counted: one image and the
    /// output, with all places where taps may lie, have at most 2⁴⁸ floats. Calls with other geometries panic.
    pub fn is_bounded(&self) -> bool {
        let places = |i: usize| {
            let taps = (self.kernel[i].max(1) as u128 - 1).saturating_mul(self.dilation[i] as u128);
            let windows = (self.output[i].max(1) as u128 - 1).saturating_mul(self.stride[i] as u128);
            let sizes = self.input[i] as u128 + self.output[i] as u128 + self.padding[i] as u128;
            windows.saturating_add(taps.saturating_mul(2)).saturating_add(sizes)
        };
        let channels = self.input[2] as u128 + self.output[2] as u128 + LINE as u128;
        let taps = self.kernel[0] as u128 * self.kernel[1] as u128;
        let all = places(0).saturating_mul(places(1)).saturating_mul(channels);
        let steps = self.stride.iter().chain(&self.dilation).all(|n| *n <= 1 << 32);
        all <= 1 << 48 && taps <= 1 << 48 && steps
    }

    /// Floats of scratch that each direction needs for this many images; never falls as images grow.
    pub fn scratch_len(&self, images: usize) -> usize {
        if self.is_empty() {
            return 0;
        }
        let of = |direction: Direction| match Winograd::of(self, direction) {
            Some(at) => at.scratch_len(images).max(at.prepare_scratch_len()),
            None if self.is_direct(direction) => direct::scratch_len(self, direction),
            None => across::scratch_len(self, direction, images),
        };
        let weights = match Winograd::of(self, Direction::Forward) {
            Some(_) => 0,
            None if self.is_weight_direct() => weights::scratch_len(self),
            None => gather::scratch_len(self, images),
        };
        of(Direction::Forward).max(of(Direction::Backward)).max(weights)
    }

    /// Floats of the weights as a direction wants them: what [`Conv::prepare`] makes, once for any number of calls.
    /// Nothing where it wants them as they are.
    pub fn prepared_len(&self, direction: Direction) -> usize {
        Winograd::of(self, direction).map_or(0, |at| at.weights_len())
    }

    /// Makes the weights as a direction wants them; scratch as for one image.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn prepare(&self, direction: Direction, w: &[f32], out: &mut [f32], scratch: &mut [f32]) {
        let Some(at) = Winograd::of(self, direction) else { return };
        assert!(
            w.len() >= self.weight_len() && out.len() >= at.weights_len(),
            "conv: short weights: {self:?}"
        );
        assert!(scratch.len() >= at.prepare_scratch_len(), "conv: short scratch: {self:?}");
        // SAFETY: the slices hold what the geometry says.
        unsafe { winograd::prepare(&mut winograd::Prepare { at, w, out, scratch }) }
    }

    /// Floats of what [`Conv::weight_gradient`] adds up, from which [`Conv::gradient_of_sums`] makes the gradient.
    pub fn sums_len(&self) -> usize {
        Winograd::of(self, Direction::Forward).map_or(self.weight_len(), |at| at.weights_len())
    }

    /// The weight gradient from its sums, which may be those of several calls, added element by element.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn gradient_of_sums(&self, sums: &[f32], dw: &mut [f32]) {
        assert!(sums.len() >= self.sums_len(), "conv: short sums: {self:?}");
        let dw = &mut dw[..self.weight_len()];
        match Winograd::of(self, Direction::Forward) {
            // SAFETY: the slices hold what the geometry says.
            Some(at) => unsafe { winograd::taps(&mut winograd::Taps { at, sums, dw }) },
            None => dw.copy_from_slice(&sums[..dw.len()]),
        }
    }

    /// `y = epilogue(x * w)`, w as [`Conv::prepare`] makes it; `bias: [O]`, gate like `y`.
    /// Cost: `2 images OH OW O KH KW C / groups` operations.
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
        self.check(images, x, y, (w, self.wanted_len(Direction::Forward)), scratch);
        check_epilogue(&epilogue, self.output[2], self.output_len(images));
        let y = &mut y[..self.output_len(images)];
        if y.is_empty() {
            return;
        }
        if let Some(at) = Winograd::of(self, Direction::Forward) {
            let mut job = winograd::Correlate { at, images, src: x, weights: w, dst: y, epilogue, scratch };
            // SAFETY: the slices hold what the geometry says.
            return unsafe { winograd::correlate(&mut job) };
        }
        self.correlate(
            direct::Job { conv: self, direction: Direction::Forward, images, src: x, w, out: y, epilogue },
            scratch,
        )
    }

    /// `dx = epilogue(sum over outputs of dy * w)`, w as [`Conv::prepare`] makes it; `bias: [C]`, gate like
    /// `dx`. Cost as [`Conv::forward`].
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
        self.check(images, dx, dy, (w, self.wanted_len(Direction::Backward)), scratch);
        check_epilogue(&epilogue, self.input[2], self.input_len(images));
        let dx = &mut dx[..self.input_len(images)];
        if dx.is_empty() {
            return;
        }
        if let Some(at) = Winograd::of(self, Direction::Backward) {
            let mut job = winograd::Correlate { at, images, src: dy, weights: w, dst: dx, epilogue, scratch };
            // SAFETY: the slices hold what the geometry says.
            return unsafe { winograd::correlate(&mut job) };
        }
        self.correlate(
            direct::Job { conv: self, direction: Direction::Backward, images, src: dy, w, out: dx, epilogue },
            scratch,
        )
    }

    /// A map that was checked, tap by tap.
    fn correlate(&self, mut job: direct::Job, scratch: &mut [f32]) {
        // SAFETY: the slices hold what the geometry says.
        unsafe {
            match self.is_direct(job.direction) {
                true => direct::run(&mut job, scratch.as_mut_ptr()),
                false => across::run(&mut job, scratch.as_mut_ptr()),
            }
        }
    }

    /// `sums = [sums +] sum over images and outputs of x * dy`, in the form of [`Conv::gradient_of_sums`]. Cost as
    /// [`Conv::forward`].
    ///
    /// # Panics
    /// As [`Conv::forward`].
    pub fn weight_gradient(
        &self,
        images: usize,
        x: &[f32],
        dy: &[f32],
        sums: &mut [f32],
        accumulate: bool,
        scratch: &mut [f32],
    ) {
        self.check(images, x, dy, (sums, self.sums_len()), scratch);
        let sums = &mut sums[..self.sums_len()];
        if sums.is_empty() || self.output_len(images) == 0 {
            if !accumulate {
                sums.fill(0.0);
            }
            return;
        }
        if let Some(at) = Winograd::of(self, Direction::Forward) {
            let mut job = winograd::Gradient { at, images, x, dy, sums, accumulate, scratch };
            // SAFETY: the slices hold what the geometry says.
            return unsafe { winograd::gradient(&mut job) };
        }
        if !self.is_weight_direct() {
            return gather::weight_gradient(self, images, x, dy, sums, accumulate, scratch);
        }
        let mut job = weights::Job { conv: self, images, x, dy, dw: sums, accumulate };
        // SAFETY: the slices hold what the geometry says.
        unsafe { weights::run(&mut job, scratch.as_mut_ptr()) }
    }

    /// Floats of the weights that a direction takes.
    fn wanted_len(&self, direction: Direction) -> usize {
        match self.prepared_len(direction) {
            0 => self.weight_len(),
            len => len,
        }
    }

    /// Whether rows are long enough to be worked on one by one.
    fn is_direct(&self, direction: Direction) -> bool {
        self.is_depthwise() || self.axes(direction, [0, 0])[1].count >= MIN_DIRECT
    }

    /// Whether the weight gradient is worked on row by row: it is read and written again for every few rows.
    fn is_weight_direct(&self) -> bool {
        self.is_depthwise()
            || self.is_direct(Direction::Forward)
                && self.taps() * self.group_in() * self.group_out() <= MAX_DIRECT_WEIGHTS
    }

    /// Every channel has its own kernel.
    fn is_depthwise(&self) -> bool {
        self.groups == self.input[2] && self.groups == self.output[2]
    }

    /// Groups that are worked on one after the other, with their input and output channels: depthwise, all
    /// channels at once, lane by lane.
    fn split(&self) -> (usize, usize, usize) {
        if self.is_depthwise() {
            return (1, self.input[2], self.output[2]);
        }
        (self.groups, self.group_in(), self.group_out())
    }

    fn input_len(&self, images: usize) -> usize {
        product(&[images, self.input[0], self.input[1], self.input[2]])
    }

    fn output_len(&self, images: usize) -> usize {
        product(&[images, self.output[0], self.output[1], self.output[2]])
    }

    fn weight_len(&self) -> usize {
        product(&[self.kernel[0], self.kernel[1], self.group_in(), self.output[2]])
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
    fn check(&self, images: usize, x: &[f32], y: &[f32], (w, weights): (&[f32], usize), scratch: &[f32]) {
        let Conv { groups, stride, dilation, .. } = *self;
        assert!(self.is_bounded(), "conv: positions that cannot be counted: {self:?}");
        assert!(
            groups > 0 && stride.iter().chain(&dilation).all(|n| *n > 0),
            "conv: a size is zero: {self:?}"
        );
        let divides = self.input[2].is_multiple_of(groups) && self.output[2].is_multiple_of(groups);
        assert!(divides, "conv: groups do not divide the channels: {self:?}");
        let need = [self.input_len(images), self.output_len(images), weights, self.scratch_len(images)];
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

/// The first cache line from `p` on.
fn aligned(p: *mut f32) -> *mut f32 {
    p.wrapping_add(p.align_offset(LINE * size_of::<f32>()).min(LINE))
}
