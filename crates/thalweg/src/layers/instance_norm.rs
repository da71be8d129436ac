//! Instance normalization: every channel of every image is centered and scaled by its own statistics.

use super::Layer;
use super::affine::affine;
use super::batch_norm::EPS;
use super::image::{frames, unframed};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: InstanceNorm::NAME,
    summary: "centers and scales every channel of every image",
    formula: "y = (x − mean)/√(var + ε), over height and width, biased variance; with affine γ·y + β",
    source: "Ulyanov, Vedaldi and Lempitsky, Instance normalization, 2016, arxiv.org/abs/1607.08022; PyTorch's \
             InstanceNorm2d, without running averages",
    keys: InstanceNorm::KEYS,
};

settings! {
    /// x: [B, H, W, C] or [B, T, C] -> the same shape; with `affine` parameters `weight` and `bias`, `[C]` each.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct InstanceNorm of "instance_norm" {
        /// added to the variance
        pub eps: f64 = 1e-5, in EPS;
        /// whether a gain and a shift for each channel follow
        ///
        /// As in PyTorch.
        pub affine: bool = false, in Range::Switch;
    }
}

impl Layer for InstanceNorm {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (x, sequence) = frames(b, ENTRY.name, x)?;
        let y = b.instance_norm(x, self.eps as f32)?;
        let y = if self.affine { affine(b, y)? } else { y };
        unframed(b, y, sequence)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
