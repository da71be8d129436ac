//! Mish: x·tanh(ln(1 + eˣ)).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "mish",
    summary: "x times the tanh of its softplus",
    formula: "x·tanh(ln(1 + eˣ))",
    source: "Misra, Mish: a self regularized non-monotonic activation function, 2019, arxiv.org/abs/1908.08681",
    keys: &[],
};

/// X times the tanh of its softplus: x·tanh(ln(1 + eˣ)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mish {}

impl Layer for Mish {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.mish(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z * libm::tanh(libm::log1p(libm::exp(z)))))
    }
}
