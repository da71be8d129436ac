//! A random square of the image is hidden.

use super::fill::Fill;
use super::{Canvas, Draws, Images, P_RANGE, Transform, Unsuitable};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Cutout::NAME,
    summary: "hide a square at a random place, which may reach beyond the frame",
    formula: "with probability p: size × size pixels around a center that is uniform over the image become the fill",
    source: "DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, 2017: 16 pixels for \
             CIFAR-10, 8 for CIFAR-100; there zeros behind normalization, which is the mean here",
    keys: Cutout::KEYS,
};

settings! {
    /// Hides a square.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Cutout of "cutout" {
        /// side of the square, in pixels
        pub size: u32 = 16, in Range::AtLeast(1.0);
        /// probability
        pub p: f64 = 1.0, in P_RANGE;
        /// mean of the training pixels, or black
        pub fill: Fill = Fill::Mean => "\"mean\"", in Range::Words(&["mean", "zero"]);
    }
}

/// Rows and columns of a square around a center, cut at the frame.
pub(super) fn around(center: usize, size: usize, n: usize) -> std::ops::Range<usize> {
    let start = center as isize - (size / 2) as isize;
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
        let ([h, w, c], colors) = (canvas.shape, canvas.colors);
        let side = self.size as usize;
        let (rows, columns) = (around(draws.below(h, 1), side, h), around(draws.below(w, 2), side, w));
        let pixels = canvas.pixels();
        for y in rows {
            for pixel in pixels[(y * w + columns.start) * c..(y * w + columns.end) * c].chunks_exact_mut(c) {
                pixel.iter_mut().zip(&colors.mean).for_each(|(x, mean)| *x = self.fill.constant(*mean));
            }
        }
    }
}
