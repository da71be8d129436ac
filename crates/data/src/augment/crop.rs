//! Random crop with padding: the image is padded on all sides and cut back to its size at a random place.

use super::{Canvas, Draws, Fill, Images, Motion, Transform, Unsuitable};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Crop::NAME,
    summary: "pad on all sides, then cut out a random part of the original size",
    formula: "shift by whole pixels, each axis uniform in −padding … padding",
    source: "Krizhevsky, Sutskever and Hinton 2012; padding 4 as He, Zhang, Ren and Sun, Deep residual learning, 2016; \
             torchvision's RandomCrop(size, padding)",
    keys: Crop::KEYS,
};

settings! {
    /// Pads and cuts.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Crop of "crop" {
        /// pixels on each side
        pub padding: u32 = 4, in Range::AtLeast(1.0);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
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
