//! Rows and columns cut off an image.

use super::image::{frames, unframed};
use super::sizes::EDGES;
use super::{Edges, Layer};
use crate::model::Builder;
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Crop::NAME,
    summary: "cuts rows and columns off an image",
    formula: "y[h, w, c] = x[h + top, w + left, c]",
    source: "Keras' Cropping2D; PyTorch's pad with negative sizes",
    keys: Crop::KEYS,
};

settings! {
    /// x: [B, H, W, C] -> [B, H − top − bottom, W − left − right, C]; sequences `[B, T, C]` lose the columns.
    ///
    /// # Errors
    /// When nothing would be left.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Crop of "crop" {
        needs {
            /// rows and columns on each side
            pub edges: Edges, unit "pixels", in EDGES;
        }
    }
}

impl Layer for Crop {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let (x, sequence) = frames(b, ENTRY.name, x)?;
        let Edges { mut top, left, mut bottom, right } = self.edges;
        if sequence {
            (top, bottom) = (0, 0);
        }
        let (h, w) = (b.shape(x)[1], b.shape(x)[2]);
        let size = [h.saturating_sub(top + bottom), w.saturating_sub(left + right)];
        if size.contains(&0) {
            let (range, value) = ("less than the image", (top + bottom).max(left + right) as f64);
            return Err(b.error(ENTRY.name, Fault::Range { key: "edges", range, value }));
        }
        let y = b.crop(x, [top, left], size)?;
        unframed(b, y, sequence)
    }

    fn describe(&self) -> String {
        format!("crop({})", self.edges)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
