//! Elu: x above 0, alpha·(eˣ − 1) below.

use super::Layer;
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "elu",
    summary: "an exponential below 0",
    formula: "x above 0, alpha·(eˣ − 1) below",
    source: "Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units, ICLR 2016, arxiv.org/abs/1511.07289",
    keys: &[Key {
        name: "alpha",
        default: "1.0",
        unit: "",
        range: Range::Within(f32::MIN as f64, f32::MAX as f64),
        help: "the limit below 0 is −alpha",
    }],
};

/// An exponential below 0: x above 0, alpha·(eˣ − 1) below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elu {
    /// The limit below 0 is −alpha; 1.0.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Elu { alpha: 1.0 }
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
        ENTRY.check("alpha", self.alpha)
    }
}
