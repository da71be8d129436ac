//! Smooth clip: x near 0, within ±limit far out.

use super::Layer;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: SmoothClip::NAME,
    summary: "pulls outliers in: nearly x near 0, within ±limit far out",
    formula: "x/√(1 + (x/limit)²)",
    source: "Holzmüller, Grinsztajn and Steinwart, Better by default: strong pre-tuned MLPs and boosted trees on tabular data, NeurIPS 2024, arxiv.org/abs/2407.04491",
    keys: SmoothClip::KEYS,
};

settings! {
    /// x/√(1 + (x/limit)²).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct SmoothClip of "smooth_clip" {
        /// what results stay within, on both sides of 0
        pub limit: f64 = 3.0, in Range::Within(1e-3, 1e6);
    }
}

impl Layer for SmoothClip {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.smooth_clip(x, self.limit as f32)
    }

    fn describe(&self) -> String {
        format!("smooth_clip({})", self.limit)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z / (1.0 + (z / self.limit) * (z / self.limit)).sqrt()))
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
