//! Images of another size, by the nearest values or by bilinear interpolation.

use super::image::image;
use super::sizes::STEP;
use super::{Layer, Pair};
use crate::model::Builder;
use engine::graph::{Built, Var};
use engine::ops::resize;
use settings::{Entry, OutOfRange, Range, settings, words};

pub(super) const ENTRY: Entry = Entry {
    name: Resize::NAME,
    summary: "resizes images",
    formula: "bilinear: y[i] between the values around x[(i + ½)·H/h − ½]; nearest: y[i] = x[⌊i·H/h⌋]",
    source: "PyTorch's interpolate, with align_corners=False and without antialiasing",
    keys: Resize::KEYS,
};

words! {
    /// How values between pixels are found.
    #[derive(Default)]
    pub enum ResizeMode {
        /// The nearest pixel's.
        Nearest = "nearest",
        /// A weighted mean of the four around it.
        #[default]
        Bilinear = "bilinear",
    }
}

settings! {
    /// x: [B, H, W, C] -> [B, h, w, C]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Resize of "resize" {
        needs {
            /// height and width of the result
            pub size: Pair, unit "pixels", in STEP;
        }
        /// how values between pixels are found
        ///
        /// PyTorch's default is nearest.
        pub mode: ResizeMode = ResizeMode::Bilinear => "\"bilinear\"", in Range::Words(ResizeMode::WORDS);
    }
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
        self.in_range()
    }
}
