//! The same number everywhere.

use super::{ANY_NUMBER, Init, Target};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Constant::NAME,
    summary: "one number everywhere, such as a bias of 0.01 against dead ReLUs",
    formula: "w = value",
    source: "PyTorch's constant_",
    keys: Constant::KEYS,
};

settings! {
    /// The same number everywhere.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Constant of "constant" {
        /// the number
        ///
        /// By default the small positive bias that keeps ReLUs alive at the start.
        pub value: f64 = 0.01, in ANY_NUMBER;
    }
}

impl Constant {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for Constant {
    fn fill(&self, _target: &Target, _rng: Rng, out: &mut [f32]) {
        out.fill(self.value as f32);
    }
}
