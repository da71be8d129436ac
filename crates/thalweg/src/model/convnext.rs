//! A small ConvNeXt: depthwise convolutions, layer norm over channels, wide 1×1 products.

use super::blocks::{named, sequential};
use super::config::Network;
use crate::init::{InitConfig, TruncNormal};
use crate::layers::{
    Conv, Gelu, GlobalAvgPool, LayerConfig, LayerNorm, Linear, Padding, Residual, Units, WIDTHS,
};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Convnext::NAME,
    summary: "ConvNeXt-style network for small images; 1,057,098 parameters for 10 classes",
    formula: "stem → stages of [depthwise conv, LN, linear ×4, GELU, linear, + x], halved in between by LN, conv 2×2 /2 → \
              mean, LN, linear",
    source: "Liu et al., A ConvNet for the 2020s, CVPR 2022, arxiv.org/abs/2201.03545: AdamW, decay 0.05; three small \
             stages, a stem of patch × patch pixels, no layer scale and no stochastic depth; the authors' names",
    keys: Convnext::KEYS,
};

const DEPTHS: Range = Range::Told(
    &Range::Within(1.0, MAX_DEPTH as f64),
    "a list of numbers from 1 to 1000, as many as `channels` has",
);
const KERNEL: Range = Range::Other("an odd number from 1 to 31");
const PATCH: Range = Range::Told(&Range::Within(1.0, 32.0), "a number from 1 to 32");

settings! {
    /// x: [B, H, W, C] -> [B, outputs].
    ///
    /// Parameters are called as in the authors' code: `downsample_layers.0.0`, `stages.0.0.dwconv`, `stages.0.0.norm`,
    /// `stages.0.0.pwconv1`, `stages.0.0.pwconv2`, …, `norm`, `head`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Convnext of "convnext" {
        /// channels of every stage
        pub channels: Vec<usize> = vec![64, 128, 256] => "[64, 128, 256]", in WIDTHS;
        /// blocks of every stage
        pub depths: Vec<usize> = vec![2, 2, 1] => "[2, 2, 1]", unit "blocks", in DEPTHS;
        /// kernel of the depthwise convolutions
        pub kernel: usize = 7, unit "pixels", in KERNEL;
        /// kernel and stride of the stem; 1 for a 3×3 convolution of stride 1
        pub patch: usize = 2, unit "pixels", in PATCH;
    }
}

/// Most blocks of a stage.
const MAX_DEPTH: usize = 1000;

fn init() -> InitConfig {
    TruncNormal { std: 0.02, mean: 0.0, low: -2.0, high: 2.0 }.into()
}

fn norm() -> LayerNorm {
    LayerNorm { eps: 1e-6 }
}

/// A convolution of patches side by side.
fn patches(channels: usize, size: usize) -> Conv {
    Conv { stride: size.into(), init: init(), ..Conv::new(channels, size) }
}

fn dense(units: impl Into<Units>) -> Linear {
    Linear { init: init(), ..Linear::new(units) }
}

impl Convnext {
    fn stem(&self, channels: usize) -> Conv {
        match self.patch {
            1 => Conv { padding: Padding::Same, init: init(), ..Conv::new(channels, 3) },
            size => patches(channels, size),
        }
    }

    fn block(&self, i: usize, channels: usize) -> LayerConfig {
        let depthwise = Conv { padding: Padding::Same, groups: channels, ..patches(channels, self.kernel) };
        let layers = vec![
            named("dwconv", Conv { stride: 1.into(), ..depthwise }),
            named("norm", norm()),
            named("pwconv1", dense(4 * channels)),
            named("act", Gelu::default()),
            named("pwconv2", dense(channels)),
        ];
        named(&i.to_string(), Residual::new(layers))
    }
}

impl Network for Convnext {
    fn check(&self) -> Result<(), OutOfRange> {
        let wrong = |key, value: usize, allowed, default| {
            Err(OutOfRange { of: ENTRY.name, key, value: value as f64, allowed, default })
        };
        if self.channels.is_empty() || self.channels.len() != self.depths.len() {
            let allowed = Range::Other("a list of numbers, as many as `channels` has and at least one");
            return wrong("depths", self.depths.len(), allowed, "[2, 2, 1]");
        }
        if self.kernel.is_multiple_of(2) || self.kernel > 31 {
            return wrong("kernel", self.kernel, KERNEL, "7");
        }
        self.in_range()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let mut layers = Vec::new();
        for (s, (channels, depth)) in self.channels.iter().zip(&self.depths).enumerate() {
            let down: Vec<LayerConfig> = match s {
                0 => vec![self.stem(*channels).into(), norm().into()],
                _ => vec![norm().into(), patches(*channels, 2).into()],
            };
            layers.push(sequential(&format!("downsample_layers.{s}"), down));
            let blocks = (0..*depth).map(|i| self.block(i, *channels)).collect();
            layers.push(sequential(&format!("stages.{s}"), blocks));
        }
        layers.extend([
            named("avgpool", GlobalAvgPool {}),
            named("norm", norm()),
            named("head", dense(Units::Outputs)),
        ]);
        layers
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }
}
