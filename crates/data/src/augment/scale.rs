//! Random zoom about the center.

use super::{Canvas, Draws, Fill, Images, Motion, Transform, Unsuitable};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Scale::NAME,
    summary: "zoom about the center, keeping the size of the picture",
    formula: "factor = min^(1−u) · max^u, u uniform; bilinear",
    source: "torchvision's RandomAffine(scale) draws the factor uniformly; here its logarithm is uniform, so that \
             halving is as likely as doubling",
    keys: Scale::KEYS,
};

settings! {
    /// Zooms.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Scale of "scale" {
        /// smallest factor; below 1 the image shrinks
        pub min: f64 = 0.8, in Range::Above(0.0);
        /// largest factor
        pub max: f64 = 1.25, in Range::Above(0.0);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
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
