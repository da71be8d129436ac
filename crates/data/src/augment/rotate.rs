//! Random rotation about the center.

use super::{Canvas, Draws, Fill, Motion, Transform};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Rotate::NAME,
    summary: "turn about the center",
    formula: "angle uniform in −degrees … degrees; bilinear",
    source: "torchvision's RandomRotation, whose default interpolation is nearest",
    keys: Rotate::KEYS,
};

settings! {
    /// Turns.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Rotate of "rotate" {
        /// largest angle, either way
        pub degrees: f64 = 15.0, in Range::Within(0.0, 180.0);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
    }
}

impl Transform for Rotate {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let angle = draws.around(self.degrees.to_radians(), 0);
        canvas.move_by(Motion::rotation(angle), self.fill);
    }
}
