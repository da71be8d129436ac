//! The same number everywhere.

use super::{ANY_NUMBER, Init, Target, number};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "constant",
    summary: "one number everywhere, such as a bias of 0.01 against dead ReLUs",
    formula: "w = value",
    source: "PyTorch's constant_",
    keys: &[number("value", "0.01", ANY_NUMBER, "the number")],
};

/// The same number everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The number; 0.01, the small positive bias that keeps ReLUs alive at the start.
    pub value: f64,
}

impl Default for Constant {
    fn default() -> Self {
        Constant { value: 0.01 }
    }
}

impl Constant {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("value", self.value)
    }
}

impl Init for Constant {
    fn fill(&self, _target: &Target, _rng: Rng, out: &mut [f32]) {
        out.fill(self.value as f32);
    }
}
