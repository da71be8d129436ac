//! LogSoftmax: xᵢ − ln Σeˣʲ.

use super::Layer;
use crate::model::Builder;
use crate::registry::Entry;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "log_softmax",
    summary: "logarithm of the softmax, over the last axis",
    formula: "xᵢ − ln Σeˣʲ",
    source: "PyTorch's LogSoftmax; the losses for classes expect logits, without it",
    keys: &[],
};

/// Logarithm of the softmax, over the last axis: xᵢ − ln Σeˣʲ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {}

impl Layer for LogSoftmax {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.log_softmax(x)
    }
}
