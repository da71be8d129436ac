//! Zeros around an image, and channels of zeros.

use super::image::{frames, unframed};
use super::{Edges, Layer};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "pad",
    summary: "zeros around an image, or channels of zeros around its channels",
    formula: "y[h, w, c] = x[h − top, w − left, c − before], 0 outside",
    source: "PyTorch's ZeroPad2d; channels as in shortcut A of He, Zhang, Ren and Sun, CVPR 2016",
    keys: &[
        Key {
            name: "padding",
            default: "0",
            unit: "pixels",
            range: Range::Other(
                "a number, [height, width] or [top, left, bottom, right]; each from 0 to 65536",
            ),
            help: "rows and columns on each side",
        },
        Key {
            name: "channels",
            default: "0",
            unit: "",
            range: BORDER_CHANNELS,
            help: "channels before and behind",
        },
    ],
};

const BORDER_CHANNELS: Range = Range::Other("a number, or [before, behind]; each from 0 to 65536");

/// x: [B, H, W, C] -> [B, top + H + bottom, left + W + right, before + C + behind]; sequences `[B, T, C]` get the
/// columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pad {
    /// Rows and columns on each side; none.
    pub padding: Edges,
    /// Channels before and behind; none.
    pub channels: super::Pair,
}

impl Default for Pad {
    fn default() -> Self {
        Pad { padding: 0.into(), channels: super::Pair::ZERO }
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
        self.padding.check(&ENTRY, "padding")?;
        self.channels.check(&ENTRY, "channels", 0)
    }
}
