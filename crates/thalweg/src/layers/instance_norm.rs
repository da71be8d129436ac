//! Instance normalisation: every channel of every image is centred and scaled by its own statistics.

use super::Layer;
use super::affine::affine;
use super::batch_norm::EPS_KEY;
use super::group_norm::affine_key;
use super::image::{frames, unframed};
use crate::model::Builder;
use crate::registry::{Entry, OutOfRange};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "instance_norm",
    summary: "centres and scales every channel of every image",
    formula: "y = (x − mean)/√(var + ε), over height and width, biased variance; with affine γ·y + β",
    source: "Ulyanov, Vedaldi and Lempitsky, Instance normalization, 2016, arxiv.org/abs/1607.08022; PyTorch's \
             InstanceNorm2d, without running averages",
    keys: &[EPS_KEY, affine_key("false")],
};

/// x: [B, H, W, C] or [B, T, C] -> the same shape; with `affine` parameters `weight` and `bias`, `[C]` each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceNorm {
    /// Added to the variance; 1e-5.
    pub eps: f64,
    /// Whether a gain and a shift follow; false, as in PyTorch.
    pub affine: bool,
}

impl Default for InstanceNorm {
    fn default() -> Self {
        InstanceNorm { eps: 1e-5, affine: false }
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
        ENTRY.check("eps", self.eps)
    }
}
