//! Gradient descent: θ ← θ − αg, on the whole data, on minibatches or on single samples.

use super::{Decay, DecayRule, Optimizer, Stage};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "sgd",
    summary: "gradient descent without memory",
    formula: "θ ← θ − lr·g",
    source: "Robbins and Monro, A stochastic approximation method, 1951",
    keys: &[
        super::lr_key("0.1"),
        super::weight_decay_key("0.0"),
        super::decay_key("\"l2\""),
        super::DECAY_ON_KEY,
    ],
};

/// θ ← θ − αg.
///
/// Cost: 3 operations and 12 bytes of memory traffic per parameter; no state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Base step size α; 0.1 (PyTorch: 0.001).
    pub lr: f64,
    /// Strength λ of the decay; 0.
    pub weight_decay: f64,
    /// Kind of the decay; L2.
    pub decay: Decay,
    /// Which parameters decay; not biases, not norm gains (PyTorch: all).
    pub decay_on: DecayRule,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { lr: 0.1, weight_decay: 0.0, decay: Decay::L2, decay_on: DecayRule::Weights }
    }
}

impl Sgd {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("lr", self.lr)?;
        ENTRY.check("weight_decay", self.weight_decay)
    }
}

impl Optimizer for Sgd {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        super::plain_chain(self.decay, decay, None)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
