//! Transposed convolution: every value of the input paints a window of the result.

use super::conv::{CHANNELS, GROUPS};
use super::image::{divides, image};
use super::linear::bias_start;
use super::sizes::{BORDER, STEP};
use super::{INIT, Layer, Pair, Units, he};
use crate::init::{InitConfig, Target};
use crate::model::Builder;
use engine::graph::{Built, InFile, Var};
use engine::ops::conv::ConvTransposeOptions;
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: ConvTranspose::NAME,
    summary: "a convolution backwards: it makes images larger",
    formula: "y[h·stride + i·dilation − padding, …, o] = b[o] + Σ x[h, …, c]·W[i, …, o, c]",
    source: "Zeiler et al., Deconvolutional networks, CVPR 2010; PyTorch's ConvTranspose2d",
    keys: ConvTranspose::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, H', W', channels]; H' = (H − 1)·stride − 2·padding + dilation·(KH − 1) + output_padding +
    /// 1.
    ///
    /// Parameters `weight`, in files `[C, channels/groups, KH, KW]` as PyTorch's, and `bias: [channels]`. The
    /// initializers' fan_in is PyTorch's, KH·KW·channels/groups.
    ///
    /// # Errors
    /// When groups do not divide the channels.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ConvTranspose of "conv_transpose" {
        needs {
            /// channels of the result, or "outputs" for as many as the data asks for
            pub channels: Units, in CHANNELS;
            /// height and width of the window
            pub kernel: Pair, unit "pixels", in STEP;
        }
        /// distance between windows
        pub stride: Pair = Pair::ONE => "1", unit "pixels", in STEP;
        /// rows and columns cut off on each side
        pub padding: Pair = Pair::ZERO => "0", unit "pixels", in BORDER;
        /// rows and columns more at the end, fewer than the stride
        pub output_padding: Pair = Pair::ZERO => "0", unit "pixels", in BORDER;
        /// distance between the values of a window
        pub dilation: Pair = Pair::ONE => "1", unit "pixels", in STEP;
        /// groups of channels that do not see each other
        pub groups: usize = 1, in GROUPS;
        /// whether there is a bias b
        pub bias: bool = true, in Range::Switch;
        /// how the weights start
        ///
        /// [`HeNormal`](crate::init::HeNormal) of KH·KW·channels/groups inputs, with the gain of the activation that
        /// follows; PyTorch's way is [`TorchLinear`](crate::init::TorchLinear).
        pub init: InitConfig = he() => "\"he_normal\"", in INIT;
        /// how the bias starts; with init torch_linear as PyTorch's
        #[serde(skip_serializing_if = "Option::is_none")]
        pub bias_init: Option<InitConfig> = None => "\"zeros\"", in INIT;
    }
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
        self.in_range()
    }
}
