//! Adaptive average pooling: means of windows of such sizes that the result has a given size.

use super::image::image;
use super::sizes::STEP;
use super::{Layer, Pair};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: AdaptiveAvgPool::NAME,
    summary: "means of windows; the result has the size asked for, whatever the size of the image",
    formula: "y[i] = mean x[⌊i·H/h⌋ .. ⌈(i + 1)·H/h⌉], in both directions",
    source: "PyTorch's AdaptiveAvgPool2d",
    keys: AdaptiveAvgPool::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, h, w, C]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct AdaptiveAvgPool of "adaptive_avg_pool" {
        needs {
            /// height and width of the result
            pub size: Pair, unit "pixels", in STEP;
        }
    }
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
        self.in_range()
    }
}
