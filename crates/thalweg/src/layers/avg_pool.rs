//! Average pooling: the mean of every window.

use super::pooling::Window;
use super::sizes::{BORDER, STEP};
use super::{Layer, Pair};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: AvgPool::NAME,
    summary: "the mean of every window, channel by channel",
    formula: "y[h, w, c] = mean x[h·stride + i − padding, w·stride + j − padding, c]",
    source: "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998; \
             PyTorch's AvgPool2d",
    keys: AvgPool::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, H', W', C] or [B, T, C] -> [B, T', C]; sizes as [`MaxPool`](super::MaxPool)'s.
    ///
    /// # Errors
    /// When the window is larger than the padded image, or the padding than half the window.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct AvgPool of "avg_pool" {
        needs {
            /// height and width of the window
            pub kernel: Pair, unit "pixels", in STEP;
        }
        /// distance between windows; as the kernel
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stride: Option<Pair> = None => "null", unit "pixels", in STEP;
        /// rows and columns added on each side
        pub padding: Pair = Pair::ZERO => "0", unit "pixels", in BORDER;
        /// also use a last window that begins inside and ends outside
        pub ceil: bool = false, in Range::Switch;
        /// borders count as zeros; else they are left out of the mean
        ///
        /// As in PyTorch; Keras leaves them out.
        pub count_padding: bool = true, in Range::Switch;
    }
}

impl AvgPool {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        AvgPool::needing(kernel.into())
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
        self.in_range()
    }
}
