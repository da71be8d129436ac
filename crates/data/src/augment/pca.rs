//! Color shifts along the principal axes of the training pixels (AlexNet).

use super::{Canvas, Draws, Images, Transform, Unsuitable, tone};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Pca::NAME,
    summary: "shift all pixels of an image along the principal axes of the training set's colors",
    formula: "x + Σ αₖ λₖ pₖ, αₖ ~ N(0, sigma²), once an image; pₖ, λₖ of the training pixels' covariance",
    source: "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012, \
             section 4.1, with pixels from 0 to 1. The constants that \
             go around for ImageNet (0.2175, 0.0188, 0.0045) add up to more than the variance of its pixels (0.153), \
             so they are larger than these eigenvalues",
    keys: Pca::KEYS,
};

settings! {
    /// Shifts the colors.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Pca of "pca" {
        /// deviation of α
        pub sigma: f64 = 0.1, in Range::AtLeast(0.0);
    }
}

impl Transform for Pca {
    fn suits(&self, images: &Images) -> Result<(), Unsuitable> {
        let colors = (2..=MOST_CHANNELS).contains(&images.shape[2]);
        let problem = || Unsuitable(format!("it needs images of 2 to {MOST_CHANNELS} channels"));
        if colors { Ok(()) } else { Err(problem()) }
    }

    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let (channels, bounded, colors) = (canvas.shape[2], canvas.colors.bounded, canvas.colors);
        let mut shift = [0.0f32; MOST_CHANNELS];
        for (axis, k) in colors.axes.iter().zip(0..) {
            let alpha = draws.normal(k) * self.sigma as f32;
            shift.iter_mut().zip(axis).for_each(|(s, p)| *s += alpha * p);
        }
        tone::shift(canvas.pixels(), &shift[..channels], bounded);
    }

    fn wants_axes(&self) -> bool {
        true
    }
}

/// So that a shift has its place on the stack.
const MOST_CHANNELS: usize = 16;
