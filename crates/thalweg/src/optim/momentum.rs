//! Momentum (the heavy ball): steps add up where gradients agree.

use super::{Decay, DecayRule, Optimizer, Stage};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "momentum",
    summary: "gradient descent with a running sum of gradients",
    formula: "b ← μb + g; θ ← θ − lr·b",
    source: "Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
    keys: &[
        super::lr_key("0.01"),
        super::MOMENTUM_KEY,
        super::weight_decay_key("0.0"),
        super::decay_key("\"l2\""),
        super::DECAY_ON_KEY,
    ],
};

/// b ← μb + g, θ ← θ − αb; b starts at 0, so the first step is plain.
///
/// PyTorch's form (no dampening): lr is outside the buffer, so a change of lr acts at once. Keras' v ← μv − αg is the
/// same at constant α only.
///
/// Cost: 5 operations and 20 bytes of memory traffic per parameter; one state vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// Base step size α; 0.01 (PyTorch: 0.001).
    pub lr: f64,
    /// Share μ of the last step that goes on; 0.9 (PyTorch: 0).
    pub momentum: f64,
    /// Strength λ of the decay; 0.
    pub weight_decay: f64,
    /// Kind of the decay; L2.
    pub decay: Decay,
    /// Which parameters decay; not biases, not norm gains (PyTorch: all).
    pub decay_on: DecayRule,
}

impl Default for Momentum {
    fn default() -> Self {
        Momentum {
            lr: 0.01,
            momentum: 0.9,
            weight_decay: 0.0,
            decay: Decay::L2,
            decay_on: DecayRule::Weights,
        }
    }
}

impl Momentum {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("lr", self.lr)?;
        ENTRY.check("momentum", self.momentum)?;
        ENTRY.check("weight_decay", self.weight_decay)
    }
}

impl Optimizer for Momentum {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        super::plain_chain(self.decay, decay, Some(Stage::Momentum { mu: self.momentum, nesterov: false }))
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
