//! A shortcut around layers: their result is added to their input.

use super::config::{check_all, list};
use super::{Layer, LayerConfig};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::Fault;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "residual",
    summary: "adds a list of layers to its own input",
    formula: "y = x + layers(x)",
    source: "He, Zhang, Ren and Sun, Deep residual learning, CVPR 2016, arxiv.org/abs/1512.03385",
    keys: &[LAYERS_KEY],
};

const LAYERS_KEY: Key =
    Key { name: "layers", default: "", unit: "", range: Range::Other("a list of layers"), help: "the list of layers" };

/// x -> x + layers(x); the list must give the shape that it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// What is added; named as in a model's list, inside the residual layer's name.
    #[serde(deserialize_with = "list")]
    pub layers: Vec<LayerConfig>,
}

impl Layer for Residual {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let y = b.sequence(&self.layers, x)?;
        let (expected, got) = (b.shape(x).clone(), b.shape(y).clone());
        if expected != got {
            return Err(b.error(ENTRY.name, Fault::Expected { what: "what is added", expected, got }));
        }
        b.add(x, y)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        check_all(&self.layers)
    }
}
