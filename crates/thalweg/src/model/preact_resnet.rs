//! Residual networks whose norms and activations come before the convolutions.

use super::blocks::{
    DEPTHS, Transition, batch_norm, block, check_depth, conv3, he_fan_out, he_fan_out_json, head, named,
    relu, sequential,
};
use super::config::Network;
use super::resnet::{Shortcut, steps};
use crate::init::InitConfig;
use crate::layers::{INIT, LayerConfig, Residual, WIDTH};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: PreactResnet::NAME,
    summary: "pre-activation residual network for small images; preact_resnet20 has 269,722 parameters for 10 classes",
    formula: "conv 3×3 → 3 stages of n × [BN, ReLU, conv, BN, ReLU, conv, + shortcut] → BN, ReLU → mean → linear; \
              depth = 6n + 2",
    source: "He, Zhang, Ren and Sun, Identity mappings in deep residual networks, ECCV 2016, arxiv.org/abs/1603.05027; \
             in the paper the first block's first activation also comes before its shortcut, here it does not",
    keys: PreactResnet::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, outputs]; nothing but sums on the way around.
    ///
    /// Parameters are called `conv1`, `layer1.0.bn1`, `layer1.0.conv1`, `layer1.0.bn2`, `layer1.0.conv2`, …, `bn`,
    /// `fc`, and with shortcut B `layer2.0.downsample.0`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PreactResnet of "preact_resnet" {
        /// layers with weights; in one word: `resnet20`
        pub depth: usize = 20, unit "layers", in DEPTHS;
        /// channels of the first stage; each further one has twice as many
        pub width: usize = 16, unit "channels", in WIDTH;
        /// shortcuts where channels double: A adds zeros, B projects with a 1×1 convolution
        pub shortcut: Shortcut = Shortcut::A => "\"A\"", in Range::Words(Shortcut::WORDS);
        /// whether there are shortcuts; without them, it is the plain network of the paper
        pub skip: bool = true, in Range::Switch;
        /// how the convolutions' weights start
        pub init: InitConfig = he_fan_out() => he_fan_out_json!(), in INIT;
    }
}

impl PreactResnet {
    fn block(&self, i: usize, step: Transition) -> LayerConfig {
        let layers = vec![
            batch_norm("bn1"),
            relu("relu1"),
            named("conv1", conv3(step.to, step.stride, &self.init)),
            batch_norm("bn2"),
            relu("relu2"),
            named("conv2", conv3(step.to, 1, &self.init)),
        ];
        let shortcut = match self.shortcut {
            Shortcut::A => step.shortcut_a(),
            Shortcut::B => step.shortcut_b(&self.init),
        };
        block(&i.to_string(), Residual { shortcut, ..Residual::new(layers) }, self.skip)
    }
}

impl Network for PreactResnet {
    fn check(&self) -> Result<(), OutOfRange> {
        check_depth(&ENTRY, self.depth)?;
        self.in_range()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let stage = |s: usize| {
            let blocks = steps(self.width, self.depth, s).enumerate().map(|(i, step)| self.block(i, step));
            sequential(&format!("layer{}", s + 1), blocks.collect())
        };
        let stem = named("conv1", conv3(self.width, 1, &self.init));
        let last = [batch_norm("bn"), relu("relu")];
        std::iter::once(stem).chain((0..3).map(stage)).chain(last).chain(head("fc")).collect()
    }

    fn title(&self) -> String {
        format!("preact_resnet{}{}", self.depth, if self.skip { "" } else { "-noskip" })
    }
}
