//! AdamW: Adam whose weight decay acts on the parameters and not through the averages.

use super::adam::AdamRule;
use super::{Decay, DecayRule, Optimizer, Stage};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "adamw",
    summary: "Adam with decoupled weight decay",
    formula: "θ ← (1 − lr·λ)θ − lr·m̂/(√v̂ + ε), m̂ and v̂ as in adam",
    source: "Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, arxiv.org/abs/1711.05101; \
             as in PyTorch the decay is lr·λ, the paper's is (lr/lr₀)·λ",
    keys: &[
        super::lr_key("0.001"),
        super::BETAS_KEY,
        super::EPS_KEY,
        super::weight_decay_key("0.01"),
        super::decay_key("\"decoupled\""),
        super::DECAY_ON_KEY,
        super::BIAS_CORRECTION_KEY,
    ],
};

/// [`Adam`](super::Adam) with other defaults: decoupled decay of strength 0.01.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Base step size α; 0.001.
    pub lr: f64,
    /// Decay β₁, β₂ of the averages of g and g²; 0.9, 0.999.
    pub betas: [f64; 2],
    /// Added to √v̂; 1e-8.
    pub eps: f64,
    /// Strength λ of the decay; 0.01.
    pub weight_decay: f64,
    /// Kind of the decay; decoupled.
    pub decay: Decay,
    /// Which parameters decay; not biases, not norm gains (PyTorch: all).
    pub decay_on: DecayRule,
    /// Whether m and v are divided by 1 − βᵗ; true (PyTorch has no switch).
    pub bias_correction: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW {
            lr: 0.001,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.01,
            decay: Decay::Decoupled,
            decay_on: DecayRule::Weights,
            bias_correction: true,
        }
    }
}

impl AdamW {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.rule().check(&ENTRY, self.lr)
    }

    fn rule(&self) -> AdamRule {
        AdamRule {
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            bias_correction: self.bias_correction,
        }
    }
}

impl Optimizer for AdamW {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        super::plain_chain(self.decay, decay, Some(self.rule().stage()))
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
