//! Lookahead: after every k updates the weights go back to a share of the way that they came.

use std::sync::Arc;

use settings::{Entry, Range, settings};

use super::Wrap;
use crate::optim::{Block, ElementStage, StateSpec, StepInfo};

pub(super) const ENTRY: Entry = Entry {
    name: Lookahead::NAME,
    summary: "slow weights that follow the trained ones",
    formula: "after every k-th update: s ← s + α(θ − s); θ ← s; s starts as θ",
    source: "Zhang, Lucas, Hinton, Ba, Lookahead optimizer: k steps forward, 1 step back, NeurIPS 2019, \
             arxiv.org/abs/1907.08610; timm starts s at the first synchronization instead",
    keys: Lookahead::KEYS,
};

settings! {
    /// s ← s + α(θ − s), θ ← s after every k-th update.
    ///
    /// The state of the optimizer inside stays as it is. An element-wise stage like any other, so it costs no further
    /// pass over memory; one state vector.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Lookahead of "lookahead" {
        /// how far the slow weights move each time, α
        pub alpha: f64 = 0.5, in Range::Within(0.0, 1.0);
        /// updates from one synchronization to the next
        pub k: u64 = 6, unit "updates", in Range::AtLeast(1.0);
    }
}

impl Lookahead {
    pub(super) fn build(&self) -> Wrap {
        Wrap::Element(Arc::new(*self))
    }
}

impl ElementStage for Lookahead {
    fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        vec![StateSpec::copy("slow", shape)]
    }

    fn apply(&self, info: &StepInfo, block: &mut Block<'_, '_>) {
        if info.step.is_multiple_of(self.k) {
            let (param, _, [slow]) = block.split();
            kernels::update::pull(self.alpha as f32, slow, param);
        }
    }
}
