//! Group normalisation: the channels of an image are centred and scaled in groups.

use super::Layer;
use super::affine::affine;
use super::batch_norm::EPS_KEY;
use super::image::{frames, unframed};
use super::sizes::check_size;
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "group_norm",
    summary: "centres and scales groups of channels of every image",
    formula: "y = γ·(x − mean)/√(var + ε) + β, over height, width and the channels of a group, biased variance",
    source: "Wu and He, Group normalization, ECCV 2018, arxiv.org/abs/1803.08494; PyTorch's GroupNorm; 1 group takes \
             all channels and places together",
    keys: &[
        Key {
            name: "groups",
            default: "32",
            unit: "",
            range: Range::Other("a number from 1 to 65536 that divides the channels"),
            help: "parts of the channels, each with its own statistics",
        },
        EPS_KEY,
        affine_key("true"),
    ],
};

pub(super) const fn affine_key(default: &'static str) -> Key {
    Key {
        name: "affine",
        default,
        unit: "",
        range: Range::Switch,
        help: "whether a gain and a shift for each channel follow",
    }
}

/// x: [B, H, W, C] or [B, T, C] -> the same shape; with `affine` parameters `weight` and `bias`, `[C]` each.
///
/// # Errors
/// When the groups do not divide the channels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupNorm {
    /// Parts of the channels; 32, the paper's.
    pub groups: usize,
    /// Added to the variance; 1e-5.
    pub eps: f64,
    /// Whether a gain and a shift follow; true.
    pub affine: bool,
}

impl Default for GroupNorm {
    fn default() -> Self {
        GroupNorm { groups: 32, eps: 1e-5, affine: true }
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
        check_size(&ENTRY, "groups", self.groups, 1)?;
        ENTRY.check("eps", self.eps)
    }
}
