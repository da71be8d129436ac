//! Layer normalisation: every row is centred and scaled by its own statistics.

use super::Layer;
use super::batch_norm::EPS_KEY;
use crate::init::{Constant, Zeros};
use crate::model::Builder;
use crate::registry::{Entry, OutOfRange};
use engine::Fault;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "layer_norm",
    summary: "centres and scales every row over the last axis",
    formula: "y = γ·(x − mean)/√(var + ε) + β, biased variance",
    source: "Ba, Kiros and Hinton, Layer normalization, 2016, arxiv.org/abs/1607.06450; ε is PyTorch's (Keras: 1e-3)",
    keys: &[EPS_KEY],
};

/// x: [.., C] -> [.., C]; parameters `weight` (γ, starts at 1) and `bias` (β, starts at 0), `[C]` each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance; 1e-5.
    pub eps: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        LayerNorm { eps: 1e-5 }
    }
}

impl Layer for LayerNorm {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        if b.shape(x).len() < 2 {
            let got = b.shape(x).clone();
            return Err(b.error(ENTRY.name, Fault::Rank { expected: "at least 2", got }));
        }
        let width = b.shape(x).last_dim();
        let gamma = b.param("weight", [width], Constant { value: 1.0 })?;
        let beta = b.param("bias", [width], Zeros {})?;
        b.layer_norm(x, gamma, beta, self.eps as f32)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("eps", self.eps)
    }
}
