//! Adam: steps of about one size for every parameter, from running averages of the gradient and its square.

use super::{Decay, DecayRule, EPS_RANGE, Optimizer, Stage};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Adam::NAME,
    summary: "step sizes adapted to each parameter",
    formula: "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − lr·m̂/(√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
    source: "Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, arxiv.org/abs/1412.6980",
    keys: Adam::KEYS,
};

settings! {
    /// m̂/(√v̂ + ε) with bias-corrected averages; t starts at 1, m and v at 0.
    ///
    /// PyTorch's form: ε is added after the correction (Keras adds it before, "ε-hat").
    ///
    /// Cost: 16 operations, one root and one division among them, and 28 bytes of memory traffic per parameter; two
    /// state vectors.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Adam of "adam" {
        /// base step size; the schedule multiplies it
        pub lr: f64 = 0.001, in Range::AtLeast(0.0);
        /// decay of the averages of the gradient and of its square, β₁ and β₂
        pub betas: [f64; 2] = [0.9, 0.999], in Range::Below(0.0, 1.0);
        /// added to the root of the average square
        pub eps: f64 = 1e-8, in EPS_RANGE;
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
        /// divide both averages by 1 − βᵗ, because they start at 0
        ///
        /// PyTorch has no switch.
        pub bias_correction: bool = true, in Range::Switch;
    }
}

impl Optimizer for Adam {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        let direction =
            Stage::Adam { betas: self.betas, eps: self.eps, bias_correction: self.bias_correction };
        super::plain_chain(self.decay, decay, Some(direction))
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay.unwrap_or(0.0)
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
