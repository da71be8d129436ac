//! All axes after the batch as one.

use super::Layer;
use crate::model::{Builder, rows};
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "flatten",
    summary: "joins all axes after the batch into one",
    formula: "[B, …] → [B, n]; an image [B, H, W, C] in the order C, H, W",
    source: "PyTorch's Flatten; its order of images, so that the linear layer after it has PyTorch's weights",
    keys: &[],
};

/// x: [B, ..] -> [B, n]; images `[B, H, W, C]` in PyTorch's order, channel by channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Layer for Flatten {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        rows(b, x)
    }

    fn gain(&self) -> Option<f64> {
        None
    }
}
