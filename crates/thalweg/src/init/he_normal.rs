//! He or Kaiming, Gaussian: variance gain²/in, 2/in before a ReLU.

use super::{GAIN, Gain, Init, Mode, Target, scaled};
use engine::rng::Rng;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: HeNormal::NAME,
    summary: "He's scale for the activation that follows, Gaussian",
    formula: "w ~ N(0, gain²/n), n = fan_in",
    source: "He, Zhang, Ren and Sun, Delving deep into rectifiers, ICCV 2015, arxiv.org/abs/1502.01852; PyTorch's kaiming with the gain of the activation that follows",
    keys: HeNormal::KEYS,
};

settings! {
    /// He or Kaiming, Gaussian: variance gain²/in, 2/in before a ReLU.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct HeNormal of "he_normal" {
        /// the n of the formula: inputs, outputs or their mean
        pub mode: Mode = Mode::FanIn => "\"fan_in\"", in Range::Words(Mode::WORDS);
        /// factor of the standard deviation; auto is that of the activation that follows
        pub gain: Gain = Gain::Auto => "\"auto\"", in GAIN;
    }
}

impl HeNormal {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}

impl Init for HeNormal {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        scaled::fill_normal(scaled::std(target, self.mode, self.gain), rng, out);
    }
}
