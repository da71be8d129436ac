//! Xavier or Glorot, Gaussian: variance gain²·2/(in + out), or gain²/in with mode `fan_in`.

use super::{Gain, Init, Mode, Target, scaled};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: XavierNormal::NAME,
    summary: "Glorot's scale, Gaussian",
    formula: "w ~ N(0, gain²/n), n = (fan_in + fan_out)/2",
    source: "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010; with `mode = \"fan_in\"` it is the lecture's \"Xavier\", std = 1/√fan_in; `mode = \"fan_avg\"` is the paper's",
    keys: XavierNormal::KEYS,
};

settings! {
    /// Xavier or Glorot, Gaussian: variance gain²·2/(in + out), or gain²/in with mode `fan_in`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct XavierNormal of "xavier_normal" {
        /// the n of the formula: inputs, outputs or their mean
        pub mode: Mode = Mode::FanAvg => "\"fan_avg\"", in Range::Words(Mode::WORDS);
        /// factor of the standard deviation
        pub gain: f64 = 1.0, in Range::Above(0.0);
    }
}

impl XavierNormal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for XavierNormal {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_normal(scaled::std(target, self.mode, Gain::Fixed(self.gain)), rng, out);
    }
}
