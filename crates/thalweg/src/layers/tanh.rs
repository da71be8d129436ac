//! Tanh: tanh x.

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "tanh",
    summary: "from −1 to 1, centered",
    formula: "tanh x",
    source: "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998; its gain in PyTorch is 5/3",
    keys: &[],
};

/// From −1 to 1, centered: tanh x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl Layer for Tanh {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.tanh(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(5.0 / 3.0)
    }
}
