//! Elu: x above 0, alpha·(eˣ − 1) below.

use super::Layer;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Elu::NAME,
    summary: "an exponential below 0",
    formula: "x above 0, alpha·(eˣ − 1) below",
    source: "Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units, ICLR 2016, arxiv.org/abs/1511.07289",
    keys: Elu::KEYS,
};

settings! {
    /// An exponential below 0: x above 0, alpha·(eˣ − 1) below.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Elu of "elu" {
        /// the limit below 0 is −alpha
        pub alpha: f64 = 1.0, in Range::Within(f32::MIN as f64, f32::MAX as f64);
    }
}

impl Layer for Elu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.elu(x, self.alpha as f32)
    }

    fn describe(&self) -> String {
        format!("elu(alpha {})", self.alpha)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| if z > 0.0 { z } else { self.alpha * libm::expm1(z) }))
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
