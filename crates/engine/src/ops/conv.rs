//! Convolution of images with channels last, in one or two dimensions.
//!
//! `y[b, i, j, o] = Σ x[b, i·s + k·d − p, …, c] · w[k, …, c, o]` over taps and the channels of the output's group: a
//! cross-correlation, as everywhere in the field. The gradients are operators too ([`super::conv_input`],
//! [`super::conv_weight`]), and the three are closed under differentiation.

use super::conv_input::ConvInput;
use super::conv_weight::ConvWeight;
use super::{Op, Operator, bounded};
use crate::error::Fault;
use crate::grad::Backward;
use crate::graph::{Built, Graph, Var};
use crate::reference::Tensor;
use crate::shape::Shape;
use crate::steps::conv::{self, conv_flops};
use crate::steps::{Inputs, Kernel, Lowering, Residency};
pub use kernels::conv::Conv as Geometry;
use kernels::conv::Direction;
use kernels::map::Draw;

/// Zeros around an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// none
    Valid,
    /// such that the result has `⌈size / stride⌉` rows and columns; an odd one goes below and to the right, as in
    /// TensorFlow
    Same,
    /// rows and columns on each side
    Explicit {
        /// rows above
        top: usize,
        /// rows below
        bottom: usize,
        /// columns before
        left: usize,
        /// columns after
        right: usize,
    },
}

impl Padding {
    /// As many on both sides of an axis, as PyTorch's `padding`.
    pub fn both(rows: usize, columns: usize) -> Self {
        Padding::Explicit { top: rows, bottom: rows, left: columns, right: columns }
    }

    /// Zeros before and after an axis (0: rows, 1: columns).
    fn around(self, axis: usize, size: usize, reach: usize, stride: usize) -> [usize; 2] {
        match (self, axis) {
            (Padding::Valid, _) => [0, 0],
            (Padding::Explicit { top, bottom, .. }, 0) => [top, bottom],
            (Padding::Explicit { left, right, .. }, _) => [left, right],
            (Padding::Same, _) => {
                let total = ((size.div_ceil(stride).max(1) - 1) * stride + reach).saturating_sub(size);
                [total / 2, total - total / 2]
            }
        }
    }
}

/// How a kernel moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// rows and columns from one window to the next; 1
    pub stride: [usize; 2],
    /// zeros around the image; none
    pub padding: Padding,
    /// rows and columns from one tap to the next; 1
    pub dilation: [usize; 2],
    /// groups of channels that see only each other; 1
    pub groups: usize,
}

impl Default for ConvOptions {
    fn default() -> Self {
        ConvOptions { stride: [1, 1], padding: Padding::Valid, dilation: [1, 1], groups: 1 }
    }
}

impl ConvOptions {
    /// The sizes of a convolution of `x: [B, H, W, C]` with `w: [KH, KW, C/groups, O]`.
    fn geometry(&self, x: &Shape, w: &Shape) -> Result<Geometry, Fault> {
        let (&[images, height, width, c], &[kh, kw, inner, o]) = (&x[..], &w[..]) else {
            let got = if x.len() == 4 { w.clone() } else { x.clone() };
            return Err(Fault::Rank { expected: "4", got });
        };
        self.check(c, o)?;
        if inner != c / self.groups {
            return Err(Fault::Channels { groups: self.groups, x: x.clone(), w: w.clone() });
        }
        let (mut out, mut before) = ([0; 2], [0; 2]);
        for (axis, (size, kernel)) in [(height, kh), (width, kw)].into_iter().enumerate() {
            bounded("kernel", &[kernel])?;
            let reach = reach(kernel, self.dilation[axis]);
            let [first, last] = self.padding.around(axis, size, reach, self.stride[axis]);
            let padded = size + first + last;
            let span = padded.checked_sub(reach).filter(|_| kernel > 0);
            let span = span.ok_or(Fault::Window { axis: AXES[axis], kernel: reach, padded })?;
            (out[axis], before[axis]) = (span / self.stride[axis] + 1, first);
        }
        let ConvOptions { stride, dilation, groups, .. } = *self;
        let (input, output) = ([height, width, c], [out[0], out[1], o]);
        let kernel = [kh, kw];
        let geometry = Geometry { input, output, kernel, stride, padding: before, dilation, groups };
        sound(geometry, batch_of(images, output))
    }

    fn check(&self, c: usize, o: usize) -> Result<(), Fault> {
        let positive = [("stride", self.stride), ("dilation", self.dilation), ("groups", [self.groups; 2])];
        for (key, values) in positive {
            if values.contains(&0) {
                return Err(Fault::Range { key, range: "at least 1", value: 0.0 });
            }
            bounded(key, &values)?;
        }
        if let Padding::Explicit { top, bottom, left, right } = self.padding {
            bounded("padding", &[top, bottom, left, right])?;
        }
        if !c.is_multiple_of(self.groups) || !o.is_multiple_of(self.groups) {
            return Err(Fault::Groups { groups: self.groups, inputs: c, outputs: o });
        }
        Ok(())
    }
}

/// How the kernel of a transposed convolution moves: the convolution whose input gradient it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTransposeOptions {
    /// rows and columns of the result from one input to the next; 1
    pub stride: [usize; 2],
    /// rows and columns taken off on each side; 0
    pub padding: [usize; 2],
    /// rows and columns added at the end, below the stride; 0
    pub output_padding: [usize; 2],
    /// rows and columns from one tap to the next; 1
    pub dilation: [usize; 2],
    /// groups of channels that see only each other; 1
    pub groups: usize,
}

impl Default for ConvTransposeOptions {
    fn default() -> Self {
        ConvTransposeOptions {
            stride: [1, 1],
            padding: [0, 0],
            output_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        }
    }
}

impl ConvTransposeOptions {
    /// The convolution whose output is `x: [B, H, W, C]`, with `w: [KH, KW, O/groups, C]`.
    fn geometry(&self, x: &Shape, w: &Shape) -> Result<Geometry, Fault> {
        let (&[images, height, width, c], &[kh, kw, inner, wide]) = (&x[..], &w[..]) else {
            let got = if x.len() == 4 { w.clone() } else { x.clone() };
            return Err(Fault::Rank { expected: "4", got });
        };
        let ConvTransposeOptions { stride, padding, dilation, groups, .. } = *self;
        bounded("groups", &[groups])?;
        let o = inner.saturating_mul(groups);
        ConvOptions { stride, padding: Padding::Valid, dilation, groups }.check(c, o)?;
        if wide != c {
            return Err(Fault::Channels { groups, x: x.clone(), w: w.clone() });
        }
        bounded("padding", &padding)?;
        let mut out = [0; 2];
        for (axis, (size, kernel)) in [(height, kh), (width, kw)].into_iter().enumerate() {
            bounded("kernel", &[kernel])?;
            let extra = self.output_padding[axis];
            if extra >= stride[axis].max(dilation[axis]) {
                let range = "below the stride or the dilation";
                return Err(Fault::Range { key: "output_padding", range, value: extra as f64 });
            }
            // what is beyond all bounds stays so when the padding is taken off
            let padded = size.saturating_sub(1).saturating_mul(stride[axis]);
            let padded = padded.saturating_add(reach(kernel, dilation[axis]) + extra);
            let left = padded.checked_sub(2 * padding[axis]).filter(|n| *n > 0 && kernel > 0 && size > 0);
            out[axis] = left.ok_or(Fault::Window { axis: AXES[axis], kernel: 2 * padding[axis], padded })?;
        }
        let (input, output) = ([out[0], out[1], o], [height, width, c]);
        let geometry = Geometry { input, output, kernel: [kh, kw], stride, padding, dilation, groups };
        sound(geometry, batch_of(images, input))
    }
}

/// Names of the axes of an image.
pub(crate) const AXES: [&str; 2] = ["height", "width"];

/// Refuses a geometry whose result, positions or copies of rows could not be counted.
fn sound(g: Geometry, result: Shape) -> Result<Geometry, Fault> {
    if !result.is_bounded() {
        return Err(Fault::TooLarge { shape: result });
    }
    if g.is_bounded() {
        return Ok(g);
    }
    let size = |i: usize| {
        let taps = (g.output[i].max(1) - 1).saturating_mul(g.stride[i]);
        taps.saturating_add(reach(g.kernel[i], g.dilation[i])).max(g.input[i].saturating_add(g.padding[i]))
    };
    Err(Fault::Padded { image: [size(0), size(1), g.input[2]].into() })
}

/// Elements from the first to the last tap.
fn reach(kernel: usize, dilation: usize) -> usize {
    (kernel.max(1) - 1) * dilation + 1
}

/// Every product of the sum: index into x, into w, into y.
pub(crate) fn each_product(g: &Geometry, images: usize, mut f: impl FnMut(usize, usize, usize)) {
    let ([h, w, c], [oh, ow, o]) = (g.input, g.output);
    let (inner, outer) = (c / g.groups, o / g.groups);
    let source = |i: usize, k: usize, axis: usize, size: usize| {
        (i * g.stride[axis] + k * g.dilation[axis]).checked_sub(g.padding[axis]).filter(|s| *s < size)
    };
    for (b, i, j) in (0..images * oh * ow).map(|p| (p / (oh * ow), p / ow % oh, p % ow)) {
        for (k, l) in (0..g.kernel[0] * g.kernel[1]).map(|t| (t / g.kernel[1], t % g.kernel[1])) {
            let (Some(y), Some(x)) = (source(i, k, 0, h), source(j, l, 1, w)) else { continue };
            for (from, to) in (0..inner * o).map(|n| (n / o, n % o)) {
                f(
                    ((b * h + y) * w + x) * c + to / outer * inner + from,
                    ((k * g.kernel[1] + l) * inner + from) * o + to,
                    ((b * oh + i) * ow + j) * o + to,
                );
            }
        }
    }
}

/// The shape of a batch of images.
pub(crate) fn batch_of(images: usize, [h, w, c]: [usize; 3]) -> Shape {
    [images, h, w, c].into()
}

/// The shape of the weights.
pub(crate) fn weights_of(g: &Geometry) -> Shape {
    [g.kernel[0], g.kernel[1], g.input[2] / g.groups, g.output[2]].into()
}

/// Refuses an input of another shape than the geometry's.
pub(crate) fn expect(what: &'static str, got: &Shape, expected: Shape) -> Result<(), Fault> {
    if *got == expected { Ok(()) } else { Err(Fault::Expected { what, expected, got: got.clone() }) }
}

/// Inputs: x `[B, H, W, C]`, w `[KH, KW, C/groups, O]`; result `[B, OH, OW, O]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv(pub Geometry);

impl Operator for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, Fault> {
        let images = inputs[0].first().copied().unwrap_or(0);
        expect("the image", inputs[0], batch_of(images, self.0.input))?;
        expect("the weight", inputs[1], weights_of(&self.0))?;
        Ok(batch_of(images, self.0.output))
    }

    fn flops(&self, inputs: &[&Shape], _shape: &Shape) -> u64 {
        conv_flops(&self.0, inputs[0][0])
    }

    fn grad(&self, at: &mut Backward) -> Built<()> {
        let (x, w, dy) = (at.inputs[0], at.inputs[1], at.dy);
        let dx = at.graph.push(Op::ConvInput(ConvInput(self.0)), &[dy, w])?;
        let dw = at.graph.push(Op::ConvWeight(ConvWeight(self.0)), &[x, dy])?;
        at.give(0, dx)?;
        at.give(1, dw)
    }

    fn residency(&self, at: &Inputs) -> Result<Residency, Fault> {
        at.rows_if(at.rows == [true, false])
    }

    fn lower(&self, at: &Lowering) -> Vec<Kernel> {
        let [x, w] = [at.inputs[0], at.inputs[1]];
        let images = at.extent(at.shape[0]);
        vec![conv::Conv { conv: self.0, images, x, w, out: at.out, tail: at.tail }.into()]
    }

    fn prepares(&self) -> Option<(Geometry, Direction)> {
        Some((self.0, Direction::Forward))
    }

    fn reference(&self, inputs: &[&Tensor], shape: &Shape, _draw: &Draw) -> Tensor {
        let mut y = Tensor::filled(shape, 0.0);
        each_product(&self.0, shape[0], |x, w, k| y.data[k] += inputs[0].data[x] * inputs[1].data[w]);
        y
    }
}

impl Graph {
    /// The convolution of `x: [B, H, W, C]` with `w: [KH, KW, C/groups, O]`: `[B, OH, OW, O]`.
    ///
    /// In one dimension H and KH are 1. PyTorch has `[B, C, H, W]` and `[O, C/groups, KH, KW]`. Costs
    /// `2·B·OH·OW·O·KH·KW·C/groups` operations.
    ///
    /// # Errors
    /// When groups do not divide the channels, channels differ, or the kernel is larger than the padded image.
    pub fn conv2d(&mut self, x: Var, w: Var, options: &ConvOptions) -> Built {
        match options.geometry(self.shape(x), self.shape(w)) {
            Ok(geometry) => self.push(Op::Conv(Conv(geometry)), &[x, w]),
            Err(fault) => Err(self.error("conv", fault)),
        }
    }

    /// The transposed convolution of `x: [B, H, W, C]` with `w: [KH, KW, O/groups, C]`: `[B, OH, OW, O]` with
    /// `OH = (H − 1)·stride − 2·padding + dilation·(KH − 1) + output_padding + 1`, as PyTorch's.
    ///
    /// # Errors
    /// As [`Graph::conv2d`]; and where `output_padding` is not below the stride or the dilation.
    pub fn conv2d_transpose(&mut self, x: Var, w: Var, options: &ConvTransposeOptions) -> Built {
        match options.geometry(self.shape(x), self.shape(w)) {
            Ok(geometry) => self.push(Op::ConvInput(ConvInput(geometry)), &[x, w]),
            Err(fault) => Err(self.error("conv_transpose", fault)),
        }
    }
}
