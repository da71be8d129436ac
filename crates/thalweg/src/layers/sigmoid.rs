//! Sigmoid: 1/(1 + e⁻ˣ).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "sigmoid",
    summary: "the logistic curve, from 0 to 1",
    formula: "1/(1 + e⁻ˣ)",
    source: "PyTorch's Sigmoid; its gain there is 1",
    keys: &[],
};

/// The logistic curve, from 0 to 1: 1/(1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl Layer for Sigmoid {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.sigmoid(x)
    }
}
