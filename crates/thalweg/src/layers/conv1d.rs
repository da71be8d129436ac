//! Convolution along a sequence.

use super::conv::{CHANNELS, Conv, GROUPS};
use super::image::frames;
use super::sizes::MAX_SIZE;
use super::{Edges, INIT, Layer, Padding, Pair, Units, he};
use crate::init::InitConfig;
use crate::model::Builder;
use engine::graph::{Built, InFile, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Conv1d::NAME,
    summary: "the same small weighted sum at every place of a sequence",
    formula: "y[t, o] = b[o] + Σ x[t·stride + i·dilation − before, c]·W[i, c, o]",
    source: "Waibel et al., Phoneme recognition using time-delay neural networks, 1989; PyTorch's Conv1d",
    keys: Conv1d::KEYS,
};

const LENGTH: Range = Range::Told(&Range::Within(1.0, MAX_SIZE), "a number from 1 to 65536");
const ENDS: Range =
    Range::Told(&Range::Within(0.0, MAX_SIZE), "\"same\", \"valid\", or a number from 0 to 65536");

settings! {
    /// x: [B, T, C] -> [B, T', channels], a [`Conv`] of images of height 1.
    ///
    /// Parameters `weight`, in files `[channels, C/groups, kernel]` as PyTorch's, and `bias: [channels]`.
    ///
    /// # Errors
    /// As [`Conv`]'s.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Conv1d of "conv1d" {
        needs {
            /// channels of the result, or "outputs" for as many as the data asks for
            pub channels: Units, in CHANNELS;
            /// length of the window
            pub kernel: usize, unit "places", in LENGTH;
        }
        /// distance between windows
        pub stride: usize = 1, unit "places", in LENGTH;
        /// zeros at each end: none, as many as keep the length at stride 1, or this many
        pub padding: Padding = Padding::Valid => "\"valid\"", unit "places", in ENDS;
        /// distance between the values of a window
        pub dilation: usize = 1, unit "places", in LENGTH;
        /// groups of channels that do not see each other
        pub groups: usize = 1, in GROUPS;
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
        /// how the weights start
        ///
        /// [`HeNormal`](crate::init::HeNormal) of kernel·C/groups inputs, with the gain of the activation that follows;
        /// PyTorch's way is [`TorchLinear`](crate::init::TorchLinear).
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// how the bias starts; with init torch_linear as PyTorch's
        #[serde(skip_serializing_if = "Option::is_none")]
        pub bias_init: Option<InitConfig> = None => "\"zeros\"", in INIT;
    }
}

impl Conv1d {
    /// Stride and dilation 1, no padding, with bias.
    pub fn new(channels: impl Into<Units>, kernel: usize) -> Self {
        Conv1d::needing(channels.into(), kernel)
    }

    /// The same for images of height 1.
    fn flat(&self) -> Conv {
        let padding = match self.padding {
            Padding::Edges(e) => Padding::Edges(Edges { top: 0, bottom: 0, ..e }),
            word => word,
        };
        Conv {
            channels: self.channels,
            kernel: Pair([1, self.kernel]),
            stride: Pair([1, self.stride]),
            padding,
            dilation: Pair([1, self.dilation]),
            groups: self.groups,
            bias: self.bias,
            init: self.init.clone(),
            bias_init: self.bias_init.clone(),
        }
    }
}

impl Layer for Conv1d {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let x = match b.shape(x)[..] {
            [n, t] => b.reshape(x, [n, t, 1])?,
            _ => x,
        };
        let (x, _) = frames(b, ENTRY.name, x)?;
        let y = self.flat().convolve(b, ENTRY.name, InFile::Conv1d, x)?;
        super::image::unframed(b, y, true)
    }

    fn describe(&self) -> String {
        let flat = Conv { stride: Pair([self.stride; 2]), dilation: Pair([self.dilation; 2]), ..self.flat() };
        let settings = Conv { padding: self.padding, ..flat }.settings();
        format!("conv1d({}, {}{settings})", self.channels, self.kernel)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
