//! Random zoom about the centre.

use serde::{Deserialize, Serialize};

use super::fill::FILL_KEY;
use super::{Canvas, Draws, Fill, Images, Motion, Transform, Unsuitable, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "scale",
    summary: "zoom about the centre, keeping the size of the picture",
    formula: "factor = min^(1−u) · max^u, u uniform; bilinear",
    source: "torchvision's RandomAffine(scale) draws the factor uniformly; here its logarithm is uniform, so that \
             halving is as likely as doubling",
    keys: &[
        key("min", "0.8", Range::Above(0.0), "smallest factor; below 1 the image shrinks"),
        key("max", "1.25", Range::Above(0.0), "largest factor"),
        FILL_KEY,
    ],
};

/// Zooms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// Smallest factor; 0.8.
    pub min: f64,
    /// Largest factor; 1.25.
    pub max: f64,
    /// What comes in around a smaller image; zeros.
    pub fill: Fill,
}

impl Default for Scale {
    fn default() -> Self {
        Scale { min: 0.8, max: 1.25, fill: Fill::Zero }
    }
}

impl Transform for Scale {
    fn suits(&self, _images: &Images) -> Result<(), Unsuitable> {
        let ordered = self.min <= self.max;
        let problem = || Unsuitable(format!("`min` is {}, above `max`, which is {}", self.min, self.max));
        if ordered { Ok(()) } else { Err(problem()) }
    }

    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let share = f64::from(draws.uniform(0));
        let factor = libm::exp(libm::log(self.min) + share * libm::log(self.max / self.min));
        let inverse = (1.0 / factor) as f32;
        canvas.move_by(Motion::linear([[inverse, 0.0], [0.0, inverse]]), self.fill);
    }
}
