//! Two convolutions and two dense layers, as DeepOBS has them.

use super::blocks::{named, relu};
use super::config::Network;
use crate::init::{Constant, InitConfig, TruncNormal};
use crate::layers::{Conv, Flatten, LayerConfig, Linear, MaxPool, Padding, Units};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "2c2d",
    summary: "two convolutions, two dense layers, for images like MNIST's; 3,274,634 parameters for those",
    formula: "[conv 5×5, ReLU, max pool 2] with 32 and 64 channels → 1024, ReLU → outputs",
    source: "Schneider, Balles and Hennig, DeepOBS, ICLR 2019, arxiv.org/abs/1903.05499; weights start normal with \
             deviation 0.05, cut off at 0.1, biases at 0.05; no penalty",
    keys: &[],
};

/// x: [B, H, W, C] -> [B, outputs]; parameters `conv1`, `conv2`, `dense1`, `dense2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net2c2d {}

fn init() -> InitConfig {
    TruncNormal { std: 0.05, mean: 0.0, low: -0.1, high: 0.1 }.into()
}

fn bias() -> Option<InitConfig> {
    Some(Constant { value: 0.05 }.into())
}

fn conv(channels: usize) -> Conv {
    Conv { padding: Padding::Same, init: init(), bias_init: bias(), ..Conv::new(channels, 5) }
}

fn dense(units: impl Into<Units>) -> Linear {
    Linear { init: init(), bias_init: bias(), ..Linear::new(units) }
}

/// TensorFlow's "same": a last window that is cut off counts.
fn pool() -> MaxPool {
    MaxPool { ceil: true, ..MaxPool::new(2) }
}

impl Network for Net2c2d {
    fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        vec![
            named("conv1", conv(32)),
            relu("relu1"),
            named("maxpool1", pool()),
            named("conv2", conv(64)),
            relu("relu2"),
            named("maxpool2", pool()),
            named("flatten", Flatten {}),
            named("dense1", dense(1024)),
            relu("relu3"),
            named("dense2", dense(Units::Outputs)),
        ]
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }
}
