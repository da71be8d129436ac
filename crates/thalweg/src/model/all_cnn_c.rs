//! The all-convolutional network C: strides instead of pooling, a mean instead of dense layers.

use super::blocks::{named, relu};
use super::config::Network;
use crate::init::{Constant, XavierNormal};
use crate::layers::{Conv, Dropout, GlobalAvgPool, LayerConfig, Padding, Units};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: AllCnnC::NAME,
    summary: "nine convolutions and a mean, for images like CIFAR's; 1,369,738 parameters for 10 classes",
    formula: "[conv 3×3] of 96, 96, 96 /2, 192, 192, 192 /2, 192 (valid), 1×1 192, 1×1 outputs, each with ReLU → mean",
    source: "Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for simplicity, 2015, arxiv.org/abs/1412.6806: L2 \
             penalty 1e-3; DeepOBS' start (Xavier's normal, biases 0.1) and its penalty 5e-4; strided convolutions are \
             padded by 1 on each side, as in PyTorch",
    keys: AllCnnC::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, outputs]; parameters `conv1` to `conv9`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct AllCnnC of "all_cnn_c" {
        /// drop 0.2 of the input and 0.5 after each convolution with stride 2
        pub dropout: bool = true, in Range::Switch;
    }
}

impl Network for AllCnnC {
    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }

    fn layers(&self, _input_shape: &[usize]) -> Vec<LayerConfig> {
        let mut layers = Vec::new();
        let drop = |layers: &mut Vec<LayerConfig>, i: usize, drop: f64| {
            if self.dropout {
                layers.push(named(&format!("dropout{i}"), Dropout { drop }));
            }
        };
        drop(&mut layers, 1, 0.2);
        let parts = [
            (96, 3, 1),
            (96, 3, 1),
            (96, 3, 2),
            (192, 3, 1),
            (192, 3, 1),
            (192, 3, 2),
            (192, 3, 1),
            (192, 1, 1),
        ];
        let widths =
            parts.map(|(c, k, s)| (Units::Count(c), k, s)).into_iter().chain([(Units::Outputs, 1, 1)]);
        for (i, (channels, kernel, stride)) in (1..).zip(widths) {
            let padding = if kernel == 3 && i != 7 { 1.into() } else { Padding::Valid };
            let (init, bias_init) = (XavierNormal::default().into(), Some(Constant { value: 0.1 }.into()));
            let conv =
                Conv { stride: stride.into(), padding, init, bias_init, ..Conv::new(channels, kernel) };
            layers.push(named(&format!("conv{i}"), conv));
            layers.push(relu(&format!("relu{i}")));
            if stride == 2 {
                drop(&mut layers, i / 3 + 1, 0.5);
            }
        }
        layers.push(named("avgpool", GlobalAvgPool {}));
        layers
    }

    fn title(&self) -> String {
        ENTRY.name.into()
    }
}
