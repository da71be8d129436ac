//! Inverted dropout (Srivastava et al. 2014): values are dropped with probability `drop`, the others divided by
//! `1 − drop`, so that evaluation needs no change.

use super::mask::Mask;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// Dropout for training. `drop` is the probability of *dropping*, in [0, 1), as in PyTorch; 0 changes nothing.
    pub fn dropout(&mut self, x: Var, drop: f32) -> Built {
        if !(0.0..1.0).contains(&drop) {
            let value = f64::from(drop);
            return Err(self.error("dropout", Fault::Range { key: "drop", range: "at least 0 and below 1", value }));
        }
        if drop == 0.0 {
            return Ok(x);
        }
        let id = self.next_mask();
        let mask = self.push(Mask { id, keep: 1.0 - drop }.into(), &[x])?;
        self.mul(x, mask)
    }
}
