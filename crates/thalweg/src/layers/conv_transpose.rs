//! Transposed convolution: every value of the input paints a window of the result.

use super::conv::{BIAS_INIT_KEY, CHANNELS_KEY, GROUPS_KEY, one, one_group, yes};
use super::image::{divides, image};
use super::linear::bias_start;
use super::sizes::{BORDER, DILATION_KEY, KERNEL_KEY, PADDING_KEY, STRIDE_KEY, check_size};
use super::{BIAS_KEY, INIT_KEY, Layer, Pair, Units, he};
use crate::init::{InitConfig, Target};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange};
use engine::graph::{Built, InFile, Var};
use engine::ops::conv::ConvTransposeOptions;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "conv_transpose",
    summary: "a convolution backwards: it makes images larger",
    formula: "y[h·stride + i·dilation − padding, …, o] = b[o] + Σ x[h, …, c]·W[i, …, o, c]",
    source: "Zeiler et al., Deconvolutional networks, CVPR 2010; PyTorch's ConvTranspose2d",
    keys: &[
        CHANNELS_KEY,
        KERNEL_KEY,
        STRIDE_KEY,
        Key { help: "rows and columns cut off on each side", ..PADDING_KEY },
        Key {
            name: "output_padding",
            default: "0",
            unit: "pixels",
            range: BORDER,
            help: "rows and columns more at the end, fewer than the stride",
        },
        DILATION_KEY,
        GROUPS_KEY,
        BIAS_KEY,
        INIT_KEY,
        BIAS_INIT_KEY,
    ],
};

/// x: [B, H, W, C] -> [B, H', W', channels]; H' = (H − 1)·stride − 2·padding + dilation·(KH − 1) + output_padding + 1.
///
/// Parameters `weight`, in files `[C, channels/groups, KH, KW]` as PyTorch's, and `bias: [channels]`. The initialisers'
/// fan_in is PyTorch's, KH·KW·channels/groups.
///
/// # Errors
/// When groups do not divide the channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose {
    /// Channels of the result.
    pub channels: Units,
    /// Height and width of the window.
    pub kernel: Pair,
    /// From one window to the next; 1.
    #[serde(default = "one")]
    pub stride: Pair,
    /// Rows and columns cut off on each side; 0.
    #[serde(default = "zero")]
    pub padding: Pair,
    /// Rows and columns more at the end; 0.
    #[serde(default = "zero")]
    pub output_padding: Pair,
    /// From one value of a window to the next; 1.
    #[serde(default = "one")]
    pub dilation: Pair,
    /// Parts of the channels that do not see each other; 1.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether b is there; true.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How the weights start; [`HeNormal`](crate::init::HeNormal).
    #[serde(default = "he")]
    pub init: InitConfig,
    /// How the bias starts; zeros, or PyTorch's way where the weights start PyTorch's way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_init: Option<InitConfig>,
}

pub(super) fn zero() -> Pair {
    Pair::ZERO
}

impl Layer for ConvTranspose {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let x = image(b, ENTRY.name, x)?;
        let c = b.shape(x).last_dim();
        let ([kh, kw], groups) = (self.kernel.0, self.groups);
        let channels = self.channels.count(b, ENTRY.name, "channels")?;
        divides(b, ENTRY.name, groups, c, channels)?;
        let shape = [kh, kw, channels / groups, c];
        let weight = b.kernel(shape, groups, InFile::Conv2d, self.init.clone())?;
        let options = ConvTransposeOptions {
            stride: self.stride.0,
            padding: self.padding.0,
            output_padding: self.output_padding.0,
            dilation: self.dilation.0,
            groups,
        };
        let y = b.conv2d_transpose(x, weight, &options)?;
        if !self.bias {
            return Ok(y);
        }
        let fan_in = Target::of_kernel(&shape, groups, 1.0).fan_in;
        let bias = b.param("bias", [channels], bias_start(&self.bias_init, &self.init, fan_in))?;
        b.add(y, bias)
    }

    fn describe(&self) -> String {
        let stride = if self.stride == Pair::ONE {
            String::new()
        } else {
            format!(", stride {}", self.stride.short())
        };
        format!("conv_transpose({}, {}{stride})", self.channels, self.kernel)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.channels.check(&ENTRY, "channels")?;
        self.kernel.check(&ENTRY, "kernel", 1)?;
        self.stride.check(&ENTRY, "stride", 1)?;
        self.padding.check(&ENTRY, "padding", 0)?;
        self.output_padding.check(&ENTRY, "output_padding", 0)?;
        self.dilation.check(&ENTRY, "dilation", 1)?;
        check_size(&ENTRY, "groups", self.groups, 1)?;
        self.init.check()?;
        self.bias_init.as_ref().map_or(Ok(()), InitConfig::check)
    }
}
