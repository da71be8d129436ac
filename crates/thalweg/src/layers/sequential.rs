//! Layers one after the other under one name.

use super::config::{check_all, list};
use super::{Layer, LayerConfig};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "sequential",
    summary: "a list of layers under one name",
    formula: "y = layers(x)",
    source: "PyTorch's Sequential",
    keys: &[Key {
        name: "layers",
        default: "",
        unit: "",
        range: Range::Other("a list of layers"),
        help: "the list of layers",
    }],
};

/// x -> layers(x), named as in a model's list, inside this layer's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// The layers.
    #[serde(deserialize_with = "list")]
    pub layers: Vec<LayerConfig>,
}

impl Layer for Sequential {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.sequence(&self.layers, x)
    }

    fn gain(&self) -> Option<f64> {
        self.layers.iter().find_map(|layer| layer.layer().gain())
    }

    fn check(&self) -> Result<(), OutOfRange> {
        check_all(&self.layers)
    }
}
