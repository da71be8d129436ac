//! A rectangle of another sample is pasted into each one, and its target counts by the area.

use super::cutout::around;
use super::mixing::{ALPHA_RANGE, Mix, Mixture};
use super::{Draws, P_RANGE, Transform};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Cutmix::NAME,
    summary: "paste a rectangle of another training sample, whose target counts by its area",
    formula: "λ ~ Beta(alpha, alpha); a box of h √(1 − λ) × w √(1 − λ) around a uniform center, cut at the frame, comes from \
              xⱼ; loss = λ' L(yᵢ) + (1 − λ') L(yⱼ), λ' the share of pixels that stay",
    source: "Yun, Han, Oh, Chun, Choe and Yoo, CutMix, 2019: alpha 1, p 0.5 for CIFAR. Each sample has its own box and \
             partner; torchvision's CutMix has one box a batch",
    keys: Cutmix::KEYS,
};

settings! {
    /// Pastes.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Cutmix of "cutmix" {
        /// 1: all areas alike; less: more small and large ones
        pub alpha: f64 = 1.0, in ALPHA_RANGE;
        /// probability
        pub p: f64 = 1.0, in P_RANGE;
    }
}

impl Transform for Cutmix {
    fn mixes(&self) -> bool {
        true
    }

    fn mix(&self, draws: Draws, n_partners: usize, [h, w, _]: [usize; 3]) -> Option<Mix> {
        draws.happens(self.p, 0).then(|| {
            let side = (1.0 - draws.beta(self.alpha, 10)).max(0.0).sqrt();
            let along = |n: usize, which: u64| around(draws.below(n, which), (side * n as f32) as usize, n);
            let (rows, columns) = (along(h, 2), along(w, 3));
            let own = 1.0 - (rows.len() * columns.len()) as f32 / (h * w) as f32;
            let partner = draws.below(n_partners, 1);
            Mix { partner, own, mixture: Mixture::Paste { rows, columns } }
        })
    }
}
