//! Layer normalization: every row is centered and scaled by its own statistics.

use super::Layer;
use super::batch_norm::EPS;
use crate::init::{Constant, Zeros};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: LayerNorm::NAME,
    summary: "centers and scales every row over the last axis",
    formula: "y = γ·(x − mean)/√(var + ε) + β, biased variance",
    source: "Ba, Kiros and Hinton, Layer normalization, 2016, arxiv.org/abs/1607.06450; ε is PyTorch's (Keras: 1e-3)",
    keys: LayerNorm::KEYS,
};

settings! {
    /// x: [.., C] -> [.., C]; parameters `weight` (γ, starts at 1) and `bias` (β, starts at 0), `[C]` each.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct LayerNorm of "layer_norm" {
        /// added to the variance
        pub eps: f64 = 1e-5, in EPS;
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
        self.in_range()
    }
}
