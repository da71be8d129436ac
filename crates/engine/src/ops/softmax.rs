//! Softmax and its logarithm over the last axis, shifted by the row's maximum.

use super::unary::Fn1;
use crate::graph::{Built, Graph, Var};

impl Graph {
    /// `x − max x` of every row; the shift cancels, so no gradient flows through the maximum.
    fn shifted_row(&mut self, x: Var) -> Built {
        let rank = self.shape(x).len();
        let top = self.max_axes(x, rank - 1, rank)?;
        let top = self.detach(top)?;
        self.sub(x, top)
    }

    /// `eˣ / Σeˣ` over the last axis.
    pub fn softmax(&mut self, x: Var) -> Built {
        let rank = self.shape(x).len();
        let shifted = self.shifted_row(x)?;
        let e = self.unary(Fn1::Exp, shifted)?;
        let total = self.sum_axes(e, rank - 1, rank)?;
        self.div(e, total)
    }

    /// `x − ln Σeˣ` over the last axis.
    pub fn log_softmax(&mut self, x: Var) -> Built {
        let rank = self.shape(x).len();
        let shifted = self.shifted_row(x)?;
        let e = self.unary(Fn1::Exp, shifted)?;
        let total = self.sum_axes(e, rank - 1, rank)?;
        let log = self.unary(Fn1::Ln, total)?;
        self.sub(shifted, log)
    }
}
