//! Max pooling: the largest value of every window.

use super::pooling::{KEYS, Window};
use super::{Layer, Pair};
use crate::model::Builder;
use crate::registry::{Entry, OutOfRange};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "max_pool",
    summary: "the largest value of every window, channel by channel",
    formula: "y[h, w, c] = max x[h·stride + i − padding, w·stride + j − padding, c]",
    source: "Riesenhuber and Poggio, Hierarchical models of object recognition in cortex, 1999; PyTorch's MaxPool2d: \
             the stride is the kernel's size unless given, borders count as −∞",
    keys: &KEYS,
};

/// x: [B, H, W, C] -> [B, H', W', C] or [B, T, C] -> [B, T', C]; H' = ⌊(H + 2·padding − kernel) / stride⌋ + 1, with
/// `ceil` rounded up. The gradient goes to the first of equal values.
///
/// # Errors
/// When the window is larger than the padded image, or the padding than half the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: Pair,
    /// From one window to the next; as the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Rows and columns added on each side; 0.
    #[serde(default = "super::conv_transpose::zero")]
    pub padding: Pair,
    /// Also a last window that begins inside and ends outside; false.
    #[serde(default)]
    pub ceil: bool,
}

impl MaxPool {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        MaxPool { kernel: kernel.into(), stride: None, padding: Pair::ZERO, ceil: false }
    }

    fn window(&self) -> Window {
        Window { kernel: self.kernel, stride: self.stride, padding: self.padding, ceil: self.ceil }
    }
}

impl Layer for MaxPool {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        self.window().pool(b, ENTRY.name, x, |b, x, options| b.max_pool2d(x, options))
    }

    fn describe(&self) -> String {
        self.window().describe(ENTRY.name)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.window().check(&ENTRY)
    }
}
