//! Nesterov's momentum: the gradient counts as if taken where momentum leads.

use super::{Decay, DecayRule, Optimizer, Stage};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "nesterov",
    summary: "momentum that looks one step ahead",
    formula: "b ← μb + g; θ ← θ − lr·(g + μb)",
    source: "Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²), 1983; form of Sutskever et al., 2013",
    keys: &[
        super::lr_key("0.01"),
        super::MOMENTUM_KEY,
        super::weight_decay_key("0.0"),
        super::decay_key("\"l2\""),
        super::DECAY_ON_KEY,
    ],
};

/// b ← μb + g, θ ← θ − α(g + μb); b starts at 0.
///
/// PyTorch's form. θ here is the point *ahead*, where the gradient is taken; with v = −αb this is v ← μv − αg(θ + μv)
/// for the point behind, at constant α.
///
/// Cost: 7 operations and 20 bytes of memory traffic per parameter; one state vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nesterov {
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

impl Default for Nesterov {
    fn default() -> Self {
        Nesterov {
            lr: 0.01,
            momentum: 0.9,
            weight_decay: 0.0,
            decay: Decay::L2,
            decay_on: DecayRule::Weights,
        }
    }
}

impl Nesterov {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("lr", self.lr)?;
        ENTRY.check("momentum", self.momentum)?;
        ENTRY.check("weight_decay", self.weight_decay)
    }
}

impl Optimizer for Nesterov {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        super::plain_chain(self.decay, decay, Some(Stage::Momentum { mu: self.momentum, nesterov: true }))
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
