//! A Gaussian of given mean and standard deviation.

use super::{ANY_NUMBER, Init, STD_RANGE, Target};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Normal::NAME,
    summary: "a Gaussian whose scale does not depend on the layer",
    formula: "w ~ N(mean, std²)",
    source: "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012 \
             (std 0.01); PyTorch's normal_ has std 1",
    keys: Normal::KEYS,
};

settings! {
    /// N(mean, std²).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Normal of "normal" {
        /// standard deviation
        ///
        /// PyTorch's is 1.
        pub std: f64 = 0.01, in STD_RANGE;
        /// mean
        pub mean: f64 = 0.0, in ANY_NUMBER;
    }
}

impl Normal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for Normal {
    fn fill(&self, _target: &Target, rng: Rng, out: &mut [f32]) {
        for (i, x) in (0..).zip(out) {
            *x = (self.mean + self.std * f64::from(rng.normal(i))) as f32;
        }
    }
}
