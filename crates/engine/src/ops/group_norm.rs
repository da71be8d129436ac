//! Group and instance normalization: `y = (x − m)/√(v + ε)` with mean and biased variance of each sample, over all
//! pixels and the channels of a group.
//!
//! Sources: Wu and He, "Group normalization", ECCV 2018; Ulyanov, Vedaldi and Lempitsky, "Instance normalization",
//! 2016. As PyTorch's functions of these names, without running averages; scale and shift are the layer's.

use super::pooling::at_least_one;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// Normalizes every sample of `x: [B, …, C]` over each of `groups` runs of neighboring channels. PyTorch's
    /// ε is 1e-5.
    ///
    /// The values of a group are brought side by side, normalized as rows, and brought back; with one group they
    /// already are.
    ///
    /// # Errors
    /// Where the groups do not divide the channels.
    pub fn group_norm(&mut self, x: Var, groups: usize, epsilon: f32) -> Built {
        let shape = self.shape(x).clone();
        if shape.len() < 2 {
            return Err(self.error("group_norm", Fault::Rank { expected: "at least 2", got: shape }));
        }
        at_least_one("groups", groups).map_err(|fault| self.error("group_norm", fault))?;
        let (batch, channels) = (shape[0], shape.last_dim());
        if channels % groups != 0 {
            return Err(self.error("group_norm", Fault::GroupsOf { groups, channels }));
        }
        let pixels: usize = shape[1..shape.len() - 1].iter().product();
        let each = channels / groups;
        let apart = groups > 1 && pixels > 1;
        let swapped = [0, 2, 1, 3];
        let mut y = x;
        if apart {
            y = self.reshape(y, [batch, pixels, groups, each])?;
            y = self.transpose(y, &swapped)?;
        }
        y = self.reshape(y, [batch, groups, pixels * each])?;
        y = self.normal_rows(y, epsilon)?;
        if apart {
            y = self.reshape(y, [batch, groups, pixels, each])?;
            y = self.transpose(y, &swapped)?;
        }
        self.reshape(y, shape)
    }

    /// Normalizes every channel of every sample of `x: [B, …, C]` over its pixels. PyTorch's ε is 1e-5.
    ///
    /// # Errors
    /// Where `x` has less than two axes, or no channels.
    pub fn instance_norm(&mut self, x: Var, epsilon: f32) -> Built {
        let channels = self.shape(x).last_dim();
        self.group_norm(x, channels, epsilon)
    }
}
