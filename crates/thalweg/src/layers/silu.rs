//! Silu: x/(1 + e⁻ˣ).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "silu",
    summary: "x times its sigmoid, also called swish",
    formula: "x/(1 + e⁻ˣ)",
    source: "Ramachandran, Zoph and Le, Searching for activation functions, 2017, arxiv.org/abs/1710.05941",
    keys: &[],
};

/// X times its sigmoid, also called swish: x/(1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl Layer for Silu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.silu(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z / (1.0 + libm::exp(-z))))
    }
}
