//! LAMB: Adam's direction with a step for each parameter, as long as a share of the parameter itself.

use super::{DecayRule, EPS_RANGE, Optimizer, Stage, StepInfo, Tensor, TensorStage};
use settings::{Entry, Range, settings};
use std::sync::Arc;

pub(super) const ENTRY: Entry = Entry {
    name: Lamb::NAME,
    summary: "Adam with a trust ratio for each parameter, for large batches",
    formula: "r = m̂/(√v̂ + ε) + λθ; θ ← θ − lr·(|θ|/|r|)·r, for each tensor; |θ|/|r| is 1 where either is 0",
    source: "You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR 2020, \
             arxiv.org/abs/1904.00962, with φ the identity; timm's Lamb with `always_adapt` and without clipping",
    keys: Lamb::KEYS,
};

settings! {
    /// θ ← θ − α(‖θ‖/‖r‖)r with r = m̂/(√v̂ + ε) + λθ, for each parameter by itself.
    ///
    /// Norms are Euclidean, added in a fixed order. Every parameter has its trust ratio, biases too; timm leaves those
    /// without decay at 1 unless `always_adapt` is set.
    ///
    /// Cost: that of Adam, and one more pass for the norms; two state vectors.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Lamb of "lamb" {
        /// base step size; the schedule multiplies it
        ///
        /// In shares of a parameter's norm.
        pub lr: f64 = 0.001, in Range::AtLeast(0.0);
        /// decay of the averages of the gradient and of its square, β₁ and β₂
        pub betas: [f64; 2] = [0.9, 0.999], in Range::Below(0.0, 1.0);
        /// added to the root of the average square
        pub eps: f64 = 1e-6, in EPS_RANGE;
        /// strength of the weight decay (gradient λθ, of the penalty ½λ|θ|²)
        ///
        /// The trust ratio scales it as well.
        pub weight_decay: f64 = 0.01, in Range::AtLeast(0.0);
        /// which parameters decay
        pub decay_on: DecayRule = DecayRule::Weights => "\"weights\"", in DecayRule::RANGE;
        /// divide both averages by 1 − βᵗ, because they start at 0
        pub bias_correction: bool = true, in Range::Switch;
    }
}

impl Optimizer for Lamb {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        let decay = (decay != 0.0).then_some(Stage::L2(decay));
        let trust = Stage::Tensor(Arc::new(TrustRatio));
        let direction =
            Stage::Adam { betas: self.betas, eps: self.eps, bias_correction: self.bias_correction };
        [direction].into_iter().chain(decay).chain([trust, Stage::Step]).collect()
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn decay_on(&self) -> &DecayRule {
        &self.decay_on
    }
}

/// u ← (‖θ‖/‖u‖)·u; as it is where either norm is 0.
#[derive(Debug)]
struct TrustRatio;

impl TensorStage for TrustRatio {
    fn apply(&self, _info: &StepInfo, tensor: &mut Tensor<'_, '_>) {
        let [of_param, of_update] = [&*tensor.param, &*tensor.update].map(Tensor::norm);
        if of_param > 0.0 && of_update > 0.0 {
            kernels::update::scale((of_param / of_update) as f32, tensor.update);
        }
    }
}
