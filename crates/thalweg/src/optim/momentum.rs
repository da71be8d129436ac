//! Momentum (the heavy ball): steps add up where gradients agree.

use super::{Decay, DecayRule, Optimizer, Stage};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Momentum::NAME,
    summary: "gradient descent with a running sum of gradients",
    formula: "b ← μb + g; θ ← θ − lr·b",
    source: "Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
    keys: Momentum::KEYS,
};

settings! {
    /// b ← μb + g, θ ← θ − αb; b starts at 0, so the first step is plain.
    ///
    /// PyTorch's form (no dampening): lr is outside the buffer, so a change of lr acts at once. Keras' v ← μv − αg is
    /// the same at constant α only.
    ///
    /// Cost: 5 operations and 20 bytes of memory traffic per parameter; one state vector.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Momentum of "momentum" {
        /// base step size; the schedule multiplies it
        ///
        /// PyTorch: 0.001.
        pub lr: f64 = 0.01, in Range::AtLeast(0.0);
        /// share of the last step that goes on, μ
        ///
        /// PyTorch: 0.
        pub momentum: f64 = 0.9, in Range::Below(0.0, 1.0);
        /// strength λ of the weight decay (gradient λθ, of the penalty ½λ|θ|²); open: 0, for a table of n rows 1/n
        ///
        /// n are the training samples. 1/n is a prior of variance 1 for each weight, as in scikit-learn's logistic
        /// regression (C = 1).
        pub weight_decay: Option<f64> = None => "null", in Range::AtLeast(0.0);
        /// l2 adds λθ to the gradient; decoupled shrinks θ by lr·λ, apart from the step
        pub decay: Decay = Decay::L2 => "\"l2\"", in Range::Words(Decay::WORDS);
        /// which parameters decay
        ///
        /// PyTorch: all.
        pub decay_on: DecayRule = DecayRule::Weights => "\"weights\"", in DecayRule::RANGE;
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
        self.weight_decay.unwrap_or(0.0)
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
