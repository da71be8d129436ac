//! Gradient descent: θ ← θ − αg, on the whole data, on minibatches or on single samples.

use super::{Decay, DecayRule, Optimizer, Stage};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Sgd::NAME,
    summary: "gradient descent without memory",
    formula: "θ ← θ − lr·g",
    source: "Robbins and Monro, A stochastic approximation method, 1951",
    keys: Sgd::KEYS,
};

settings! {
    /// θ ← θ − αg.
    ///
    /// Cost: 3 operations and 12 bytes of memory traffic per parameter; no state.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Sgd of "sgd" {
        /// base step size; the schedule multiplies it
        ///
        /// PyTorch: 0.001.
        pub lr: f64 = 0.1, in Range::AtLeast(0.0);
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

impl Optimizer for Sgd {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        super::plain_chain(self.decay, decay, None)
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay.unwrap_or(0.0)
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
