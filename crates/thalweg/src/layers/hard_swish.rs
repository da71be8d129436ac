//! HardSwish: x·clamp(x/6 + ½, 0, 1).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "hard_swish",
    summary: "x times its hard sigmoid",
    formula: "x·clamp(x/6 + ½, 0, 1)",
    source: "Howard et al., Searching for MobileNetV3, 2019, arxiv.org/abs/1905.02244",
    keys: &[],
};

/// X times its hard sigmoid: x·clamp(x/6 + ½, 0, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardSwish {}

impl Layer for HardSwish {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.hard_swish(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z * (z / 6.0 + 0.5).clamp(0.0, 1.0)))
    }
}
