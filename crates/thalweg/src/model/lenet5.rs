//! LeNet-5: the first convolutional network in wide use.

use super::blocks::named;
use super::config::Network;
use crate::init::{InitConfig, XavierNormal};
use crate::layers::{
    ACTIVATION, Activation, AvgPool, Conv, Flatten, INIT, LayerConfig, Linear, MaxPool, Padding, Tanh, Units,
};
use settings::{Entry, OutOfRange, Range, settings, words};

pub(super) const ENTRY: Entry = Entry {
    name: Lenet5::NAME,
    summary: "LeNet-5 for digits; 61,706 parameters for 28×28 gray pixels",
    formula: "[conv 5×5, activation, pool 2] with 6 and 16 channels → 120 → 84 → outputs",
    source: "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998; plain \
             average pooling, a second convolution that sees all channels, and softmax in the place of radial basis \
             functions, as is usual now; images of up to 28 pixels are padded by 2, as the paper did",
    keys: Lenet5::KEYS,
};

words! {
    /// How images shrink.
    #[derive(Default)]
    pub enum Pooling {
        /// The mean of every window.
        #[default]
        Avg = "avg",
        /// The largest value of every window.
        Max = "max",
    }
}

settings! {
    /// x: [B, H, W, C] -> [B, outputs]; parameters `conv1`, `conv2`, `fc1`, `fc2`, `fc3`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Lenet5 of "lenet5" {
        /// after every layer but the last
        pub activation: Activation = Tanh {}.into() => "\"tanh\"", in ACTIVATION;
        /// how images shrink
        pub pool: Pooling = Pooling::Avg => "\"avg\"", in Range::Words(Pooling::WORDS);
        /// how the weights start
        pub init: InitConfig = XavierNormal::default().into() => "\"xavier_normal\"", in INIT;
    }
}

impl Network for Lenet5 {
    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }

    fn layers(&self, input_shape: &[usize]) -> Vec<LayerConfig> {
        let small = input_shape.first().is_some_and(|height| *height <= 28);
        let conv = |channels: usize, padding: Padding| Conv {
            padding,
            init: self.init.clone(),
            ..Conv::new(channels, 5)
        };
        let dense = |units: Units| Linear { init: self.init.clone(), ..Linear::new(units) };
        let act = |i: usize| self.activation.clone().into_layer().named(&format!("act{i}"));
        let pool = |i: usize| {
            let layer: LayerConfig = match self.pool {
                Pooling::Avg => AvgPool::new(2).into(),
                Pooling::Max => MaxPool::new(2).into(),
            };
            layer.named(&format!("pool{i}"))
        };
        vec![
            named("conv1", conv(6, if small { 2.into() } else { Padding::Valid })),
            act(1),
            pool(1),
            named("conv2", conv(16, Padding::Valid)),
            act(2),
            pool(2),
            named("flatten", Flatten {}),
            named("fc1", dense(Units::Count(120))),
            act(3),
            named("fc2", dense(Units::Count(84))),
            act(4),
            named("fc3", dense(Units::Outputs)),
        ]
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }
}
