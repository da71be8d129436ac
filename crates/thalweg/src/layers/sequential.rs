//! Layers one after the other under one name.

use super::config::list;
use super::{LIST, Layer, LayerConfig};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Sequential::NAME,
    summary: "a list of layers under one name",
    formula: "y = layers(x)",
    source: "PyTorch's Sequential",
    keys: Sequential::KEYS,
};

settings! {
    /// x -> layers(x), named as in a model's list, inside this layer's name.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Sequential of "sequential" {
        needs {
            /// the list of layers
            pub layers: Vec<LayerConfig>, via list, in LIST;
        }
    }
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
        self.in_range()
    }
}
