//! Max pooling: the largest value of every window.

use super::pooling::Window;
use super::sizes::{BORDER, STEP};
use super::{Layer, Pair};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: MaxPool::NAME,
    summary: "the largest value of every window, channel by channel",
    formula: "y[h, w, c] = max x[h·stride + i − padding, w·stride + j − padding, c]",
    source: "Riesenhuber and Poggio, Hierarchical models of object recognition in cortex, 1999; PyTorch's MaxPool2d: \
             the stride is the kernel's size unless given, borders count as −∞",
    keys: MaxPool::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, H', W', C] or [B, T, C] -> [B, T', C]; H' = ⌊(H + 2·padding − kernel) / stride⌋ + 1, with
    /// `ceil` rounded up. The gradient goes to the first of equal values.
    ///
    /// # Errors
    /// When the window is larger than the padded image, or the padding than half the window.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct MaxPool of "max_pool" {
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
    }
}

impl MaxPool {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        MaxPool::needing(kernel.into())
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
        self.in_range()
    }
}
