//! Adam: steps of about one size for every parameter, from running averages of the gradient and its square.

use super::{Decay, DecayRule, Optimizer, Stage};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "adam",
    summary: "step sizes adapted to each parameter",
    formula: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − lr·m̂/(√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
    source: "Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, arxiv.org/abs/1412.6980",
    keys: &[
        super::lr_key("0.001"),
        super::BETAS_KEY,
        super::EPS_KEY,
        super::weight_decay_key("0.0"),
        super::decay_key("\"l2\""),
        super::DECAY_ON_KEY,
        super::BIAS_CORRECTION_KEY,
    ],
};

/// m̂/(√v̂ + ε) with bias-corrected averages; t starts at 1, m and v at 0.
///
/// PyTorch's form: ε is added after the correction (Keras adds it before, "ε-hat").
///
/// Cost: 16 operations, one root and one division among them, and 28 bytes of memory traffic per parameter; two state
/// vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Base step size α; 0.001.
    pub lr: f64,
    /// Decay β₁, β₂ of the averages of g and g²; 0.9, 0.999.
    pub betas: [f64; 2],
    /// Added to √v̂; 1e-8.
    pub eps: f64,
    /// Strength λ of the decay; 0.0.
    pub weight_decay: f64,
    /// Kind of the decay; L2.
    pub decay: Decay,
    /// Which parameters decay; not biases, not norm gains (PyTorch: all).
    pub decay_on: DecayRule,
    /// Whether m and v are divided by 1 − βᵗ; true (PyTorch has no switch).
    pub bias_correction: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam {
            lr: 0.001,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            decay: Decay::L2,
            decay_on: DecayRule::Weights,
            bias_correction: true,
        }
    }
}

impl Adam {
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

impl Optimizer for Adam {
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

/// What Adam and AdamW share: all but the defaults.
#[derive(Clone, Copy)]
pub(super) struct AdamRule {
    pub(super) betas: [f64; 2],
    pub(super) eps: f64,
    pub(super) weight_decay: f64,
    pub(super) bias_correction: bool,
}

impl AdamRule {
    pub(super) fn check(&self, entry: &Entry, lr: f64) -> Result<(), OutOfRange> {
        entry.check("lr", lr)?;
        entry.check("betas", self.betas[0])?;
        entry.check("betas", self.betas[1])?;
        entry.check("eps", self.eps)?;
        entry.check("weight_decay", self.weight_decay)
    }

    pub(super) fn stage(&self) -> Stage {
        Stage::Adam { betas: self.betas, eps: self.eps, bias_correction: self.bias_correction }
    }
}
