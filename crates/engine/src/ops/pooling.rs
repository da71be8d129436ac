//! How pooling windows lie on images, and average pooling: sliding, adaptive, global.

use super::bounded;
use super::max_pool::Window;
use super::resample::Taps;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};
use crate::shape::Shape;

/// Sliding windows; pairs are `[along the height, along the width]`, sizes and rules are PyTorch's.
///
/// Along an axis of `n` pixels there are `⌊(n + 2·padding − kernel)/stride⌋ + 1` windows. With `ceil` the quotient is
/// rounded up, as long as the last window begins on the image or the padding before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// pixels of a window, at least 1
    pub kernel: [usize; 2],
    /// pixels from one window to the next, at least 1
    pub stride: [usize; 2],
    /// pixels before and after the image, at most half of the kernel
    pub padding: [usize; 2],
    /// whether a last window that is cut off counts
    pub ceil: bool,
}

impl PoolOptions {
    /// Windows of `kernel × kernel` side by side, without padding.
    pub fn square(kernel: usize) -> Self {
        PoolOptions { kernel: [kernel; 2], stride: [kernel; 2], padding: [0; 2], ceil: false }
    }

    /// The windows on images `[B, H, W, C]`, or why they do not fit.
    pub fn window(&self, image: &Shape) -> Result<Window, Fault> {
        let input = image_size(image)?;
        let output = [self.count(0, input[0])?, self.count(1, input[1])?];
        Ok(Window { input, output, kernel: self.kernel, stride: self.stride, padding: self.padding })
    }

    fn count(&self, axis: usize, input: usize) -> Result<usize, Fault> {
        let (kernel, stride, padding) = (self.kernel[axis], self.stride[axis], self.padding[axis]);
        at_least_one("kernel", kernel)?;
        at_least_one("stride", stride)?;
        bounded("kernel", &[kernel])?;
        bounded("stride", &[stride])?;
        if padding > kernel / 2 {
            let (range, value) = ("at most half of the kernel", padding as f64);
            return Err(Fault::Range { key: "padding", range, value });
        }
        let padded = input + 2 * padding;
        let room = padded + if self.ceil { stride - 1 } else { 0 };
        let Some(room) = room.checked_sub(kernel) else {
            return Err(Fault::Window { axis: AXES[axis], kernel, padded });
        };
        let count = room / stride + 1;
        let last_is_beyond = self.ceil && (count - 1) * stride >= input + padding;
        Ok(if last_is_beyond { count - 1 } else { count })
    }
}

const AXES: [&str; 2] = ["height", "width"];

pub(super) fn at_least_one(key: &'static str, value: usize) -> Result<(), Fault> {
    if value > 0 { Ok(()) } else { Err(Fault::Range { key, range: "at least 1", value: 0.0 }) }
}

/// Height and width of images `[B, H, W, C]` that have pixels.
pub(super) fn image_size(image: &Shape) -> Result<[usize; 2], Fault> {
    match image[..] {
        [_, h, w, _] if h * w > 0 => Ok([h, w]),
        [_, _, _, _] => Err(Fault::NoPixels { image: image.clone() }),
        _ => Err(Fault::Rank { expected: "4 ([B, H, W, C])", got: image.clone() }),
    }
}

/// The same weight for every pixel of each window.
fn averages(window: &Window, axis: usize, count_padding: bool) -> Result<Taps, Fault> {
    let (input, padding) = (window.input[axis], window.padding[axis]);
    let weights = window.output[axis].saturating_mul(window.kernel[axis].min(input));
    Taps::bounded("kernel", input, window.output[axis], weights)?;
    Ok(Taps::new(input, window.output[axis], |o| {
        let pixels = window.range(axis, o);
        let start = o * window.stride[axis];
        // with its padding, a window may reach over the image's, but no further
        let whole = (start + window.kernel[axis]).min(input + 2 * padding) - start;
        let n = if count_padding { whole } else { pixels.len() };
        (pixels.start, vec![1.0 / n as f64; pixels.len()])
    }))
}

/// Windows `⌊i·n/m⌋ .. ⌈(i+1)·n/m⌉` for `m` results from `n` pixels.
fn adaptive_averages(input: usize, output: usize) -> Result<Taps, Fault> {
    Taps::bounded("size", input, output, input.saturating_add(output.saturating_mul(2)))?;
    Ok(Taps::new(input, output, |i| {
        let (start, end) = (i * input / output, ((i + 1) * input).div_ceil(output));
        (start, vec![1.0 / (end - start) as f64; end - start])
    }))
}

impl Graph {
    /// The mean of every window: `[B, H, W, C] → [B, OH, OW, C]`. `count_padding` says whether padding counts as
    /// pixels with value 0 (PyTorch's `count_include_pad`, there true by default) or not at all.
    ///
    /// # Errors
    /// Where `x` is no batch of images, or the windows do not fit: see [`PoolOptions`].
    pub fn avg_pool2d(&mut self, x: Var, options: &PoolOptions, count_padding: bool) -> Built {
        let window = options.window(self.shape(x)).map_err(|fault| self.error("avg_pool", fault))?;
        let [rows, columns] = [0, 1].map(|axis| averages(&window, axis, count_padding));
        let fault = |fault| self.error("avg_pool", fault);
        let (rows, columns) = (rows.map_err(fault)?, columns.map_err(fault)?);
        self.resample(x, rows, columns)
    }

    /// Means of `size` windows that cover the image as evenly as whole pixels allow:
    /// `[B, H, W, C] → [B, size[0], size[1], C]`. Windows overlap where the size does not divide the image's.
    ///
    /// # Errors
    /// Where `x` is no batch of images, or a size is 0.
    pub fn adaptive_avg_pool2d(&mut self, x: Var, size: [usize; 2]) -> Built {
        let input = self.sizes_of("adaptive_avg_pool", x, size)?;
        let [rows, columns] = [0, 1].map(|axis| adaptive_averages(input[axis], size[axis]));
        let fault = |fault| self.error("adaptive_avg_pool", fault);
        let (rows, columns) = (rows.map_err(fault)?, columns.map_err(fault)?);
        self.resample(x, rows, columns)
    }

    /// The mean of every channel over the whole image: `[B, H, W, C] → [B, C]`.
    ///
    /// # Errors
    /// Where `x` is no batch of images.
    pub fn global_avg_pool(&mut self, x: Var) -> Built {
        image_size(self.shape(x)).map_err(|fault| self.error("global_avg_pool", fault))?;
        let (batch, channels) = (self.shape(x)[0], self.shape(x).last_dim());
        let mean = self.mean_axes(x, 1, 3)?;
        self.reshape(mean, [batch, channels])
    }

    /// Height and width of `x`, where they and the size asked for are not 0.
    pub(super) fn sizes_of(&self, op: &'static str, x: Var, size: [usize; 2]) -> Built<[usize; 2]> {
        let positive = |size: [usize; 2]| size.into_iter().try_for_each(|n| at_least_one("size", n));
        let input = image_size(self.shape(x)).and_then(|input| positive(size).map(|()| input));
        input.map_err(|fault| self.error(op, fault))
    }
}
