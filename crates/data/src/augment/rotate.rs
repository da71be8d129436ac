//! Random rotation about the centre.

use serde::{Deserialize, Serialize};

use super::fill::FILL_KEY;
use super::{Canvas, Draws, Fill, Motion, Transform, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "rotate",
    summary: "turn about the centre",
    formula: "angle uniform in −degrees … degrees; bilinear",
    source: "torchvision's RandomRotation, whose default interpolation is nearest",
    keys: &[key("degrees", "15.0", Range::Within(0.0, 180.0), "largest angle, either way"), FILL_KEY],
};

/// Turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rotate {
    /// Largest angle; 15.
    pub degrees: f64,
    /// What comes in at the corners; zeros.
    pub fill: Fill,
}

impl Default for Rotate {
    fn default() -> Self {
        Rotate { degrees: 15.0, fill: Fill::Zero }
    }
}

impl Transform for Rotate {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let angle = draws.around(self.degrees.to_radians(), 0);
        canvas.move_by(Motion::rotation(angle), self.fill);
    }
}
