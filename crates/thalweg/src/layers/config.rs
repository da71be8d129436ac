//! A layer in a config: a word or a table, with an optional name.

use super::{ACTIVATIONS, ALL, Layer, LayerKind, Relu};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use settings::{Key, OutOfRange, Setting, Tag};

/// A layer of a list: `"relu"`, or a table such as `{ type = "linear", units = 512, name = "fc1" }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerConfig {
    /// Takes the place of the layer's number in the names of its parameters; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The layer and its settings.
    #[serde(flatten)]
    pub kind: LayerKind,
}

impl LayerConfig {
    /// The layer itself.
    pub fn layer(&self) -> &dyn Layer {
        self.kind.layer()
    }

    /// With a name.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }
}

impl<T: Into<LayerKind>> From<T> for LayerConfig {
    fn from(kind: T) -> Self {
        LayerConfig { name: None, kind: kind.into() }
    }
}

impl Setting for LayerConfig {
    fn check(&self, _: &'static str, _: &Key) -> Result<(), OutOfRange> {
        self.layer().check()
    }
}

impl Setting for Activation {
    fn check(&self, _: &'static str, _: &Key) -> Result<(), OutOfRange> {
        self.layer().check()
    }
}

/// Checks the settings of every layer.
pub(crate) fn check_all(layers: &[LayerConfig]) -> Result<(), OutOfRange> {
    layers.iter().try_for_each(|layer| layer.layer().check())
}

impl<'de> Deserialize<'de> for LayerConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tag = Tag { key: "type", what: "layer" };
        let mut table = tag.table(from)?;
        let name = match table.remove("name") {
            None => None,
            Some(Value::String(name)) if !name.is_empty() && !name.contains('.') => Some(name),
            Some(other) => {
                let message = format!("`name` of a layer is {other}, expected a word without a full stop");
                return Err(D::Error::custom(message));
            }
        };
        let kind = tag.read(table, ALL).map_err(D::Error::custom)?;
        Ok(LayerConfig { name, kind })
    }
}

/// Reads a list of layers; errors say which one.
pub(crate) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<LayerConfig>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let read = |(i, value)| {
        LayerConfig::deserialize(value).map_err(|error| D::Error::custom(format!("layers[{i}]: {error}")))
    };
    values.into_iter().enumerate().map(read).collect()
}

/// An activation in a config: `"relu"`, or a table such as `{ type = "leaky_relu", slope = 0.1 }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Activation(Box<LayerKind>);

impl Activation {
    /// It, as a layer of a list.
    pub fn into_layer(self) -> LayerConfig {
        (*self.0).into()
    }

    /// The layer itself.
    pub fn layer(&self) -> &dyn Layer {
        self.0.layer()
    }
}

impl<T: Into<LayerKind>> From<T> for Activation {
    fn from(kind: T) -> Self {
        Activation(Box::new(kind.into()))
    }
}

impl Default for Activation {
    fn default() -> Self {
        Relu::default().into()
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tag = Tag { key: "type", what: "activation" };
        let table = tag.table(from)?;
        tag.read(table, ACTIVATIONS)
            .map(|kind: LayerKind| Activation(Box::new(kind)))
            .map_err(D::Error::custom)
    }
}
