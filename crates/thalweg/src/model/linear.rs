//! One linear layer: softmax regression, or linear regression.

use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{LayerConfig, Linear, Units, he};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "linear",
    summary: "one linear layer: softmax regression, or linear regression",
    formula: "y = x·Wᵀ + b",
    source: "Cox, The regression analysis of binary sequences, 1958",
    keys: &[crate::layers::INIT_KEY, crate::layers::BIAS_KEY],
};

/// x: [B, ..] -> [B, outputs]; all axes after the batch are taken as one. Parameters `0.weight` and `0.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearModel {
    /// How the weights start; as [`Linear`]'s.
    pub init: InitConfig,
    /// Whether there is a bias; true.
    pub bias: bool,
}

impl Default for LinearModel {
    fn default() -> Self {
        LinearModel { init: he(), bias: true }
    }
}

impl Network for LinearModel {
    fn check(&self) -> Result<(), OutOfRange> {
        self.init.check()
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
