//! Softplus: ln(1 + eˣ).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "softplus",
    summary: "a smooth ReLU",
    formula: "ln(1 + eˣ)",
    source: "Dugas et al., Incorporating second-order functional knowledge for better option pricing, 2000",
    keys: &[],
};

/// A smooth ReLU: ln(1 + eˣ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softplus {}

impl Layer for Softplus {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.softplus(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| libm::log1p(libm::exp(z))))
    }
}
