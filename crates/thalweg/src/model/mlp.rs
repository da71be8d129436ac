//! The multi-layer perceptron: linear layers with an activation between them.

use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{Activation, BatchNorm, Dropout, LayerConfig, Linear, Units, check_width, he};
use crate::registry::{Entry, Key, OutOfRange, Range};
use serde::{Deserialize, Serialize};
use std::fmt;

pub(super) const ENTRY: Entry = Entry {
    name: "mlp",
    summary: "linear layers with an activation between them",
    formula: "x → [linear, (batch norm), activation, (dropout)] × hidden → linear",
    source: "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986",
    keys: &[
        Key {
            name: "hidden",
            default: "[128, 64]",
            unit: "units",
            range: Range::Other("a list of widths, each from 1 to 16777216"),
            help: "width of every hidden layer; in one word `mlp-128-64`",
        },
        Key {
            name: "activation",
            default: "\"relu\"",
            unit: "",
            range: Range::Other("an activation"),
            help: "after every hidden layer",
        },
        Key {
            name: "batch_norm",
            default: "false",
            unit: "",
            range: Range::Switch,
            help: "batch norm before every activation",
        },
        Key {
            name: "dropout",
            default: "0.0",
            unit: "",
            range: Range::Below(0.0, 1.0),
            help: "probability of dropping a value after every activation; 0 for no dropout layers",
        },
        crate::layers::INIT_KEY,
        crate::layers::BIAS_KEY,
        Key { name: "inputs", default: "null", unit: "", range: ENDS, help: "checked against the data" },
        Key { name: "outputs", default: "null", unit: "", range: ENDS, help: "checked against the data" },
    ],
};

const ENDS: Range = Range::Other("a number from 1 to 16777216");

/// x: [B, ..] -> [B, outputs]; all axes after the batch are taken as one.
///
/// Named as PyTorch's `nn.Sequential` of the same layers: `0.weight`, `0.bias`, `2.weight`, ….
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mlp {
    /// Width of every hidden layer; 128, 64.
    pub hidden: Vec<usize>,
    /// After every hidden layer; ReLU.
    pub activation: Activation,
    /// Whether a batch norm precedes every activation; false.
    pub batch_norm: bool,
    /// Probability of dropping a value after every activation; 0, no dropout layers.
    pub dropout: f64,
    /// How the weights start; as [`Linear`]'s.
    pub init: InitConfig,
    /// Whether linear layers have a bias; true.
    pub bias: bool,
    /// Values in a sample, checked against the data; not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<usize>,
    /// Values that it gives for a sample, checked against the data; not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<usize>,
}

impl Default for Mlp {
    fn default() -> Self {
        Mlp {
            hidden: vec![128, 64],
            activation: Activation::default(),
            batch_norm: false,
            dropout: 0.0,
            init: he(),
            bias: true,
            inputs: None,
            outputs: None,
        }
    }
}

impl Network for Mlp {
    fn check(&self) -> Result<(), OutOfRange> {
        self.hidden.iter().try_for_each(|n| check_width(&ENTRY, "hidden", *n))?;
        self.activation.layer().check()?;
        ENTRY.check("dropout", self.dropout)?;
        self.init.check()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let linear = |units| Linear { bias: self.bias, init: self.init.clone(), ..Linear::new(units) };
        let mut layers: Vec<LayerConfig> = Vec::new();
        for n in &self.hidden {
            layers.push(linear(Units::Count(*n)).into());
            if self.batch_norm {
                layers.push(BatchNorm::default().into());
            }
            layers.push(self.activation.clone().into_layer());
            if self.dropout > 0.0 {
                layers.push(Dropout { drop: self.dropout }.into());
            }
        }
        layers.push(linear(Units::Outputs).into());
        layers
    }

    fn title(&self) -> String {
        self.to_string()
    }

    fn is_flat(&self) -> bool {
        true
    }
}

impl fmt::Display for Mlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = self.inputs.is_some() && self.outputs.is_some();
        let sizes = self.inputs.iter().filter(|_| ends).chain(&self.hidden);
        let sizes: Vec<String> =
            sizes.chain(self.outputs.iter().filter(|_| ends)).map(ToString::to_string).collect();
        match (ends, sizes.is_empty()) {
            (true, _) => f.write_str(&sizes.join("-")),
            (false, true) => f.write_str("linear"),
            (false, false) => write!(f, "mlp-{}", sizes.join("-")),
        }
    }
}
