//! Random mirror image.

use serde::{Deserialize, Serialize};

use super::{Canvas, Draws, Motion, P_RANGE, Transform, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "flip",
    summary: "mirror the image, left to right or upside down",
    formula: "with probability p: x → w − 1 − x, or y → h − 1 − y",
    source: "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012; \
             torchvision's RandomHorizontalFlip and RandomVerticalFlip",
    keys: &[
        key("p", "0.5", P_RANGE, "probability"),
        key(
            "direction",
            "\"horizontal\"",
            Range::Words(&["horizontal", "vertical"]),
            "which axis is mirrored",
        ),
    ],
};

/// Mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flip {
    /// Probability; 0.5.
    pub p: f64,
    /// Which axis; horizontal.
    pub direction: Direction,
}

/// An axis of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Left becomes right.
    #[default]
    Horizontal,
    /// Top becomes bottom.
    Vertical,
}

impl Default for Flip {
    fn default() -> Self {
        Flip { p: 0.5, direction: Direction::Horizontal }
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
