//! Zeros around images, parts of images, and images as rows.

use super::pooling::image_size;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// Zeros around images: `[B, H, W, C] → [B, top + H + bottom, left + W + right, C]`.
    ///
    /// # Errors
    /// Where `x` is no batch of images.
    pub fn pad2d(&mut self, x: Var, [top, bottom]: [usize; 2], [left, right]: [usize; 2]) -> Built {
        image_size(self.shape(x)).map_err(|fault| self.error("pad2d", fault))?;
        let y = self.pad(x, 2, left, right)?;
        self.pad(y, 1, top, bottom)
    }

    /// The part of `size` pixels that begins at `start`, both along height and width:
    /// `[B, H, W, C] → [B, size[0], size[1], C]`.
    ///
    /// # Errors
    /// Where `x` is no batch of images, or the part is not within them.
    pub fn crop(&mut self, x: Var, start: [usize; 2], size: [usize; 2]) -> Built {
        image_size(self.shape(x)).map_err(|fault| self.error("crop", fault))?;
        let y = self.slice(x, 1, start[0], size[0])?;
        self.slice(y, 2, start[1], size[1])
    }

    /// Each sample as one row in PyTorch's order, channels outermost: `[B, …, C] → [B, C·…]`. Nothing is moved where
    /// there is one channel or one pixel.
    ///
    /// # Errors
    /// Where `x` has no axis.
    pub fn flatten_image(&mut self, x: Var) -> Built {
        let shape = self.shape(x).clone();
        let Some((last, outer)) = shape.split_last() else {
            return Err(self.error("flatten", Fault::Rank { expected: "at least 1", got: shape.clone() }));
        };
        let pixels: usize = outer.iter().skip(1).product();
        if outer.len() < 2 || *last == 1 || pixels == 1 {
            return self.flatten(x);
        }
        let order: Vec<usize> = [0, outer.len()].into_iter().chain(1..outer.len()).collect();
        let y = self.transpose(x, &order)?;
        self.flatten(y)
    }
}
