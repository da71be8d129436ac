//! Selu: an elu scaled so that a standard normal keeps its mean and its variance.

use super::Layer;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Selu::NAME,
    summary: "an elu after which a standard normal keeps mean 0 and variance 1",
    formula: "λ·x above 0, λ·α·(eˣ − 1) below, λ = 1.0507, α = 1.6733",
    source: "Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, NeurIPS 2017, arxiv.org/abs/1706.02515",
    keys: Selu::KEYS,
};

settings! {
    /// λ·x above 0, λ·α·(eˣ − 1) below, with λ = 1.0507 and α = 1.6733.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Selu of "selu" {}
}

impl Layer for Selu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.selu(x)
    }
}
