//! All zeros: for biases; on weights it keeps the units of a layer identical for ever.

use super::{Init, Target};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "zeros",
    summary: "0 everywhere",
    formula: "w = 0",
    source: "PyTorch's zeros_; weights that start equal get equal gradients and stay equal",
    keys: &[],
};

/// 0 everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zeros {}

impl Zeros {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

impl Init for Zeros {
    fn fill(&self, _target: &Target, _rng: Rng, out: &mut [f32]) {
        out.fill(0.0);
    }
}
