//! A shortcut around layers: their result is added to their input.

use super::config::{check_all, list};
use super::{Activation, Layer, LayerConfig};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::Fault;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "residual",
    summary: "adds a list of layers to its own input",
    formula: "y = activation(shortcut(x) + layers(x))",
    source: "He, Zhang, Ren and Sun, Deep residual learning, CVPR 2016, arxiv.org/abs/1512.03385",
    keys: &[
        list_key("layers", "", "the list of layers"),
        list_key("shortcut", "[]", "layers on the way around; none for the input itself"),
        Key {
            name: "activation",
            default: "null",
            unit: "",
            range: Range::Other("an activation"),
            help: "of the sum; none",
        },
    ],
};

const fn list_key(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { name, default, unit: "", range: Range::Other("a list of layers"), help }
}

/// x -> activation(shortcut(x) + layers(x)); both lists must give the same shape.
///
/// Layers are named as in a model's list, inside the residual layer's name; those of the shortcut inside `downsample`,
/// as in torchvision's ResNets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// What is added.
    #[serde(deserialize_with = "list")]
    pub layers: Vec<LayerConfig>,
    /// What the input goes through on the way around; nothing.
    #[serde(default, deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<LayerConfig>,
    /// Of the sum; none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
}

impl Residual {
    /// Around these layers, with nothing on the way around and no activation.
    pub fn new(layers: Vec<LayerConfig>) -> Self {
        Residual { layers, shortcut: Vec::new(), activation: None }
    }

    fn sum(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let around = match self.shortcut[..] {
            [] => x,
            ref layers => b.scope("downsample", |b| b.sequence(layers, x))?,
        };
        let y = b.sequence(&self.layers, x)?;
        let (expected, got) = (b.shape(around).clone(), b.shape(y).clone());
        if expected != got {
            return Err(b.error(ENTRY.name, Fault::Expected { what: "what is added", expected, got }));
        }
        b.add(around, y)
    }
}

impl Layer for Residual {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let Some(activation) = &self.activation else { return self.sum(b, x) };
        let sum = b.before(activation.layer().gain().unwrap_or(1.0), |b| self.sum(b, x))?;
        b.layer("activation", activation.layer(), sum)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        check_all(&self.layers)?;
        check_all(&self.shortcut)?;
        self.activation.as_ref().map_or(Ok(()), |activation| activation.layer().check())
    }
}
