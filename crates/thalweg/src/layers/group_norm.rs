//! Group normalization: the channels of an image are centered and scaled in groups.

use super::Layer;
use super::affine::affine;
use super::batch_norm::EPS;
use super::image::{frames, unframed};
use super::sizes::MAX_SIZE;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: GroupNorm::NAME,
    summary: "centers and scales groups of channels of every image",
    formula: "y = γ·(x − mean)/√(var + ε) + β, over height, width and the channels of a group, biased variance",
    source: "Wu and He, Group normalization, ECCV 2018, arxiv.org/abs/1803.08494; PyTorch's GroupNorm; 1 group takes \
             all channels and places together",
    keys: GroupNorm::KEYS,
};

const PARTS: Range =
    Range::Told(&Range::Within(1.0, MAX_SIZE), "a number from 1 to 65536 that divides the channels");

settings! {
    /// x: [B, H, W, C] or [B, T, C] -> the same shape; with `affine` parameters `weight` and `bias`, `[C]` each.
    ///
    /// # Errors
    /// When the groups do not divide the channels.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct GroupNorm of "group_norm" {
        /// parts of the channels, each with its own statistics
        ///
        /// By default the paper's.
        pub groups: usize = 32, in PARTS;
        /// added to the variance
        pub eps: f64 = 1e-5, in EPS;
        /// whether a gain and a shift for each channel follow
        pub affine: bool = true, in Range::Switch;
    }
}

impl Layer for GroupNorm {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (x, sequence) = frames(b, ENTRY.name, x)?;
        let y = b.group_norm(x, self.groups, self.eps as f32)?;
        let y = if self.affine { affine(b, y)? } else { y };
        unframed(b, y, sequence)
    }

    fn describe(&self) -> String {
        format!("group_norm({})", self.groups)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
