//! Uniform between two numbers.

use super::{ANY_NUMBER, Init, Target, scaled};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Uniform::NAME,
    summary: "uniform between two numbers",
    formula: "w ~ U[low, high)",
    source: "PyTorch's uniform_ goes from 0 to 1",
    keys: Uniform::KEYS,
};

settings! {
    /// U[low, high).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Uniform of "uniform" {
        /// least value
        ///
        /// PyTorch's is 0.
        pub low: f64 = -0.05, in ANY_NUMBER;
        /// bound that is not reached; low or more
        ///
        /// PyTorch's is 1.
        pub high: f64 = 0.05, in ANY_NUMBER;
    }
}

impl Uniform {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()?;
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
