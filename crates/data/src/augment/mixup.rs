//! Each sample is blended with another one, and so is its target.

use super::mixing::{ALPHA_RANGE, Mix, Mixture};
use super::{Draws, P_RANGE, Transform};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Mixup::NAME,
    summary: "blend with another training sample, and its loss with that of the other target",
    formula: "λ ~ Beta(alpha, alpha); x = λ xᵢ + (1 − λ) xⱼ; loss = λ L(yᵢ) + (1 − λ) L(yⱼ)",
    source: "Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond empirical risk minimization, 2018: alpha 0.2 for ImageNet, 1 \
             for CIFAR-10. Each sample has its own λ and partner; torchvision's MixUp has one λ a batch",
    keys: Mixup::KEYS,
};

settings! {
    /// Blends.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Mixup of "mixup" {
        /// the larger, the more even the blend
        pub alpha: f64 = 0.2, in ALPHA_RANGE;
        /// probability
        pub p: f64 = 1.0, in P_RANGE;
    }
}

impl Transform for Mixup {
    fn mixes(&self) -> bool {
        true
    }

    fn mix(&self, draws: Draws, n_partners: usize, _shape: [usize; 3]) -> Option<Mix> {
        draws.happens(self.p, 0).then(|| {
            let own = draws.beta(self.alpha, 10);
            Mix { partner: draws.below(n_partners, 1), own, mixture: Mixture::Blend }
        })
    }
}
