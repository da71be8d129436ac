//! LAMB: Adam's direction with a step for each parameter, as long as a share of the parameter itself.

use super::adam::AdamRule;
use super::{DecayRule, Optimizer, Stage, StepInfo, Tensor, TensorStage};
use crate::registry::{Entry, Key, OutOfRange};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) const ENTRY: Entry = Entry {
    name: "lamb",
    summary: "Adam with a trust ratio for each parameter, for large batches",
    formula: "r = m̂/(√v̂ + ε) + λθ; θ ← θ − lr·(|θ|/|r|)·r, for each tensor; |θ|/|r| is 1 where either is 0",
    source: "You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR 2020, \
             arxiv.org/abs/1904.00962, with φ the identity; timm's Lamb with `always_adapt` and without clipping",
    keys: &[
        super::lr_key("0.001"),
        super::BETAS_KEY,
        Key { default: "1e-6", ..super::EPS_KEY },
        super::weight_decay_key("0.01"),
        super::DECAY_ON_KEY,
        super::BIAS_CORRECTION_KEY,
    ],
};

/// θ ← θ − α(‖θ‖/‖r‖)r with r = m̂/(√v̂ + ε) + λθ, for each parameter by itself.
///
/// Norms are Euclidean, added in a fixed order. Every parameter has its trust ratio, biases too; timm leaves those
/// without decay at 1 unless `always_adapt` is set.
///
/// Cost: that of Adam, and one more pass for the norms; two state vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lamb {
    /// Base step size α, in shares of a parameter's norm; 0.001.
    pub lr: f64,
    /// Decay β₁, β₂ of the averages of g and g²; 0.9, 0.999.
    pub betas: [f64; 2],
    /// Added to √v̂; 1e-6.
    pub eps: f64,
    /// Strength λ of the decay, which the trust ratio scales as well; 0.01.
    pub weight_decay: f64,
    /// Which parameters decay; not biases, not norm gains.
    pub decay_on: DecayRule,
    /// Whether m and v are divided by 1 − βᵗ; true.
    pub bias_correction: bool,
}

impl Default for Lamb {
    fn default() -> Self {
        Lamb {
            lr: 0.001,
            betas: [0.9, 0.999],
            eps: 1e-6,
            weight_decay: 0.01,
            decay_on: DecayRule::Weights,
            bias_correction: true,
        }
    }
}

impl Lamb {
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

impl Optimizer for Lamb {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn stages(&self, decay: f64) -> Vec<Stage> {
        let decay = (decay != 0.0).then_some(Stage::L2(decay));
        let trust = Stage::Tensor(Arc::new(TrustRatio));
        [self.rule().stage()].into_iter().chain(decay).chain([trust, Stage::Step]).collect()
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
