//! A random square of the image is hidden.

use serde::{Deserialize, Serialize};

use super::fill::Fill;
use super::{Canvas, Draws, Images, P_RANGE, Transform, Unsuitable, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "cutout",
    summary: "hide a square at a random place, which may reach beyond the frame",
    formula: "with probability p: size × size pixels around a centre that is uniform over the image become the fill",
    source: "DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, 2017: 16 pixels for \
             CIFAR-10, 8 for CIFAR-100; there zeros behind normalisation, which is the mean here",
    keys: &[
        key("size", "16", Range::AtLeast(1.0), "side of the square, in pixels"),
        key("p", "1.0", P_RANGE, "probability"),
        key("fill", "\"mean\"", Range::Words(&["mean", "zero"]), "mean of the training pixels, or black"),
    ],
};

/// Hides a square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cutout {
    /// Side of the square; 16.
    pub size: u32,
    /// Probability; 1.
    pub p: f64,
    /// What the square shows, mean or zero; mean.
    pub fill: Fill,
}

impl Default for Cutout {
    fn default() -> Self {
        Cutout { size: 16, p: 1.0, fill: Fill::Mean }
    }
}

/// Rows and columns of a square around a centre, cut at the frame.
pub(super) fn around(centre: usize, size: usize, n: usize) -> std::ops::Range<usize> {
    let start = centre as isize - (size / 2) as isize;
    start.clamp(0, n as isize) as usize..(start + size as isize).clamp(0, n as isize) as usize
}

impl Transform for Cutout {
    fn suits(&self, images: &Images) -> Result<(), Unsuitable> {
        let [h, w, _] = images.shape;
        let fits = (self.size as usize) < 2 * h.min(w);
        if fits { Ok(()) } else { Err(Unsuitable(format!("a square of `size` {} hides all", self.size))) }
    }

    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        if !draws.happens(self.p, 0) {
            return;
        }
        let ([h, w, c], colours) = (canvas.shape, canvas.colours);
        let side = self.size as usize;
        let (rows, columns) = (around(draws.below(h, 1), side, h), around(draws.below(w, 2), side, w));
        let pixels = canvas.pixels();
        for y in rows {
            for pixel in pixels[(y * w + columns.start) * c..(y * w + columns.end) * c].chunks_exact_mut(c) {
                pixel.iter_mut().zip(&colours.mean).for_each(|(x, mean)| *x = self.fill.constant(*mean));
            }
        }
    }
}
