//! Layers: each states its parameters and its computation, once, for training and evaluation.

mod affine;
mod config;
mod gain;
mod image;
mod pooling;
mod sizes;
mod units;

pub use config::{Activation, LayerConfig};
pub(crate) use config::{check_all, list};
pub use gelu::Approximate;
pub(crate) use linear::he;
pub use resize::ResizeMode;
pub use sizes::{Edges, Padding, Pair};
pub use units::{MAX_UNITS, Units};

use crate::model::Builder;
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};
use settings::{Entry, OutOfRange, Range};
use std::fmt::Debug;

/// What a key takes that says how values start.
pub(crate) const INIT: Range = Range::Other("an initializer");
/// What a key takes that names an activation.
pub(crate) const ACTIVATION: Range = Range::Other("an activation");
/// What a key takes that is a width, or a list of them.
pub(crate) const WIDTH: Range =
    Range::Told(&Range::Within(1.0, MAX_UNITS as f64), "a number from 1 to 16777216");
pub(crate) const WIDTHS: Range =
    Range::Told(&Range::Within(1.0, MAX_UNITS as f64), "a list of widths, each from 1 to 16777216");
/// What a key takes that counts a few things.
pub(crate) const COUNT: Range = Range::Told(&Range::Within(1.0, 1024.0), "a number from 1 to 1024");
/// What a key takes that lists places among the inputs.
pub(crate) const PLACES: Range = Range::Told(&Range::AtLeast(0.0), "a list of whole numbers from 0");
/// What a key takes that holds layers.
const LIST: Range = Range::Other("a list of layers");

/// A part of a network with one input and one output.
pub trait Layer: Send + Sync + Debug {
    /// The word for it in a config.
    fn kind(&self) -> &'static str;

    /// Adds the layer to the graph. [`Builder::param`] and [`Builder::buffer`] come in the same order with the
    /// same names and shapes for every mode and batch size.
    ///
    /// # Errors
    /// When the input does not fit; the error names the layer.
    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built;

    /// Kind and settings, as a summary shows them.
    fn describe(&self) -> String {
        self.kind().to_owned()
    }

    /// By how much larger the weights before it must be, in standard deviations, so that signals keep their scale
    /// through it; nothing where that is for the next layer to say, as of a norm or dropout.
    ///
    /// PyTorch's `calculate_gain` for what that knows (tanh 5/3, sigmoid 1, ReLU √2, leaky ReLU √(2/(1+slope²))); else
    /// 1/√E f(z)² for z ~ N(0, 1).
    fn gain(&self) -> Option<f64> {
        Some(1.0)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

/// Lists the layers: a module and a type each; first those that act on each element or row and have no parameters.
macro_rules! layers {
    (activations { $($act:ident: $Act:ident),+ $(,)? } layers { $($module:ident: $Type:ident),+ $(,)? }) => {
        $(mod $act; pub use $act::$Act;)+
        $(mod $module; pub use $module::$Type;)+

        /// Every activation's facts, in the order of the docs.
        pub const ACTIVATIONS: &[Entry] = &[$($act::ENTRY),+];

        /// Every layer's facts, activations too, in the order of the docs.
        pub const ALL: &[Entry] = &[$($module::ENTRY,)+ $($act::ENTRY),+];

        /// A layer and its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum LayerKind {
            $(#[allow(missing_docs)] $Type($Type),)+
            $(#[allow(missing_docs)] $Act($Act)),+
        }

        impl LayerKind {
            /// The layer itself.
            pub fn layer(&self) -> &dyn Layer {
                match self {
                    $(LayerKind::$Type(layer) => layer,)+
                    $(LayerKind::$Act(layer) => layer),+
                }
            }
        }

        $(impl From<$Type> for LayerKind { fn from(layer: $Type) -> Self { LayerKind::$Type(layer) } })+
        $(impl From<$Act> for LayerKind { fn from(layer: $Act) -> Self { LayerKind::$Act(layer) } })+
    };
}

layers! {
    activations {
        relu: Relu,
        leaky_relu: LeakyRelu,
        elu: Elu,
        selu: Selu,
        gelu: Gelu,
        silu: Silu,
        mish: Mish,
        sigmoid: Sigmoid,
        tanh: Tanh,
        softplus: Softplus,
        softsign: Softsign,
        softmax: Softmax,
        log_softmax: LogSoftmax,
        hard_sigmoid: HardSigmoid,
        hard_swish: HardSwish,
        hard_tanh: HardTanh,
        smooth_clip: SmoothClip,
    }
    layers {
        linear: Linear,
        ntk_linear: NtkLinear,
        member_linear: MemberLinear,
        conv: Conv,
        conv1d: Conv1d,
        conv_transpose: ConvTranspose,
        max_pool: MaxPool,
        avg_pool: AvgPool,
        adaptive_avg_pool: AdaptiveAvgPool,
        global_avg_pool: GlobalAvgPool,
        batch_norm: BatchNorm,
        layer_norm: LayerNorm,
        instance_norm: InstanceNorm,
        group_norm: GroupNorm,
        dropout: Dropout,
        channel_dropout: ChannelDropout,
        pad: Pad,
        crop: Crop,
        resize: Resize,
        flatten: Flatten,
        embedding: Embedding,
        column_embedding: ColumnEmbedding,
        scale: Scale,
        sequential: Sequential,
        residual: Residual,
        concat: Concat,
    }
}
