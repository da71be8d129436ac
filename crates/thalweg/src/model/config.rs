//! A model in a config: a word, a table with a name, or a list of layers.

use super::{ALL, Mlp, ModelError, PreactResnet, Preset, Resnet, Vgg};
use crate::layers::{LayerConfig, check_all, list};
use crate::registry::OutOfRange;
use crate::settings::{Tag, did_you_mean};
use engine::Shape;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// What a network with a name says of itself.
pub(super) trait Network {
    /// Checks every setting that can be checked without data.
    fn check(&self) -> Result<(), OutOfRange>;

    /// Its layers, for samples of that shape.
    fn layers(&self, input_shape: &[usize]) -> Vec<LayerConfig>;

    /// In one word.
    fn title(&self) -> String;

    /// Whether samples come to it as flat rows.
    fn is_flat(&self) -> bool {
        false
    }

    /// Settings of a run that stand where a config says nothing, as TOML; none.
    fn recipe(&self) -> &'static str {
        ""
    }

    /// Batch and epochs for so many training samples, where nobody says how many; nothing where any will do.
    fn length(&self, _n_train: usize) -> Option<Length> {
        None
    }

    /// The same for a table with these columns.
    fn suited(&self, _columns: &Inputs) -> Option<Preset> {
        None
    }
}

/// How long a model trains where nobody says how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    /// samples of a batch
    pub batch: usize,
    /// passes over the training samples
    pub epochs: u64,
}

/// What the inputs of a table are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// places of those that measure something, ascending
    pub numbers: Vec<usize>,
    /// first place and number of inputs of each category, ascending
    pub categories: Vec<(usize, usize)>,
}

/// A list of layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerList {
    /// The layers; `units = "outputs"` in the last takes its width from the data.
    #[serde(deserialize_with = "list")]
    pub layers: Vec<LayerConfig>,
}

/// A model: `"mlp"`, `"resnet20"`, `"mlp-512-512"`, `"784-512-512-10"`, `{ name = "mlp", hidden = [512, 512] }` or
/// `{ layers = [{ type = "linear", units = 512 }, "relu", { type = "linear", units = "outputs" }] }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ModelConfig {
    /// By name.
    Preset(Preset),
    /// Layer by layer.
    Layers(LayerList),
}

impl Default for ModelConfig {
    fn default() -> Self {
        Mlp::default().into()
    }
}

impl From<Vec<LayerConfig>> for ModelConfig {
    fn from(layers: Vec<LayerConfig>) -> Self {
        ModelConfig::Layers(LayerList { layers })
    }
}

impl ModelConfig {
    /// Checks every setting that can be checked without data.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn check(&self) -> Result<(), OutOfRange> {
        match self {
            ModelConfig::Preset(preset) => preset.network().check(),
            ModelConfig::Layers(list) => check_all(&list.layers),
        }
    }

    /// The layers for samples of that shape, and whether samples come to them as flat rows.
    pub(super) fn layers(&self, input_shape: &[usize]) -> (Vec<LayerConfig>, bool) {
        match self {
            ModelConfig::Preset(preset) => (preset.network().layers(input_shape), preset.network().is_flat()),
            ModelConfig::Layers(list) => (list.layers.clone(), false),
        }
    }

    /// Batch and epochs that the model asks for, where nobody says how many.
    pub(crate) fn length(&self, n_train: usize) -> Option<Length> {
        match self {
            ModelConfig::Preset(preset) => preset.network().length(n_train),
            ModelConfig::Layers(_) => None,
        }
    }

    /// The same with what it takes from the columns of a table: `tabular` knows which inputs are numbers.
    pub(crate) fn suited(&self, inputs: &Inputs) -> Self {
        match self {
            ModelConfig::Preset(preset) => {
                preset.network().suited(inputs).map_or_else(|| self.clone(), ModelConfig::Preset)
            }
            ModelConfig::Layers(_) => self.clone(),
        }
    }

    /// Compares sizes that the config states with the data's.
    pub(super) fn check_ends(&self, input_shape: &[usize], data_outputs: usize) -> Result<(), ModelError> {
        let ModelConfig::Preset(Preset::Mlp(mlp)) = self else { return Ok(()) };
        let data_inputs = Shape::from(input_shape).numel();
        let (inputs, outputs) = (mlp.inputs.unwrap_or(data_inputs), mlp.outputs.unwrap_or(data_outputs));
        if (inputs, outputs) == (data_inputs, data_outputs) {
            return Ok(());
        }
        let instead = Mlp { inputs: Some(data_inputs), outputs: Some(data_outputs), ..mlp.clone() };
        let (model, instead) = (self.to_string(), instead.to_string());
        Err(ModelError::Ends { model, data_inputs, data_outputs, inputs, outputs, instead })
    }
}

impl fmt::Display for ModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelConfig::Preset(preset) => f.write_str(&preset.network().title()),
            ModelConfig::Layers(list) => write!(f, "{} layers", list.layers.len()),
        }
    }
}

impl FromStr for ModelConfig {
    type Err = ModelError;

    /// A name such as `mlp` or `2c2d`, with sizes as `mlp-512-512` or `784-512-512-10`, with a depth as `resnet20`.
    fn from_str(word: &str) -> Result<Self, ModelError> {
        let sizes = |text: &str| text.split('-').map(|n| n.parse().ok()).collect::<Option<Vec<usize>>>();
        let with_depth = |name: &str| word.strip_prefix(name).and_then(|depth| depth.parse().ok());
        let config: Self = if let Some(preset) = Preset::of(word) {
            ModelConfig::Preset(preset)
        } else if let Some(hidden) = word.strip_prefix("mlp-").and_then(sizes) {
            Mlp { hidden, ..Mlp::default() }.into()
        } else if let Some([inputs, hidden @ .., outputs]) = sizes(word).as_deref() {
            let (inputs, outputs) = (Some(*inputs), Some(*outputs));
            Mlp { hidden: hidden.to_vec(), inputs, outputs, ..Mlp::default() }.into()
        } else if let Some(depth) = with_depth("resnet") {
            Resnet { depth, ..Resnet::default() }.into()
        } else if let Some(depth) = with_depth("preact_resnet") {
            PreactResnet { depth, ..PreactResnet::default() }.into()
        } else if let Some(depth) = with_depth("vgg") {
            Vgg { depth, ..Vgg::default() }.into()
        } else {
            let nearest = did_you_mean(word, ALL.iter().map(|e| e.name));
            return Err(ModelError::Unknown { word: word.to_owned(), nearest });
        };
        config.check()?;
        Ok(config)
    }
}

impl<'de> Deserialize<'de> for ModelConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let tag = Tag { key: "name", what: "model" };
        let table: Map<String, Value> = tag.table(from)?;
        if table.contains_key("layers") && !table.contains_key("name") {
            let list = LayerList::deserialize(Value::Object(table)).map_err(D::Error::custom)?;
            return Ok(ModelConfig::Layers(list));
        }
        match table.get("name") {
            None => Err(D::Error::custom("a model needs the key `name`, or a list `layers`")),
            Some(Value::String(word)) if table.len() == 1 => word.parse().map_err(D::Error::custom),
            _ => tag.read(table, ALL).map(ModelConfig::Preset).map_err(D::Error::custom),
        }
    }
}
