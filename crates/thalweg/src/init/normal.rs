//! A Gaussian of given mean and standard deviation.

use super::{ANY_NUMBER, Init, STD_RANGE, Target, number};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "normal",
    summary: "a Gaussian whose scale does not depend on the layer",
    formula: "w ~ N(mean, std²)",
    source: "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012 \
             (std 0.01); PyTorch's normal_ has std 1",
    keys: &[
        number("std", "0.01", STD_RANGE, "standard deviation"),
        number("mean", "0.0", ANY_NUMBER, "mean"),
    ],
};

/// N(mean, std²).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normal {
    /// Standard deviation; 0.01 (PyTorch: 1).
    pub std: f64,
    /// Mean; 0.
    pub mean: f64,
}

impl Default for Normal {
    fn default() -> Self {
        Normal { std: 0.01, mean: 0.0 }
    }
}

impl Normal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("std", self.std)?;
        ENTRY.check("mean", self.mean)
    }
}

impl Init for Normal {
    fn fill(&self, _target: &Target, rng: Rng, out: &mut [f32]) {
        for (i, x) in (0..).zip(out) {
            *x = (self.mean + self.std * f64::from(rng.normal(i))) as f32;
        }
    }
}
