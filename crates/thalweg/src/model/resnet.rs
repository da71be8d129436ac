//! Residual networks for small images, with and without their shortcuts.

use super::blocks::{
    DEPTHS, Transition, batch_norm, block, check_depth, conv3, he_fan_out, he_fan_out_json, head, named,
    relu, sequential,
};
use super::config::Network;
use crate::init::InitConfig;
use crate::layers::{Activation, BatchNorm, INIT, LayerConfig, Residual, WIDTH};
use settings::{Entry, OutOfRange, Range, settings, words};

pub(super) const ENTRY: Entry = Entry {
    name: Resnet::NAME,
    summary: "residual network for small images; resnet20 has 269,722 parameters for 10 classes, 272,474 with shortcut B",
    formula: "conv 3×3 → 3 stages of n × [conv, BN, ReLU, conv, BN, + shortcut, ReLU] → mean → linear; depth = 6n + 2",
    source: "He, Zhang, Ren and Sun, Deep residual learning, CVPR 2016, arxiv.org/abs/1512.03385, section 4.2: SGD with \
             momentum 0.9, batch 128, lr 0.1 divided by 10 at steps 32k and 48k of 64k, L2 penalty 1e-4 (here without \
             biases and norms); names of torchvision",
    keys: Resnet::KEYS,
};

words! {
    /// What leads around a block where the image is halved and channels double.
    #[derive(Default)]
    pub enum Shortcut {
        /// Every other pixel, channels of zeros on both sides: no parameters.
        #[default]
        A = "A",
        /// A 1×1 convolution of stride 2 (and a batch norm, where the network is not pre-activated).
        B = "B",
    }
}

settings! {
    /// x: [B, H, W, C] -> [B, outputs]; stages of `width`, 2·`width`, 4·`width` channels.
    ///
    /// Parameters are called as in torchvision: `conv1`, `bn1`, `layer1.0.conv1`, `layer1.0.bn1`, …, `fc`, and with
    /// shortcut B `layer2.0.downsample.0` and `.1`. Depths 20, 32, 44, 56 and 110 are the paper's; 0.27, 0.46, 0.66,
    /// 0.85 and 1.7 million parameters.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Resnet of "resnet" {
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

impl Resnet {
    fn block(&self, i: usize, step: Transition) -> LayerConfig {
        let layers = vec![
            named("conv1", conv3(step.to, step.stride, &self.init)),
            batch_norm("bn1"),
            relu("relu"),
            named("conv2", conv3(step.to, 1, &self.init)),
            batch_norm("bn2"),
        ];
        let shortcut = match (self.shortcut, step.shortcut_b(&self.init)) {
            (Shortcut::A, _) => step.shortcut_a(),
            (Shortcut::B, project) if project.is_empty() => project,
            (Shortcut::B, project) => project.into_iter().chain([BatchNorm::default().into()]).collect(),
        };
        let residual = Residual { layers, shortcut, activation: Some(Activation::default()) };
        block(&i.to_string(), residual, self.skip)
    }
}

/// The steps of a stage's blocks: the first one widens and, but in the first stage, halves.
pub(super) fn steps(width: usize, depth: usize, stage: usize) -> impl Iterator<Item = Transition> {
    let to = width << stage;
    let first = Transition {
        from: if stage == 0 { width } else { to / 2 },
        to,
        stride: if stage == 0 { 1 } else { 2 },
    };
    let rest = Transition { from: to, to, stride: 1 };
    std::iter::once(first).chain(std::iter::repeat(rest)).take(depth.saturating_sub(2) / 6)
}

impl Network for Resnet {
    fn check(&self) -> Result<(), OutOfRange> {
        check_depth(&ENTRY, self.depth)?;
        self.in_range()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let stage = |s: usize| {
            let blocks = steps(self.width, self.depth, s).enumerate().map(|(i, step)| self.block(i, step));
            sequential(&format!("layer{}", s + 1), blocks.collect())
        };
        let stem = [named("conv1", conv3(self.width, 1, &self.init)), batch_norm("bn1"), relu("relu")];
        stem.into_iter().chain((0..3).map(stage)).chain(head("fc")).collect()
    }

    fn title(&self) -> String {
        format!("resnet{}{}", self.depth, if self.skip { "" } else { "-noskip" })
    }
}
