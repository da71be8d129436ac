//! Random shift by a share of the size.

use super::{Canvas, Draws, Fill, Motion, Transform};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Translate::NAME,
    summary: "shift by whole pixels, as far as a share of the size",
    formula: "each axis uniform in −share · size … share · size, rounded to whole pixels",
    source: "torchvision's RandomAffine(translate), which rounds too",
    keys: Translate::KEYS,
};

settings! {
    /// Shifts.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Translate of "translate" {
        /// largest shift, of width and height
        pub share: f64 = 0.1, in Range::Within(0.0, 1.0);
        /// what fills the area beyond the frame
        pub fill: Fill = Fill::Zero => "\"zero\"", in Range::Words(Fill::WORDS);
    }
}

impl Transform for Translate {
    fn apply(&self, draws: Draws, canvas: &mut Canvas<'_>) {
        let [h, w, _] = canvas.shape;
        let shift = |size: usize, which: u64| draws.around(self.share * size as f64, which).round();
        canvas.move_by(Motion::offset(shift(w, 0), shift(h, 1)), self.fill);
    }
}
