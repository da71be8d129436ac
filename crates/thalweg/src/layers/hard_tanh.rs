//! HardTanh: clamp(x, −1, 1).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "hard_tanh",
    summary: "x kept within −1 and 1",
    formula: "clamp(x, −1, 1)",
    source: "Collobert, Large scale machine learning, 2004; PyTorch's Hardtanh",
    keys: &[],
};

/// X kept within −1 and 1: clamp(x, −1, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardTanh {}

impl Layer for HardTanh {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.hard_tanh(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z.clamp(-1.0, 1.0)))
    }
}
