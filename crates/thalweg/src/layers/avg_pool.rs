//! Average pooling: the mean of every window.

use super::pooling::{CEIL_KEY, KEYS, Window};
use super::{Layer, Pair};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "avg_pool",
    summary: "the mean of every window, channel by channel",
    formula: "y[h, w, c] = mean x[h·stride + i − padding, w·stride + j − padding, c]",
    source: "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998; \
             PyTorch's AvgPool2d",
    keys: &[
        KEYS[0],
        KEYS[1],
        KEYS[2],
        CEIL_KEY,
        Key {
            name: "count_padding",
            default: "true",
            unit: "",
            range: Range::Switch,
            help: "borders count as zeros; else they are left out of the mean",
        },
    ],
};

/// x: [B, H, W, C] -> [B, H', W', C] or [B, T, C] -> [B, T', C]; sizes as [`MaxPool`](super::MaxPool)'s.
///
/// # Errors
/// When the window is larger than the padded image, or the padding than half the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
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
    /// Borders count as zeros; true, as in PyTorch (Keras: false).
    #[serde(default = "super::conv::yes")]
    pub count_padding: bool,
}

impl AvgPool {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        AvgPool { kernel: kernel.into(), stride: None, padding: Pair::ZERO, ceil: false, count_padding: true }
    }

    fn window(&self) -> Window {
        Window { kernel: self.kernel, stride: self.stride, padding: self.padding, ceil: self.ceil }
    }
}

impl Layer for AvgPool {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let count = self.count_padding;
        self.window().pool(b, ENTRY.name, x, |b, x, options| b.avg_pool2d(x, options, count))
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
