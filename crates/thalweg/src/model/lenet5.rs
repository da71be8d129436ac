//! LeNet-5: the first convolutional network in wide use.

use super::blocks::named;
use super::config::Network;
use crate::init::{InitConfig, XavierNormal};
use crate::layers::{Activation, AvgPool, Conv, Flatten, LayerConfig, Linear, MaxPool, Padding, Tanh, Units};
use crate::registry::{Entry, Key, OutOfRange, Range};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "lenet5",
    summary: "LeNet-5 for digits; 61,706 parameters for 28×28 grey pixels",
    formula: "[conv 5×5, activation, pool 2] with 6 and 16 channels → 120 → 84 → outputs",
    source: "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998; plain \
             average pooling, a second convolution that sees all channels, and softmax in the place of radial basis \
             functions, as is usual now; images of up to 28 pixels are padded by 2, as the paper did",
    keys: &[
        Key {
            name: "activation",
            default: "\"tanh\"",
            unit: "",
            range: Range::Other("an activation"),
            help: "after every layer but the last",
        },
        Key {
            name: "pool",
            default: "\"avg\"",
            unit: "",
            range: Range::Words(&["avg", "max"]),
            help: "how images shrink",
        },
        Key {
            name: "init",
            default: "\"xavier_normal\"",
            unit: "",
            range: Range::Other("an initialiser"),
            help: "how the weights start",
        },
    ],
};

/// How images shrink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean of every window.
    #[default]
    Avg,
    /// The largest value of every window.
    Max,
}

/// x: [B, H, W, C] -> [B, outputs]; parameters `conv1`, `conv2`, `fc1`, `fc2`, `fc3`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lenet5 {
    /// After every layer but the last; tanh.
    pub activation: Activation,
    /// How images shrink; by means.
    pub pool: Pooling,
    /// How the weights start; Xavier's normal.
    pub init: InitConfig,
}

impl Default for Lenet5 {
    fn default() -> Self {
        let (activation, init) = (Activation::from(Tanh {}), XavierNormal::default().into());
        Lenet5 { activation, pool: Pooling::Avg, init }
    }
}

impl Network for Lenet5 {
    fn check(&self) -> Result<(), OutOfRange> {
        self.activation.layer().check()?;
        self.init.check()
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
