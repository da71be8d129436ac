//! Softsign: x/(1 + |x|).

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "softsign",
    summary: "from −1 to 1, with slow tails",
    formula: "x/(1 + |x|)",
    source: "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
    keys: &[],
};

/// From −1 to 1, with slow tails: x/(1 + |x|).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softsign {}

impl Layer for Softsign {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.softsign(x)
    }

    fn gain(&self) -> Option<f64> {
        Some(super::gain::gain(|z| z / (1.0 + z.abs())))
    }
}
