//! Channel dropout: in training whole channels of an image are dropped with a given probability.

use super::Layer;
use super::image::{frames, unframed};
use crate::model::{Builder, Masks};
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: ChannelDropout::NAME,
    summary: "drops whole channels at random while training",
    formula: "y[h, w, c] = x[h, w, c]·m[c]/(1 − drop), m = 0 with probability drop, else 1; in evaluation y = x",
    source: "Tompson et al., Efficient object localization using convolutional networks, CVPR 2015, \
             arxiv.org/abs/1411.4280; PyTorch's Dropout2d",
    keys: ChannelDropout::KEYS,
};

settings! {
    /// x: [B, H, W, C] or [B, T, C]; every image drops channels of its own. Nothing in evaluation.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct ChannelDropout of "channel_dropout" {
        /// probability of dropping a channel
        pub drop: f64 = 0.5, in Range::Below(0.0, 1.0);
    }
}

impl Layer for ChannelDropout {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (framed, sequence) = frames(b, ENTRY.name, x)?;
        match b.behavior().masks {
            Masks::Drawn => {
                let y = b.channel_dropout(framed, self.drop as f32)?;
                unframed(b, y, sequence)
            }
            Masks::Off => Ok(x),
        }
    }

    fn describe(&self) -> String {
        format!("channel_dropout({})", self.drop)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
