//! Images of another size, by the nearest values or by bilinear interpolation.

use super::image::image;
use super::sizes::pair_key;
use super::{Layer, Pair};
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use engine::ops::resize;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "resize",
    summary: "images of another size",
    formula: "bilinear: y[i] between the values around x[(i + ½)·H/h − ½]; nearest: y[i] = x[⌊i·H/h⌋]",
    source: "PyTorch's interpolate, with align_corners=False and without antialiasing",
    keys: &[
        pair_key("size", "", "height and width of the result"),
        Key {
            name: "mode",
            default: "\"bilinear\"",
            unit: "",
            range: Range::Words(&["nearest", "bilinear"]),
            help: "how values between pixels are found",
        },
    ],
};

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// The nearest pixel's.
    Nearest,
    /// A weighted mean of the four around it.
    #[default]
    Bilinear,
}

/// x: [B, H, W, C] -> [B, h, w, C]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Height and width of the result.
    pub size: Pair,
    /// How values between pixels are found; bilinear (PyTorch: nearest).
    #[serde(default)]
    pub mode: ResizeMode,
}

impl Layer for Resize {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let x = image(b, ENTRY.name, x)?;
        let mode = match self.mode {
            ResizeMode::Nearest => resize::Resize::Nearest,
            ResizeMode::Bilinear => resize::Resize::Bilinear,
        };
        b.resize(x, self.size.0, mode)
    }

    fn describe(&self) -> String {
        let mode = if self.mode == ResizeMode::Nearest { ", nearest" } else { "" };
        format!("resize({}{mode})", self.size)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.size.check(&ENTRY, "size", 1)
    }
}
