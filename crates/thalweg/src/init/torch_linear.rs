//! What PyTorch gives a new `nn.Linear`: uniform within ±1/√in, the bias too.

use super::{Gain, Init, Mode, Target, scaled};
use crate::registry::{Entry, OutOfRange};
use engine::rng::Rng;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "torch_linear",
    summary: "PyTorch's default for linear layers, weight and bias",
    formula: "w, b ~ U(−1/√fan_in, 1/√fan_in)",
    source: "PyTorch's nn.Linear.reset_parameters, kaiming_uniform_ with a = √5",
    keys: &[],
};

/// U(±1/√fan_in); a linear layer's bias takes the fan of its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TorchLinear {}

impl TorchLinear {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }

    /// The bias's initializer, for a layer with `fan_in` inputs.
    pub fn bias(fan_in: usize) -> super::Uniform {
        let bound = if fan_in > 0 { 1.0 / (fan_in as f64).sqrt() } else { 0.0 };
        super::Uniform { low: -bound, high: bound }
    }
}

impl Init for TorchLinear {
    fn fill(&self, target: &Target, rng: Rng, out: &mut [f32]) {
        let bound = scaled::std(target, Mode::FanIn, Gain::Fixed(1.0));
        scaled::fill_uniform(-bound, bound, rng, out);
    }
}
