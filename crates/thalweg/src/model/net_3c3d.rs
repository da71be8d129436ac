//! Three convolutions and three dense layers, as DeepOBS has them.

use super::blocks::{named, relu};
use super::config::Network;
use crate::init::{InitConfig, XavierNormal, XavierUniform};
use crate::layers::{Conv, Flatten, LayerConfig, Linear, MaxPool, Padding, Units};
use crate::registry::{Entry, OutOfRange};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "3c3d",
    summary: "three convolutions, three dense layers, for images like CIFAR's; 895,210 parameters for 10 classes",
    formula: "[conv, ReLU, max pool 3 stride 2] with 64 (5×5), 96 (3×3), 128 (3×3, same) channels → 512, ReLU → 256, \
              ReLU → outputs",
    source: "Schneider, Balles and Hennig, DeepOBS, ICLR 2019, arxiv.org/abs/1903.05499; convolutions start as Xavier's \
             normal, dense layers as Xavier's uniform; L2 penalty 0.002 on weights",
    keys: &[],
};

/// x: [B, H, W, C] -> [B, outputs]; parameters `conv1` to `conv3`, `dense1` to `dense3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Net3c3d {}

fn conv(channels: usize, kernel: usize) -> Conv {
    Conv { init: XavierNormal::default().into(), ..Conv::new(channels, kernel) }
}

fn dense(units: impl Into<Units>) -> Linear {
    let init: InitConfig = XavierUniform::default().into();
    Linear { init, ..Linear::new(units) }
}

/// TensorFlow's "same" on even sizes: the last window is cut off.
fn pool() -> MaxPool {
    MaxPool { stride: Some(2.into()), ceil: true, ..MaxPool::new(3) }
}

impl Network for Net3c3d {
    fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        vec![
            named("conv1", conv(64, 5)),
            relu("relu1"),
            named("maxpool1", pool()),
            named("conv2", conv(96, 3)),
            relu("relu2"),
            named("maxpool2", pool()),
            named("conv3", Conv { padding: Padding::Same, ..conv(128, 3) }),
            relu("relu3"),
            named("maxpool3", pool()),
            named("flatten", Flatten {}),
            named("dense1", dense(512)),
            relu("relu4"),
            named("dense2", dense(256)),
            relu("relu5"),
            named("dense3", dense(Units::Outputs)),
        ]
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }
}
