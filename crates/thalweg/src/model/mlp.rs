//! The multi-layer perceptron: linear layers with an activation between them.

use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{
    ACTIVATION, Activation, BatchNorm, Dropout, INIT, LayerConfig, Linear, Units, WIDTH, WIDTHS, he,
};
use settings::{Entry, OutOfRange, Range, settings};
use std::fmt;

pub(super) const ENTRY: Entry = Entry {
    name: Mlp::NAME,
    summary: "linear layers with an activation between them",
    formula: "x → [linear, (batch norm), activation, (dropout)] × hidden → linear",
    source: "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986",
    keys: Mlp::KEYS,
};

settings! {
    /// x: [B, ..] -> [B, outputs]; all axes after the batch are taken as one.
    ///
    /// Named as PyTorch's `nn.Sequential` of the same layers: `0.weight`, `0.bias`, `2.weight`, ….
    #[derive(Clone, Debug, PartialEq)]
    pub struct Mlp of "mlp" {
        /// width of every hidden layer; in one word: `mlp-128-64`
        pub hidden: Vec<usize> = vec![128, 64] => "[128, 64]", unit "units", in WIDTHS;
        /// after every hidden layer
        pub activation: Activation = Activation::default() => "\"relu\"", in ACTIVATION;
        /// batch norm before every activation
        pub batch_norm: bool = false, in Range::Switch;
        /// probability of dropping a value after every activation; 0 for no dropout
        pub dropout: f64 = 0.0, in Range::Below(0.0, 1.0);
        /// how the weights start
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
        /// checked against the data
        ///
        /// Values in a sample.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub inputs: Option<usize> = None => "null", in WIDTH;
        /// checked against the data
        ///
        /// Values that it gives for a sample.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub outputs: Option<usize> = None => "null", in WIDTH;
    }
}

impl Network for Mlp {
    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
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
