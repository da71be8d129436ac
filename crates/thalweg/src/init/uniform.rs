//! Uniform between two numbers.

use super::{ANY_NUMBER, Init, Target, number, scaled};
use crate::registry::{Entry, OutOfRange, Range};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "uniform",
    summary: "uniform between two numbers",
    formula: "w ~ U[low, high)",
    source: "PyTorch's uniform_ goes from 0 to 1",
    keys: &[
        number("low", "-0.05", ANY_NUMBER, "least value"),
        number("high", "0.05", ANY_NUMBER, "bound that is not reached; low or more"),
    ],
};

/// U[low, high).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uniform {
    /// Least value; −0.05 (PyTorch: 0).
    pub low: f64,
    /// Bound that is not reached; 0.05 (PyTorch: 1).
    pub high: f64,
}

impl Default for Uniform {
    fn default() -> Self {
        Uniform { low: -0.05, high: 0.05 }
    }
}

impl Uniform {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("low", self.low)?;
        ENTRY.check("high", self.high)?;
        if self.high >= self.low {
            return Ok(());
        }
        let allowed = Range::AtLeast(self.low);
        Err(OutOfRange { of: ENTRY.name, key: "high", value: self.high, allowed, default: "0.05" })
    }
}

impl Init for Uniform {
    fn fill(&self, _target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_uniform(self.low, self.high, rng, out);
    }
}
