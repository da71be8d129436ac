//! Losses: each gives one number a sample, `[batch]`, and the mean over the batch.
//!
//! Formulas are PyTorch's. The mean of cross entropy with class weights divides by the sum of the weights of the
//! batch's labels.

use super::unary::Fn1;
use crate::error::Fault;
use crate::graph::{Built, Graph, Var};
use crate::ops::binary::Fn2;

/// A loss of every sample, and of the batch.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// `[batch]`
    pub each: Var,
    /// a single number, the one whose gradient trains
    pub mean: Var,
}

/// Options of cross entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossEntropy {
    /// label smoothing ε in [0, 1]: the target becomes `(1 − ε)·one-hot + ε/K`
    pub smoothing: f32,
    /// a weight for every class, `[K]`
    pub weights: Option<Var>,
}

impl Graph {
    /// Cross entropy of `logits: [batch, K]` with class indices `labels: [batch]`.
    pub fn cross_entropy(&mut self, logits: Var, labels: Var, options: CrossEntropy) -> Built<Loss> {
        let shape = self.shape(logits).clone();
        let eps = options.smoothing;
        if !(0.0..=1.0).contains(&eps) {
            let fault = Fault::Range { key: "smoothing", range: "between 0 and 1", value: f64::from(eps) };
            return Err(self.error("cross_entropy", fault));
        }
        if shape.len() != 2 {
            return Err(self.error("cross_entropy", Fault::Rank { expected: "2", got: shape }));
        }
        let hot = self.one_hot(labels, shape[1])?;
        let mut target = self.scale(hot, 1.0 - eps)?;
        if eps > 0.0 {
            target = self.shift(target, eps / shape[1] as f32)?;
        }
        if let Some(w) = options.weights {
            target = self.mul(target, w)?;
        }
        let log = self.log_softmax(logits)?;
        let product = self.mul(target, log)?;
        let row = self.sum_axes(product, 1, 2)?;
        let row = self.unary(Fn1::Neg, row)?;
        let each = self.reshape(row, [shape[0]])?;
        let mean = match options.weights {
            None => self.mean(each)?,
            Some(w) => {
                let picked = self.mul(hot, w)?;
                let divisor = self.sum(picked)?;
                let sum = self.sum(each)?;
                self.div(sum, divisor)?
            }
        };
        Ok(Loss { each, mean })
    }

    /// Mean over all axes but the batch, and the mean of that.
    fn averaged(&mut self, per_element: Var) -> Built<Loss> {
        let shape = self.shape(per_element).clone();
        let rows = if shape.len() > 1 { self.mean_axes(per_element, 1, shape.len())? } else { per_element };
        let each = self.reshape(rows, [shape.first().copied().unwrap_or(1)])?;
        Ok(Loss { each, mean: self.mean(each)? })
    }

    fn difference(&mut self, op: &'static str, x: Var, target: Var) -> Built {
        let (expected, got) = (self.shape(x).clone(), self.shape(target).clone());
        if expected != got {
            return Err(self.error(op, Fault::Expected { what: "the target", expected, got }));
        }
        self.sub(x, target)
    }

    /// Binary cross entropy with logits: `softplus(z) − z·y`, for `y` in [0, 1] shaped like `z`.
    pub fn bce_with_logits(&mut self, logits: Var, target: Var) -> Built<Loss> {
        self.difference("bce_with_logits", logits, target)?;
        let s = self.softplus(logits)?;
        let product = self.mul(logits, target)?;
        let loss = self.sub(s, product)?;
        self.averaged(loss)
    }

    /// Mean squared error.
    pub fn mse(&mut self, x: Var, target: Var) -> Built<Loss> {
        let d = self.difference("mse", x, target)?;
        let square = self.unary(Fn1::Square, d)?;
        self.averaged(square)
    }

    /// Mean absolute error.
    pub fn l1(&mut self, x: Var, target: Var) -> Built<Loss> {
        let d = self.difference("l1", x, target)?;
        let a = self.unary(Fn1::Abs, d)?;
        self.averaged(a)
    }

    /// Huber's loss: `½d²` up to `|d| = δ`, then `δ(|d| − ½δ)` (Huber 1964).
    pub fn huber(&mut self, x: Var, target: Var, delta: f32) -> Built<Loss> {
        let d = self.difference("huber", x, target)?;
        let a = self.unary(Fn1::Abs, d)?;
        let limit = self.constant(delta, [])?;
        let capped = self.binary(Fn2::Min, a, limit)?;
        let half = self.scale(capped, 0.5)?;
        let rest = self.sub(a, half)?;
        let loss = self.mul(capped, rest)?;
        self.averaged(loss)
    }
}
