//! Inverted dropout (Srivastava et al. 2014): values are dropped with probability `drop`, the others divided by
//! `1 − drop`, so that evaluation needs no change.

use super::mask::Mask;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// Dropout for training. `drop` is the probability of *dropping*, in [0, 1), as in PyTorch; 0 changes nothing.
    pub fn dropout(&mut self, x: Var, drop: f32) -> Built {
        self.masked(x, drop, x)
    }

    /// Dropout of whole channels of each sample of `x: [B, …, C]` (Tompson et al. 2015; PyTorch's `Dropout2d`).
    /// `drop` is the probability of dropping one, in [0, 1); 0 changes nothing.
    pub fn channel_dropout(&mut self, x: Var, drop: f32) -> Built {
        let shape = self.shape(x).clone();
        if shape.len() < 3 || shape.numel() == 0 || drop == 0.0 {
            return self.dropout(x, drop);
        }
        // one pixel of each sample says how the mask is shaped
        let (batch, channels) = (shape[0], shape.last_dim());
        let pixels = self.reshape(x, [batch, shape.numel() / (batch * channels), channels])?;
        let pixel = self.slice(pixels, 1, 0, 1)?;
        let mut sizes = vec![1; shape.len()];
        (sizes[0], sizes[shape.len() - 1]) = (batch, channels);
        let like = self.reshape(pixel, sizes)?;
        self.masked(x, drop, like)
    }

    /// `x` times a mask shaped like `like`.
    fn masked(&mut self, x: Var, drop: f32, like: Var) -> Built {
        if !(0.0..1.0).contains(&drop) {
            let value = f64::from(drop);
            return Err(
                self.error("dropout", Fault::Range { key: "drop", range: "at least 0 and below 1", value })
            );
        }
        if drop == 0.0 {
            return Ok(x);
        }
        let id = self.next_mask();
        let mask = self.push(Mask { id, keep: 1.0 - drop }.into(), &[like])?;
        self.mul(x, mask)
    }
}
