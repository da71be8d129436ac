//! Lookahead: after every k updates the weights go back to a share of the way that they came.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Wrap;
use crate::optim::{Block, ElementStage, StateSpec, StepInfo};
use crate::registry::{Entry, Key, OutOfRange, Range};

pub(super) const ENTRY: Entry = Entry {
    name: "lookahead",
    summary: "slow weights that follow those that are trained",
    formula: "after every k-th update: s ← s + α(θ − s); θ ← s; s starts as θ",
    source: "Zhang, Lucas, Hinton, Ba, Lookahead optimizer: k steps forward, 1 step back, NeurIPS 2019, \
             arxiv.org/abs/1907.08610; timm starts s at the first synchronization instead",
    keys: &[
        Key {
            name: "alpha",
            default: "0.5",
            unit: "",
            range: Range::Within(0.0, 1.0),
            help: "share of the way that the slow weights go, α",
        },
        Key {
            name: "k",
            default: "6",
            unit: "updates",
            range: Range::AtLeast(1.0),
            help: "updates between two",
        },
    ],
};

/// s ← s + α(θ − s), θ ← s after every k-th update.
///
/// The state of the optimizer inside stays as it is. An element-wise stage like any other, so it costs no further pass
/// over memory; one state vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lookahead {
    /// Share α of the way; 0.5.
    pub alpha: f64,
    /// Updates between two; 6.
    pub k: u64,
}

impl Default for Lookahead {
    fn default() -> Self {
        Lookahead { alpha: 0.5, k: 6 }
    }
}

impl Lookahead {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("alpha", self.alpha)?;
        ENTRY.check("k", self.k as f64)
    }

    pub(super) fn build(&self) -> Wrap {
        Wrap::Element(Arc::new(*self))
    }
}

impl ElementStage for Lookahead {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec::copy("slow", shape)]
    }

    fn apply(&self, info: &StepInfo, block: &mut Block<'_, '_>) {
        if info.step.is_multiple_of(self.k) {
            let (param, _, [slow]) = block.split();
            kernels::update::pull(self.alpha as f32, slow, param);
        }
    }
}
