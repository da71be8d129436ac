//! Relu: max(x, 0); gradient 0 at 0.

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "relu",
    summary: "the positive part",
    formula: "max(x, 0); gradient 0 at 0",
    source: "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010",
    keys: &[],
};

/// The positive part: max(x, 0); gradient 0 at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Layer for Relu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.relu(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(2f64.sqrt())
    }
}
