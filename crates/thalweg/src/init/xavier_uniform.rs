//! Xavier or Glorot, uniform: bounds ±gain·√(6/(in + out)), or ±gain·√(3/in) with mode `fan_in`.

use super::{Gain, Init, Mode, Target, scaled};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: XavierUniform::NAME,
    summary: "Glorot's scale, uniform",
    formula: "w ~ U(−a, a), a = gain·√(3/n), n = (fan_in + fan_out)/2",
    source: "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010; with `mode = \"fan_in\"` it is the lecture's \"Xavier\", std = 1/√fan_in; `mode = \"fan_avg\"` is the paper's",
    keys: XavierUniform::KEYS,
};

settings! {
    /// Xavier or Glorot, uniform: bounds ±gain·√(6/(in + out)), or ±gain·√(3/in) with mode `fan_in`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct XavierUniform of "xavier_uniform" {
        /// the n of the formula: inputs, outputs or their mean
        pub mode: Mode = Mode::FanAvg => "\"fan_avg\"", in Range::Words(Mode::WORDS);
        /// factor of the standard deviation
        pub gain: f64 = 1.0, in Range::Above(0.0);
    }
}

impl XavierUniform {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for XavierUniform {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        let bound = 3f64.sqrt() * scaled::std(target, self.mode, Gain::Fixed(self.gain));
        scaled::fill_uniform(-bound, bound, rng, out);
    }
}
