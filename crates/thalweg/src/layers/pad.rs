//! Zeros around an image, and channels of zeros.

use super::image::{frames, unframed};
use super::sizes::{EDGES, MAX_SIZE};
use super::{Edges, Layer, Pair};
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Pad::NAME,
    summary: "adds zeros around an image, or channels of zeros around its channels",
    formula: "y[h, w, c] = x[h − top, w − left, c − before], 0 outside",
    source: "PyTorch's ZeroPad2d; channels as in shortcut A of He, Zhang, Ren and Sun, CVPR 2016",
    keys: Pad::KEYS,
};

const BORDER_CHANNELS: Range =
    Range::Told(&Range::Within(0.0, MAX_SIZE), "a number, or [before, behind]; each from 0 to 65536");

settings! {
    /// x: [B, H, W, C] -> [B, top + H + bottom, left + W + right, before + C + behind]; sequences `[B, T, C]` get the
    /// columns.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Pad of "pad" {
        /// rows and columns on each side
        pub padding: Edges = Edges::of_all(0) => "0", unit "pixels", in EDGES;
        /// channels before and behind
        pub channels: Pair = Pair::ZERO => "0", in BORDER_CHANNELS;
    }
}

impl Layer for Pad {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (x, sequence) = frames(b, ENTRY.name, x)?;
        let Edges { top, left, bottom, right } = self.padding;
        let [before, behind] = self.channels.0;
        let x = if sequence { x } else { b.pad(x, 1, top, bottom)? };
        let x = b.pad(x, 2, left, right)?;
        let y = b.pad(x, 3, before, behind)?;
        unframed(b, y, sequence)
    }

    fn describe(&self) -> String {
        match (self.padding == 0.into(), self.channels.0) {
            (false, [0, 0]) => format!("pad({})", self.padding),
            (_, channels) => format!("pad({}, channels {channels:?})", self.padding),
        }
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
