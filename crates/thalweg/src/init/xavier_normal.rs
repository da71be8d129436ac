//! Xavier or Glorot, Gaussian: variance gain²·2/(in + out), or gain²/in with mode `fan_in`.

use super::{Gain, Init, Mode, Target, mode_key, number, scaled};
use crate::registry::{Entry, OutOfRange, Range};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "xavier_normal",
    summary: "Glorot's scale, Gaussian",
    formula: "w ~ N(0, gain²/n), n = (fan_in + fan_out)/2",
    source: "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010; with `mode = \"fan_in\"` it is the lecture's \"Xavier\", std = 1/√fan_in; `mode = \"fan_avg\"` is the paper's",
    keys: &[
        mode_key("\"fan_avg\""),
        number("gain", "1.0", Range::Above(0.0), "factor of the standard deviation"),
    ],
};

/// Xavier or Glorot, Gaussian: variance gain²·2/(in + out), or gain²/in with mode `fan_in`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XavierNormal {
    /// The n of the formula; the mean of inputs and outputs.
    pub mode: Mode,
    /// Factor of the standard deviation; 1 (as PyTorch's).
    pub gain: f64,
}

impl Default for XavierNormal {
    fn default() -> Self {
        XavierNormal { mode: Mode::FanAvg, gain: 1.0 }
    }
}

impl XavierNormal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("gain", self.gain)
    }
}

impl Init for XavierNormal {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_normal(scaled::std(target, self.mode, Gain::Fixed(self.gain)), rng, out);
    }
}
