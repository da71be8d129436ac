//! Convolution along a sequence.

use super::conv::{BIAS_INIT_KEY, CHANNELS_KEY, Conv, GROUPS_KEY, one_group, yes};
use super::image::frames;
use super::sizes::check_size;
use super::{BIAS_KEY, Edges, INIT_KEY, Layer, Padding, Pair, Units, he};
use crate::init::InitConfig;
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, InFile, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "conv1d",
    summary: "the same small weighted sum at every place of a sequence",
    formula: "y[t, o] = b[o] + Σ x[t·stride + i·dilation − before, c]·W[i, c, o]",
    source: "Waibel et al., Phoneme recognition using time-delay neural networks, 1989; PyTorch's Conv1d",
    keys: &[
        CHANNELS_KEY,
        size_key("kernel", "", "length of the window"),
        size_key("stride", "1", "from one window to the next"),
        Key {
            name: "padding",
            default: "\"valid\"",
            unit: "places",
            range: Range::Other("\"same\", \"valid\", or a number from 0 to 65536"),
            help: "zeros at each end: none, as many as keep the length at stride 1, or so many",
        },
        size_key("dilation", "1", "from one value of a window to the next"),
        GROUPS_KEY,
        BIAS_KEY,
        INIT_KEY,
        BIAS_INIT_KEY,
    ],
};

const fn size_key(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { name, default, unit: "places", range: Range::Other("a number from 1 to 65536"), help }
}

/// x: [B, T, C] -> [B, T', channels], a [`Conv`] of images of height 1.
///
/// Parameters `weight`, in files `[channels, C/groups, kernel]` as PyTorch's, and `bias: [channels]`.
///
/// # Errors
/// As [`Conv`]'s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv1d {
    /// Channels of the result.
    pub channels: Units,
    /// Length of the window.
    pub kernel: usize,
    /// From one window to the next; 1.
    #[serde(default = "one_group")]
    pub stride: usize,
    /// Zeros at both ends; none.
    #[serde(default)]
    pub padding: Padding,
    /// From one value of a window to the next; 1.
    #[serde(default = "one_group")]
    pub dilation: usize,
    /// Parts of the channels that do not see each other; 1.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether b is there; true.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How the weights start; as [`Conv`]'s.
    #[serde(default = "he")]
    pub init: InitConfig,
    /// How the bias starts; as [`Conv`]'s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_init: Option<InitConfig>,
}

impl Conv1d {
    /// Stride and dilation 1, no padding, with bias.
    pub fn new(channels: impl Into<Units>, kernel: usize) -> Self {
        let Conv { channels, init, .. } = Conv::new(channels, kernel);
        let (stride, padding, dilation, groups, bias) = (1, Padding::Valid, 1, 1, true);
        Conv1d { channels, kernel, stride, padding, dilation, groups, bias, init, bias_init: None }
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
        for (key, n) in [("kernel", self.kernel), ("stride", self.stride), ("dilation", self.dilation)] {
            check_size(&ENTRY, key, n, 1)?;
        }
        self.flat().check_as(&ENTRY)
    }
}
