//! Convolution of images: every output a weighted sum over a small window and all channels of its group.

use super::image::{divides, image};
use super::linear::bias_start;
use super::sizes::{DILATION_KEY, KERNEL_KEY, STRIDE_KEY, check_size};
use super::{BIAS_KEY, INIT_KEY, Layer, Padding, Pair, Units, he};
use crate::init::{InitConfig, Target};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, InFile, Var};
use engine::ops::conv::{self, ConvOptions};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "conv",
    summary: "the same small weighted sum at every place of an image",
    formula: "y[h, w, o] = b[o] + Σ x[h·stride + i·dilation − top, w·stride + j·dilation − left, c]·W[i, j, c, o]",
    source: "LeCun et al., Backpropagation applied to handwritten zip code recognition, 1989; PyTorch's Conv2d, whose \
             initial values are those of `init = \"torch_linear\"`; `groups` as many as channels is depthwise",
    keys: &[
        CHANNELS_KEY,
        KERNEL_KEY,
        STRIDE_KEY,
        PADDING_KEY,
        DILATION_KEY,
        GROUPS_KEY,
        BIAS_KEY,
        INIT_KEY,
        BIAS_INIT_KEY,
    ],
};

pub(super) const CHANNELS_KEY: Key = Key {
    name: "channels",
    default: "",
    unit: "",
    range: Range::Other("a number from 1 to 16777216, or \"outputs\""),
    help: "channels of the result, or \"outputs\" for as many as the data asks for",
};

pub(super) const PADDING_KEY: Key = Key {
    name: "padding",
    default: "\"valid\"",
    unit: "pixels",
    range: Range::Other(
        "\"same\", \"valid\", a number, [height, width] or [top, left, bottom, right]; each from 0 to 65536",
    ),
    help: "zeros around the input: none, as many as keep its size at stride 1, or these",
};

pub(super) const GROUPS_KEY: Key = Key {
    name: "groups",
    default: "1",
    unit: "",
    range: Range::Other("a number from 1 to 65536 that divides the channels in and out"),
    help: "parts of the channels that do not see each other",
};

pub(super) const BIAS_INIT_KEY: Key = Key {
    name: "bias_init",
    default: "\"zeros\"",
    unit: "",
    range: Range::Other("an initialiser"),
    help: "how the bias starts; with init torch_linear as PyTorch's",
};

/// x: [B, H, W, C] -> [B, H', W', channels]; H' = ⌊(H + top + bottom − dilation·(KH − 1) − 1) / stride⌋ + 1.
///
/// Parameters `weight`, in files `[channels, C/groups, KH, KW]` as PyTorch's and in memory `[KH, KW, C/groups,
/// channels]`, and `bias: [channels]`. Grey images may come without their channel axis. 2·KH·KW·C/groups operations a
/// value.
///
/// # Errors
/// When groups do not divide the channels, or the window is larger than the padded image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Channels of the result.
    pub channels: Units,
    /// Height and width of the window.
    pub kernel: Pair,
    /// From one window to the next; 1.
    #[serde(default = "one")]
    pub stride: Pair,
    /// What is added around the image; nothing.
    #[serde(default)]
    pub padding: Padding,
    /// From one value of a window to the next; 1.
    #[serde(default = "one")]
    pub dilation: Pair,
    /// Parts of the channels that do not see each other; 1.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether b is there; true.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How the weights start; [`HeNormal`](crate::init::HeNormal) of KH·KW·C/groups inputs.
    #[serde(default = "he")]
    pub init: InitConfig,
    /// How the bias starts; zeros, or PyTorch's way where the weights start PyTorch's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_init: Option<InitConfig>,
}

pub(super) fn one() -> Pair {
    Pair::ONE
}

pub(super) fn one_group() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}

impl Conv {
    /// Stride and dilation 1, no padding, with bias.
    pub fn new(channels: impl Into<Units>, kernel: impl Into<Pair>) -> Self {
        Conv {
            channels: channels.into(),
            kernel: kernel.into(),
            stride: Pair::ONE,
            padding: Padding::Valid,
            dilation: Pair::ONE,
            groups: 1,
            bias: true,
            init: he(),
            bias_init: None,
        }
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

    pub(super) fn check_as(&self, entry: &Entry) -> Result<(), OutOfRange> {
        self.channels.check(entry, "channels")?;
        self.kernel.check(entry, "kernel", 1)?;
        self.stride.check(entry, "stride", 1)?;
        self.dilation.check(entry, "dilation", 1)?;
        check_size(entry, "groups", self.groups, 1)?;
        if let Padding::Edges(edges) = self.padding {
            edges.check(entry, "padding")?;
        }
        self.init.check()?;
        self.bias_init.as_ref().map_or(Ok(()), InitConfig::check)
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
        self.check_as(&ENTRY)
    }
}
