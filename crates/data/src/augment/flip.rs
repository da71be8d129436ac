//! Random mirror image.

use super::{Canvas, Draws, Motion, P_RANGE, Transform};
use settings::{Entry, Range, settings, words};

pub(super) const ENTRY: Entry = Entry {
    name: Flip::NAME,
    summary: "mirror the image, left to right or upside down",
    formula: "with probability p: x → w − 1 − x, or y → h − 1 − y",
    source: "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012; \
             torchvision's RandomHorizontalFlip and RandomVerticalFlip",
    keys: Flip::KEYS,
};

settings! {
    /// Mirrors.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Flip of "flip" {
        /// probability
        pub p: f64 = 0.5, in P_RANGE;
        /// which axis is mirrored
        pub direction: Direction = Direction::Horizontal => "\"horizontal\"", in Range::Words(Direction::WORDS);
    }
}

words! {
    /// An axis of the image.
    #[derive(Default)]
    pub enum Direction {
        /// Left becomes right.
        #[default]
        Horizontal = "horizontal",
        /// Top becomes bottom.
        Vertical = "vertical",
    }
}

impl Transform for Flip {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        if draws.happens(self.p, 0) {
            canvas.mirror(Motion::linear(match self.direction {
                Direction::Horizontal => [[-1.0, 0.0], [0.0, 1.0]],
                Direction::Vertical => [[1.0, 0.0], [0.0, -1.0]],
            }));
        }
    }
}
