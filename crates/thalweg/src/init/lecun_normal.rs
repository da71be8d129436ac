//! LeCun, Gaussian: variance 1/in.

use super::{Gain, Init, Mode, Target, scaled};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "lecun_normal",
    summary: "keeps the variance of the inputs, Gaussian",
    formula: "w ~ N(0, 1/fan_in)",
    source: "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998; Keras cuts its tails off, this does not",
    keys: &[],
};

/// N(0, 1/fan_in).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LecunNormal {}

impl LecunNormal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

impl Init for LecunNormal {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_normal(scaled::std(target, Mode::FanIn, Gain::Fixed(1.0)), rng, out);
    }
}
