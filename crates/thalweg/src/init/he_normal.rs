//! He or Kaiming, Gaussian: variance gain²/in, 2/in before a ReLU.

use super::{GAIN_KEY, Gain, Init, Mode, Target, mode_key, scaled};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "he_normal",
    summary: "He's scale for the activation that follows, Gaussian",
    formula: "w ~ N(0, gain²/n), n = fan_in",
    source: "He, Zhang, Ren and Sun, Delving deep into rectifiers, ICCV 2015, arxiv.org/abs/1502.01852; PyTorch's kaiming with the gain of the activation that follows",
    keys: &[mode_key("\"fan_in\""), GAIN_KEY],
};

/// He or Kaiming, Gaussian: variance gain²/in, 2/in before a ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeNormal {
    /// The n of the formula; the inputs.
    pub mode: Mode,
    /// Factor of the standard deviation; that of the activation that follows.
    pub gain: Gain,
}

impl Default for HeNormal {
    fn default() -> Self {
        HeNormal { mode: Mode::FanIn, gain: Gain::Auto }
    }
}

impl HeNormal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.gain.check(&ENTRY)
    }
}

impl Init for HeNormal {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_normal(scaled::std(target, self.mode, self.gain), rng, out);
    }
}
