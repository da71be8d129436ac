//! Global average pooling: the mean of every channel.

use super::Layer;
use super::image::frames;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "global_avg_pool",
    summary: "the mean of every channel",
    formula: "y[c] = Σ x[h, w, c] / (H·W)",
    source: "Lin, Chen and Yan, Network in network, ICLR 2014, arxiv.org/abs/1312.4400",
    keys: &[],
};

/// x: [B, H, W, C] or [B, T, C] -> [B, C]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPool {}

impl Layer for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (x, _) = frames(b, ENTRY.name, x)?;
        b.global_avg_pool(x)
    }

    fn gain(&self) -> Option<f64> {
        None
    }
}
