//! What the convolutional networks are put together from.

use crate::init::{Gain, HeNormal, InitConfig, Mode};
use crate::layers::{
    AvgPool, BatchNorm, Conv, GlobalAvgPool, LayerConfig, Linear, Pad, Padding, Pair, Relu, Residual,
    Sequential, Units,
};
use settings::{Entry, OutOfRange, Range};
use std::f64::consts::SQRT_2;

/// He's normal with the outputs' count and ReLU's gain, as in the authors' and in torchvision's ResNets.
pub(super) fn he_fan_out() -> InitConfig {
    HeNormal { mode: Mode::FanOut, gain: Gain::Fixed(SQRT_2) }.into()
}

/// The same as JSON.
macro_rules! he_fan_out_json {
    () => {
        "{\"name\": \"he_normal\", \"mode\": \"fan_out\", \"gain\": 1.4142135623730951}"
    };
}
pub(super) use he_fan_out_json;

/// A layer with a name.
pub(super) fn named(name: &str, layer: impl Into<LayerConfig>) -> LayerConfig {
    layer.into().named(name)
}

pub(super) fn relu(name: &str) -> LayerConfig {
    named(name, Relu::default())
}

pub(super) fn batch_norm(name: &str) -> LayerConfig {
    named(name, BatchNorm::default())
}

pub(super) fn sequential(name: &str, layers: Vec<LayerConfig>) -> LayerConfig {
    named(name, Sequential { layers })
}

/// A 3×3 convolution that keeps the size at stride 1.
pub(super) fn conv3(channels: usize, stride: usize, init: &InitConfig) -> Conv {
    Conv {
        stride: stride.into(),
        padding: 1.into(),
        bias: false,
        init: init.clone(),
        ..Conv::new(channels, 3)
    }
}

/// The mean of every channel, then a linear layer of that name.
pub(super) fn head(name: &str) -> [LayerConfig; 2] {
    [named("avgpool", GlobalAvgPool {}), named(name, Linear::new(Units::Outputs))]
}

/// The way around a block that halves the image and widens the channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition {
    pub from: usize,
    pub to: usize,
    pub stride: usize,
}

impl Transition {
    fn is_plain(self) -> bool {
        self.from == self.to && self.stride == 1
    }

    /// Every other pixel, and channels of zeros around the channels: no parameters.
    pub fn shortcut_a(self) -> Vec<LayerConfig> {
        if self.is_plain() {
            return Vec::new();
        }
        let more = self.to.saturating_sub(self.from);
        let channels = Pair([more / 2, more - more / 2]);
        let every_other = AvgPool { stride: Some(self.stride.into()), ..AvgPool::new(1) };
        vec![every_other.into(), Pad { channels, ..Pad::default() }.into()]
    }

    /// A 1×1 convolution.
    pub fn shortcut_b(self, init: &InitConfig) -> Vec<LayerConfig> {
        if self.is_plain() {
            return Vec::new();
        }
        let project = Conv { padding: Padding::Valid, ..conv3(self.to, self.stride, init) };
        vec![Conv { kernel: Pair::ONE, ..project }.into()]
    }
}

/// Layers with a shortcut, or without one.
pub(super) fn block(name: &str, inside: Residual, skip: bool) -> LayerConfig {
    match skip {
        true => named(name, inside),
        false => {
            let behind = inside.activation.map(|activation| activation.into_layer().named("activation"));
            sequential(name, inside.layers.into_iter().chain(behind).collect())
        }
    }
}

/// A depth must be 6n + 2: a first convolution, three stages of n blocks of two, a linear layer.
pub(super) fn check_depth(entry: &Entry, depth: usize) -> Result<(), OutOfRange> {
    if (8..=1202).contains(&depth) && depth % 6 == 2 {
        return Ok(());
    }
    Err(OutOfRange { of: entry.name, key: "depth", value: depth as f64, allowed: DEPTHS, default: "20" })
}

pub(super) const DEPTHS: Range = Range::Other("6n + 2: 8, 14, 20, 32, 44, 56, 110, …");
