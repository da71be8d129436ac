//! VGG networks in their form for CIFAR, with batch norm.

use super::blocks::{conv3, he_fan_out, he_fan_out_json, named, sequential};
use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{BatchNorm, Conv, GlobalAvgPool, INIT, LayerConfig, Linear, MaxPool, Relu, Units};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Vgg::NAME,
    summary: "VGG for small images, with batch norm; vgg16 has 14,724,042 parameters for 10 classes, vgg11 9,228,362",
    formula: "5 × [(conv 3×3, BN, ReLU) × n, max pool] → mean → linear",
    source: "Simonyan and Zisserman, Very deep convolutional networks, ICLR 2015, arxiv.org/abs/1409.1556, configurations \
             A, B, D, E; for CIFAR one linear layer takes the place of the three, as is usual; the paper's L2 penalty \
             is 5e-4",
    keys: Vgg::KEYS,
};

const DEPTHS: Range = Range::Other("11, 13, 16 or 19");

settings! {
    /// x: [B, H, W, C] -> [B, outputs], H and W 32 or more.
    ///
    /// Parameters are called as in torchvision's `features`: `features.0` (conv), `features.1` (batch norm), …, then
    /// `classifier`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Vgg of "vgg" {
        /// which configuration; in one word: `vgg16`
        pub depth: usize = 16, unit "layers", in DEPTHS;
        /// whether convolutions have a bias, which batch norm cancels; torchvision's files have it
        pub bias: bool = false, in Range::Switch;
        /// how the convolutions' weights start
        pub init: InitConfig = he_fan_out() => he_fan_out_json!(), in INIT;
    }
}

/// Channels of the five stages.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

impl Vgg {
    /// Convolutions in each stage.
    fn convs(&self) -> Option<[usize; 5]> {
        match self.depth {
            11 => Some([1, 1, 2, 2, 2]),
            13 => Some([2, 2, 2, 2, 2]),
            16 => Some([2, 2, 3, 3, 3]),
            19 => Some([2, 2, 4, 4, 4]),
            _ => None,
        }
    }
}

impl Network for Vgg {
    fn check(&self) -> Result<(), OutOfRange> {
        let wrong = OutOfRange {
            of: ENTRY.name,
            key: "depth",
            value: self.depth as f64,
            allowed: DEPTHS,
            default: "16",
        };
        self.convs().map_or(Err(wrong), |_| self.in_range())
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let mut features: Vec<LayerConfig> = Vec::new();
        for (channels, n) in CHANNELS.into_iter().zip(self.convs().unwrap_or_default()) {
            for _ in 0..n {
                features.push(Conv { bias: self.bias, ..conv3(channels, 1, &self.init) }.into());
                features.push(BatchNorm::default().into());
                features.push(Relu::default().into());
            }
            features.push(MaxPool::new(2).into());
        }
        let pool = named("avgpool", GlobalAvgPool {});
        vec![sequential("features", features), pool, named("classifier", Linear::new(Units::Outputs))]
    }

    fn title(&self) -> String {
        format!("vgg{}", self.depth)
    }
}
