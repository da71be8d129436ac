//! Softmax: eˣⁱ/Σeˣʲ.

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "softmax",
    summary: "shares that add up to 1, over the last axis",
    formula: "eˣⁱ/Σeˣʲ",
    source: "Bridle, Training stochastic model recognition algorithms, 1989; the losses for classes expect logits, without it",
    keys: &[],
};

/// Shares that add up to 1, over the last axis: eˣⁱ/Σeˣʲ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {}

impl Layer for Softmax {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.softmax(x)
    }
}
