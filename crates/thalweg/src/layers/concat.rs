//! Several lists of layers side by side, their results joined.

use super::config::list;
use super::{Layer, LayerConfig};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Concat::NAME,
    summary: "joins the channels of several lists of layers, along the last axis",
    formula: "y = [branch₀(x), branch₁(x), …]",
    source: "Szegedy et al., Going deeper with convolutions, CVPR 2015, arxiv.org/abs/1409.4842; an empty branch is x \
             itself, as in Huang et al., Densely connected convolutional networks, CVPR 2017",
    keys: Concat::KEYS,
};

settings! {
    /// x: [B, .., C] -> [B, .., C₀ + C₁ + ..]; branch `i` is called `i`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Concat of "concat" {
        needs {
            /// the lists of layers
            ///
            /// What is joined; an empty list is the input itself.
            pub branches: Vec<Vec<LayerConfig>>, via lists, in Range::Other("a list of lists of layers");
        }
    }
}

fn lists<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<LayerConfig>>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let read = |(i, value)| list(value).map_err(|error| D::Error::custom(format!("branches[{i}]: {error}")));
    values.into_iter().enumerate().map(read).collect()
}

impl Layer for Concat {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let rank = b.shape(x).len();
        if rank < 2 {
            let got = b.shape(x).clone();
            return Err(b.error(ENTRY.name, Fault::Rank { expected: "at least 2", got }));
        }
        let branch =
            |(i, layers): (usize, &Vec<LayerConfig>)| b.scope(&i.to_string(), |b| b.sequence(layers, x));
        let results = self.branches.iter().enumerate().map(branch).collect::<Built<Vec<Var>>>()?;
        b.concat(&results, rank - 1)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
