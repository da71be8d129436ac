//! A Gaussian without its tails: values outside of two bounds do not occur.

use super::quantile::{cdf, quantile};
use super::{ANY_NUMBER, Init, Target};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: TruncNormal::NAME,
    summary: "a Gaussian cut off at two bounds",
    formula: "w ~ N(mean, std²) given low ≤ w ≤ high",
    source: "PyTorch's trunc_normal_: the bounds are values, not multiples of std; its std is 1 by default",
    keys: TruncNormal::KEYS,
};

settings! {
    /// N(mean, std²) given that the value lies in [low, high], by inverting the distribution function.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct TruncNormal of "trunc_normal" {
        /// standard deviation before the cut
        ///
        /// PyTorch's is 1.
        pub std: f64 = 0.02, in Range::Above(0.0);
        /// mean before the cut
        pub mean: f64 = 0.0, in ANY_NUMBER;
        /// least value; at most 2 std above the mean
        pub low: f64 = -2.0, in ANY_NUMBER;
        /// largest value; above low, and at most 2 std below the mean
        pub high: f64 = 2.0, in ANY_NUMBER;
    }
}

impl TruncNormal {
    /// Bounds far out in one tail are refused (PyTorch warns): the draws would lose their digits there.
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()?;
        let wrong =
            |key, value, allowed, default| Err(OutOfRange { of: ENTRY.name, key, value, allowed, default });
        let (least_high, most_low) = (self.mean - 2.0 * self.std, self.mean + 2.0 * self.std);
        if self.low > most_low {
            return wrong("low", self.low, Range::Other("at most 2 std above the mean"), "-2.0");
        }
        if self.high <= self.low || self.high < least_high {
            return wrong("high", self.high, Range::Above(self.low.max(least_high)), "2.0");
        }
        Ok(())
    }
}

impl Init for TruncNormal {
    fn fill(&self, _target: &Target, rng: Rng, out: &mut [f32]) {
        let share = |x: f64| cdf((x - self.mean) / self.std);
        let (low, high) = (share(self.low), share(self.high));
        for (i, x) in (0..).zip(out) {
            let p = low + (high - low) * (f64::from(rng.word(i)) + 0.5) / 4_294_967_296.0;
            *x = (self.mean + self.std * quantile(p)).clamp(self.low, self.high) as f32;
        }
    }
}
