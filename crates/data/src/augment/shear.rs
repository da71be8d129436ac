//! Random slant.

use serde::{Deserialize, Serialize};

use super::fill::FILL_KEY;
use super::{Canvas, Draws, Fill, Motion, Transform, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "shear",
    summary: "slant sideways: rows shift in proportion to their height",
    formula: "angle uniform in −degrees … degrees; source x = x + tan(angle) · y; bilinear",
    source: "torchvision's RandomAffine(shear), for the x axis",
    keys: &[key("degrees", "10.0", Range::Below(0.0, 90.0), "largest angle, either way"), FILL_KEY],
};

/// Slants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shear {
    /// Largest angle; 10.
    pub degrees: f64,
    /// What comes in at the sides; zeros.
    pub fill: Fill,
}

impl Default for Shear {
    fn default() -> Self {
        Shear { degrees: 10.0, fill: Fill::Zero }
    }
}

impl Transform for Shear {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let slant = libm::tan(f64::from(draws.around(self.degrees.to_radians(), 0))) as f32;
        canvas.move_by(Motion::linear([[1.0, slant], [0.0, 1.0]]), self.fill);
    }
}
