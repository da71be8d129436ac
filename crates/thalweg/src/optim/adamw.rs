//! AdamW: Adam whose weight decay acts on the parameters and not through the averages.

use super::{Decay, DecayRule, EPS_RANGE, Optimizer, Stage};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: AdamW::NAME,
    summary: "Adam with decoupled weight decay",
    formula: "θ ← (1 − lr·λ)θ − lr·m̂/(√v̂ + ε), m̂ and v̂ as in adam",
    source: "Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, arxiv.org/abs/1711.05101; \
             as in PyTorch the decay is lr·λ, the paper's is (lr/lr₀)·λ",
    keys: AdamW::KEYS,
};

settings! {
    /// [`Adam`](super::Adam) with other defaults: decoupled decay of strength 0.01.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AdamW of "adamw" {
        /// base step size; the schedule multiplies it
        pub lr: f64 = 0.001, in Range::AtLeast(0.0);
        /// decay of the averages of the gradient and of its square, β₁ and β₂
        pub betas: [f64; 2] = [0.9, 0.999], in Range::Below(0.0, 1.0);
        /// added to the root of the average square
        pub eps: f64 = 1e-8, in EPS_RANGE;
        /// strength of the weight decay (gradient λθ, of the penalty ½λ|θ|²)
        pub weight_decay: f64 = 0.01, in Range::AtLeast(0.0);
        /// l2 adds λθ to the gradient; decoupled shrinks θ by lr·λ, apart from the step
        pub decay: Decay = Decay::Decoupled => "\"decoupled\"", in Range::Words(Decay::WORDS);
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

impl Optimizer for AdamW {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        let direction =
            Stage::Adam { betas: self.betas, eps: self.eps, bias_correction: self.bias_correction };
        super::plain_chain(self.decay, decay, Some(direction))
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}
