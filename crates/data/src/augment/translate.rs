//! Random shift by a share of the size.

use serde::{Deserialize, Serialize};

use super::fill::FILL_KEY;
use super::{Canvas, Draws, Fill, Motion, Transform, key};
use settings::{Entry, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "translate",
    summary: "shift by whole pixels, as far as a share of the size",
    formula: "each axis uniform in −share · size … share · size, rounded to whole pixels",
    source: "torchvision's RandomAffine(translate), which rounds too",
    keys: &[key("share", "0.1", Range::Within(0.0, 1.0), "largest shift, of width and height"), FILL_KEY],
};

/// Shifts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Translate {
    /// Largest shift as a share of width and height; 0.1.
    pub share: f64,
    /// What comes in; zeros.
    pub fill: Fill,
}

impl Default for Translate {
    fn default() -> Self {
        Translate { share: 0.1, fill: Fill::Zero }
    }
}

impl Transform for Translate {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let [h, w, _] = canvas.shape;
        let shift = |size: usize, which: u64| draws.around(self.share * size as f64, which).round();
        canvas.move_by(Motion::offset(shift(w, 0), shift(h, 1)), self.fill);
    }
}
