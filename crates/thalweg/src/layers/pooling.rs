//! What max and average pooling share: a window, its steps and its borders.

use super::Pair;
use super::image::{frames, unframed};
use crate::model::Builder;
use engine::graph::{Built, Var};
use engine::ops::pooling::PoolOptions;

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
