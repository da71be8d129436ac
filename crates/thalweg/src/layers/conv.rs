//! Convolution of images: every output a weighted sum over a small window and all channels of its group.

use super::image::{divides, image};
use super::linear::bias_start;
use super::sizes::{MAX_SIZE, PADDING, STEP};
use super::{INIT, Layer, MAX_UNITS, Padding, Pair, Units, he};
use crate::init::{InitConfig, Target};
use crate::model::Builder;
use engine::graph::{Built, InFile, Var};
use engine::ops::conv::{self, ConvOptions};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Conv::NAME,
    summary: "the same small weighted sum at every place of an image",
    formula: "y[h, w, o] = b[o] + Σ x[h·stride + i·dilation − top, w·stride + j·dilation − left, c]·W[i, j, c, o]",
    source: "LeCun et al., Backpropagation applied to handwritten zip code recognition, 1989; PyTorch's Conv2d, whose \
             initial values are those of `init = \"torch_linear\"`; `groups` as many as channels is depthwise",
    keys: Conv::KEYS,
};

/// Channels of a result, or the width of one.
pub(super) const CHANNELS: Range =
    Range::Told(&Range::Within(1.0, MAX_UNITS as f64), "a number from 1 to 16777216, or \"outputs\"");

pub(super) const GROUPS: Range = Range::Told(
    &Range::Within(1.0, MAX_SIZE),
    "a number from 1 to 65536 that divides the channels in and out",
);

settings! {
    /// x: [B, H, W, C] -> [B, H', W', channels]; H' = ⌊(H + top + bottom − dilation·(KH − 1) − 1) / stride⌋ + 1.
    ///
    /// Parameters `weight`, in files `[channels, C/groups, KH, KW]` as PyTorch's and in memory `[KH, KW, C/groups,
    /// channels]`, and `bias: [channels]`. Gray images may come without their channel axis. 2·KH·KW·C/groups operations
    /// a value.
    ///
    /// # Errors
    /// When groups do not divide the channels, or the window is larger than the padded image.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Conv of "conv" {
        needs {
            /// channels of the result, or "outputs" for as many as the data asks for
            pub channels: Units, in CHANNELS;
            /// height and width of the window
            pub kernel: Pair, unit "pixels", in STEP;
        }
        /// distance between windows
        pub stride: Pair = Pair::ONE => "1", unit "pixels", in STEP;
        /// zeros around the input: none, as many as keep its size at stride 1, or these
        pub padding: Padding = Padding::Valid => "\"valid\"", unit "pixels", in PADDING;
        /// distance between the values of a window
        pub dilation: Pair = Pair::ONE => "1", unit "pixels", in STEP;
        /// groups of channels that do not see each other
        pub groups: usize = 1, in GROUPS;
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
        /// how the weights start
        ///
        /// [`HeNormal`](crate::init::HeNormal) of KH·KW·C/groups inputs, with the gain of the activation that follows;
        /// PyTorch's way is [`TorchLinear`](crate::init::TorchLinear).
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// how the bias starts; with init torch_linear as PyTorch's
        #[serde(skip_serializing_if = "Option::is_none")]
        pub bias_init: Option<InitConfig> = None => "\"zeros\"", in INIT;
    }
}

impl Conv {
    /// Stride and dilation 1, no padding, with bias.
    pub fn new(channels: impl Into<Units>, kernel: impl Into<Pair>) -> Self {
        Conv::needing(channels.into(), kernel.into())
    }

    /// x: [B, H, W, C] -> [B, H', W', channels], the weight in files as `in_file` says.
    pub(super) fn convolve(&self, b: &mut Builder<'_>, op: &'static str, in_file: InFile, x: Var) -> Built {
        let x = image(b, op, x)?;
        let c = b.shape(x).last_dim();
        let ([kh, kw], groups) = (self.kernel.0, self.groups);
        let channels = self.channels.count(b, op, "channels")?;
        divides(b, op, groups, c, channels)?;
        let shape = [kh, kw, c / groups, channels];
        let weight = b.kernel(shape, groups, in_file, self.init.clone())?;
        let y = b.conv2d(x, weight, &self.options())?;
        if !self.bias {
            return Ok(y);
        }
        let fan_in = Target::of_kernel(&shape, groups, 1.0).fan_in;
        let bias = b.param("bias", [channels], bias_start(&self.bias_init, &self.init, fan_in))?;
        b.add(y, bias)
    }

    fn options(&self) -> ConvOptions {
        let padding = match self.padding {
            Padding::Valid => conv::Padding::Valid,
            Padding::Same => conv::Padding::Same,
            Padding::Edges(e) => {
                conv::Padding::Explicit { top: e.top, bottom: e.bottom, left: e.left, right: e.right }
            }
        };
        ConvOptions { stride: self.stride.0, padding, dilation: self.dilation.0, groups: self.groups }
    }

    /// What is not as it is by default.
    pub(super) fn settings(&self) -> String {
        let mut text = String::new();
        let mut say = |differs: bool, words: String| {
            if differs {
                text += &format!(", {words}");
            }
        };
        say(self.stride != Pair::ONE, format!("stride {}", self.stride.short()));
        say(self.padding != Padding::Valid, self.padding.to_string());
        say(self.dilation != Pair::ONE, format!("dilation {}", self.dilation.short()));
        say(self.groups != 1, format!("{} groups", self.groups));
        say(!self.bias, "no bias".into());
        text
    }
}

impl Layer for Conv {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        self.convolve(b, ENTRY.name, InFile::Conv2d, x)
    }

    fn describe(&self) -> String {
        format!("conv({}, {}{})", self.channels, self.kernel, self.settings())
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
