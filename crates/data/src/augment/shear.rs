//! Random slant.

use super::{Canvas, Draws, Fill, Motion, Transform};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Shear::NAME,
    summary: "slant sideways: rows shift in proportion to their height",
    formula: "angle uniform in −degrees … degrees; source x = x + tan(angle) · y; bilinear",
    source: "torchvision's RandomAffine(shear), for the x axis",
    keys: Shear::KEYS,
};

settings! {
    /// Slants.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Shear of "shear" {
        /// largest angle, either way
        pub degrees: f64 = 10.0, in Range::Below(0.0, 90.0);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
    }
}

impl Transform for Shear {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let slant = libm::tan(f64::from(draws.around(self.degrees.to_radians(), 0))) as f32;
        canvas.move_by(Motion::linear([[1.0, slant], [0.0, 1.0]]), self.fill);
    }
}
