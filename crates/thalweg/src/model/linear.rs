//! One linear layer: softmax regression, or linear regression.

use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{INIT, LayerConfig, Linear, Units, he};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: LinearModel::NAME,
    summary: "one linear layer: softmax regression, or linear regression",
    formula: "y = x·Wᵀ + b",
    source: "Cox, The regression analysis of binary sequences, 1958",
    keys: LinearModel::KEYS,
};

settings! {
    /// x: [B, ..] -> [B, outputs]; all axes after the batch are taken as one. Parameters `0.weight` and `0.bias`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct LinearModel of "linear" {
        /// how the weights start
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
    }
}

impl Network for LinearModel {
    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        vec![Linear { bias: self.bias, init: self.init.clone(), ..Linear::new(Units::Outputs) }.into()]
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }

    fn is_flat(&self) -> bool {
        true
    }
}
