//! Adaptive average pooling: means of windows of such sizes that the result has a given size.

use super::image::image;
use super::sizes::pair_key;
use super::{Layer, Pair};
use crate::model::Builder;
use crate::registry::{Entry, OutOfRange};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "adaptive_avg_pool",
    summary: "means of windows, as many as asked for whatever the image's size",
    formula: "y[i] = mean x[⌊i·H/h⌋ .. ⌈(i + 1)·H/h⌉], in both directions",
    source: "PyTorch's AdaptiveAvgPool2d",
    keys: &[pair_key("size", "", "height and width of the result")],
};

/// x: [B, H, W, C] -> [B, h, w, C]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool {
    /// Height and width of the result.
    pub size: Pair,
}

impl Layer for AdaptiveAvgPool {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let x = image(b, ENTRY.name, x)?;
        b.adaptive_avg_pool2d(x, self.size.0)
    }

    fn describe(&self) -> String {
        format!("adaptive_avg_pool({})", self.size)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.size.check(&ENTRY, "size", 1)
    }
}
