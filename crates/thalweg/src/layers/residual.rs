//! A shortcut around layers: their result is added to their input.

use super::config::list;
use super::{ACTIVATION, Activation, LIST, Layer, LayerConfig};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Residual::NAME,
    summary: "adds a list of layers to its own input",
    formula: "y = activation(shortcut(x) + layers(x))",
    source: "He, Zhang, Ren and Sun, Deep residual learning, CVPR 2016, arxiv.org/abs/1512.03385",
    keys: Residual::KEYS,
};

settings! {
    /// x -> activation(shortcut(x) + layers(x)); both lists must give the same shape.
    ///
    /// Layers are named as in a model's list, inside the residual layer's name; those of the shortcut inside
    /// `downsample`, as in torchvision's ResNets.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Residual of "residual" {
        needs {
            /// the list of layers
            pub layers: Vec<LayerConfig>, via list, in LIST;
        }
        /// layers on the way around; none for the input itself
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub shortcut: Vec<LayerConfig> = Vec::new() => "[]", via list, in LIST;
        /// of the sum; none
        #[serde(skip_serializing_if = "Option::is_none")]
        pub activation: Option<Activation> = None => "null", in ACTIVATION;
    }
}

impl Residual {
    /// Around these layers, with nothing on the way around and no activation.
    pub fn new(layers: Vec<LayerConfig>) -> Self {
        Residual::needing(layers)
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
        self.in_range()
    }
}
