//! Layer normalization (Ba, Kiros, Hinton 2016) over the last axis: `y = (x − m)/√(v + ε)·γ + β`, biased variance.

use super::unary::Fn1;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// Normalizes every row of the last axis; γ and β are `[C]`. PyTorch's ε is 1e-5, Keras' 1e-3.
    pub fn layer_norm(&mut self, x: Var, gamma: Var, beta: Var, epsilon: f32) -> Built {
        let normal = self.normal_rows(x, epsilon)?;
        let scaled = self.mul(normal, gamma)?;
        self.add(scaled, beta)
    }

    /// `(x − m)/√(v + ε)` along the last axis.
    pub(super) fn normal_rows(&mut self, x: Var, epsilon: f32) -> Built {
        let rank = self.shape(x).len();
        let mean = self.mean_axes(x, rank - 1, rank)?;
        let centered = self.sub(x, mean)?;
        let square = self.unary(Fn1::Square, centered)?;
        let variance = self.mean_axes(square, rank - 1, rank)?;
        let shifted = self.shift(variance, epsilon)?;
        let root = self.unary(Fn1::Sqrt, shifted)?;
        self.div(centered, root)
    }
}
