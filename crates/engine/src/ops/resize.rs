//! Images in another size: nearest pixel, or bilinear.

use super::resample::Taps;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

/// How pixels of a resized image are made. Both are PyTorch's `interpolate` with `align_corners = false` and without
/// a filter against aliasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// pixel `⌊i·n/m⌋` of `n`, for result `i` of `m`
    Nearest,
    /// between the two pixels around `(i + ½)·n/m − ½`
    Bilinear,
}

impl Resize {
    fn taps(self, input: usize, output: usize) -> Result<Taps, Fault> {
        Taps::bounded("size", input, output, output.saturating_mul(2))?;
        Ok(Taps::new(input, output, |i| match self {
            Resize::Nearest => (nearest(i, input, output), vec![1.0]),
            Resize::Bilinear => bilinear(i, input, output),
        }))
    }
}

/// PyTorch computes this in f32, where the product may round to just below a whole number; whole factors are exact.
fn nearest(i: usize, input: usize, output: usize) -> usize {
    if output == input {
        return i;
    }
    if output == 2 * input {
        return i / 2;
    }
    let scale = input as f32 / output as f32;
    ((i as f32 * scale).floor() as usize).min(input - 1)
}

fn bilinear(i: usize, input: usize, output: usize) -> (usize, Vec<f64>) {
    let place = ((i as f64 + 0.5) * input as f64 / output as f64 - 0.5).max(0.0);
    let first = (place.floor() as usize).min(input - 1);
    let beyond = place - first as f64;
    let is_last = first + 1 == input;
    (first, if is_last || beyond == 0.0 { vec![1.0] } else { vec![1.0 - beyond, beyond] })
}

impl Graph {
    /// Images in another size: `[B, H, W, C] → [B, size[0], size[1], C]`.
    ///
    /// # Errors
    /// Where `x` is no batch of images, or a size is 0.
    pub fn resize(&mut self, x: Var, size: [usize; 2], how: Resize) -> Built {
        let input = self.sizes_of("resize", x, size)?;
        let taps =
            |axis: usize| how.taps(input[axis], size[axis]).map_err(|fault| self.error("resize", fault));
        let (rows, columns) = (taps(0)?, taps(1)?);
        self.resample(x, rows, columns)
    }
}
