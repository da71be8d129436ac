//! All axes after the batch as one.

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "flatten",
    summary: "all axes after the batch as one",
    formula: "[B, …] → [B, n]",
    source: "PyTorch's Flatten",
    keys: &[],
};

/// x: [B, ..] -> [B, n]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Layer for Flatten {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.flatten(x)
    }

    fn gain(&self) -> Option<f64> {
        None
    }
}
