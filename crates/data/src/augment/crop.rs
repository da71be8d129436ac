//! Random crop with padding: the image is padded on all sides and cut back to its size at a random place.

use serde::{Deserialize, Serialize};

use super::fill::FILL_KEY;
use super::{Canvas, Draws, Fill, Images, Motion, Transform, Unsuitable, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "crop",
    summary: "pad on all sides, then cut a random part of the old size",
    formula: "shift by whole pixels, each axis uniform in −padding … padding",
    source: "Krizhevsky, Sutskever and Hinton 2012; padding 4 as He, Zhang, Ren and Sun, Deep residual learning, 2016; \
             torchvision's RandomCrop(size, padding)",
    keys: &[key("padding", "4", Range::AtLeast(1.0), "pixels on each side"), FILL_KEY],
};

/// Pads and cuts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Crop {
    /// Pixels on each side; 4.
    pub padding: u32,
    /// What is in the padding; zeros.
    pub fill: Fill,
}

impl Default for Crop {
    fn default() -> Self {
        Crop { padding: 4, fill: Fill::Zero }
    }
}

impl Transform for Crop {
    fn suits(&self, images: &Images) -> Result<(), Unsuitable> {
        let [h, w, _] = images.shape;
        let fits = (self.padding as usize) < h.min(w);
        if fits {
            Ok(())
        } else {
            Err(Unsuitable(format!("`padding` is {}, not below the size", self.padding)))
        }
    }

    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let padding = self.padding as usize;
        let shift = |which: u64| draws.below(2 * padding + 1, which) as f32 - padding as f32;
        canvas.move_by(Motion::offset(shift(0), shift(1)), self.fill);
    }
}
