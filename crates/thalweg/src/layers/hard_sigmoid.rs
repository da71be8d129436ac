//! HardSigmoid: clamp(x/6 + ½, 0, 1).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "hard_sigmoid",
    summary: "a sigmoid made of three straight lines",
    formula: "clamp(x/6 + ½, 0, 1)",
    source: "Howard et al., Searching for MobileNetV3, 2019, arxiv.org/abs/1905.02244; PyTorch's (Keras: before version 3 x/5 + ½)",
    keys: &[],
};

/// A sigmoid of three straight lines: clamp(x/6 + ½, 0, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSigmoid {}

impl Layer for HardSigmoid {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.hard_sigmoid(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| (z / 6.0 + 0.5).clamp(0.0, 1.0)))
    }
}
