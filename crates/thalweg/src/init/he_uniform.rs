//! He or Kaiming, uniform: bounds ±gain·√(3/in), √(6/in) before a ReLU.

use super::{GAIN, Gain, Init, Mode, Target, scaled};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: HeUniform::NAME,
    summary: "He's scale for the activation that follows, uniform",
    formula: "w ~ U(−a, a), a = gain·√(3/n), n = fan_in",
    source: "He, Zhang, Ren and Sun, Delving deep into rectifiers, ICCV 2015, arxiv.org/abs/1502.01852; PyTorch's kaiming with the gain of the activation that follows",
    keys: HeUniform::KEYS,
};

settings! {
    /// He or Kaiming, uniform: bounds ±gain·√(3/in), √(6/in) before a ReLU.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct HeUniform of "he_uniform" {
        /// the n of the formula: inputs, outputs or their mean
        pub mode: Mode = Mode::FanIn => "\"fan_in\"", in Range::Words(Mode::WORDS);
        /// factor of the standard deviation; auto is that of the activation that follows
        pub gain: Gain = Gain::Auto => "\"auto\"", in GAIN;
    }
}

impl HeUniform {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for HeUniform {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        let bound = 3f64.sqrt() * scaled::std(target, self.mode, self.gain);
        scaled::fill_uniform(-bound, bound, rng, out);
    }
}
