//! What max and average pooling share: a window, its steps and its borders.

use super::Pair;
use super::image::{frames, unframed};
use super::sizes::{KERNEL_KEY, PADDING_KEY, pair_key};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use engine::ops::pooling::PoolOptions;

pub(super) const STRIDE_KEY: Key =
    Key { default: "null", ..pair_key("stride", "", "from one window to the next; as the kernel") };

pub(super) const CEIL_KEY: Key = Key {
    name: "ceil",
    default: "false",
    unit: "",
    range: Range::Switch,
    help: "also a last window that begins inside and ends outside",
};

pub(super) const KEYS: [Key; 4] = [KERNEL_KEY, STRIDE_KEY, PADDING_KEY, CEIL_KEY];

/// The window of a pooling layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub kernel: Pair,
    pub stride: Option<Pair>,
    pub padding: Pair,
    pub ceil: bool,
}

impl Window {
    fn stride(&self) -> Pair {
        self.stride.unwrap_or(self.kernel)
    }

    pub fn check(&self, entry: &Entry) -> Result<(), OutOfRange> {
        self.kernel.check(entry, "kernel", 1)?;
        self.stride().check(entry, "stride", 1)?;
        self.padding.check(entry, "padding", 0)
    }

    pub fn describe(&self, kind: &str) -> String {
        let mut text = format!("{kind}({}", self.kernel);
        if self.stride() != self.kernel {
            text += &format!(", stride {}", self.stride().short());
        }
        if self.padding != Pair::ZERO {
            text += &format!(", padding {}", self.padding.short());
        }
        text + if self.ceil { ", ceil)" } else { ")" }
    }

    /// Pools an image `[B, H, W, C]`, or a sequence `[B, T, C]` along its only direction.
    pub fn pool(
        &self,
        b: &mut Builder<'_>,
        op: &'static str,
        x: Var,
        pool: impl FnOnce(&mut Builder<'_>, Var, &PoolOptions) -> Built,
    ) -> Built {
        let (x, sequence) = frames(b, op, x)?;
        let (mut kernel, mut stride, mut padding) = (self.kernel, self.stride(), self.padding);
        if sequence {
            (kernel, stride, padding) = (kernel.row(1), stride.row(1), padding.row(0));
        }
        let options = PoolOptions { kernel: kernel.0, stride: stride.0, padding: padding.0, ceil: self.ceil };
        let y = pool(b, x, &options)?;
        unframed(b, y, sequence)
    }
}
