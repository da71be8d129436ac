//! Batch normalization: every channel is centered and scaled by the batch's statistics, later by their running
//! averages.

use super::Layer;
use crate::init::{Constant, Zeros};
use crate::model::{Builder, Norms};
use engine::Fault;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: BatchNorm::NAME,
    summary: "centers and scales every channel over the batch",
    formula: "y = γ·(x − mean)/√(var + ε) + β; running ← (1 − momentum)·running + momentum·batch",
    source: "Ioffe and Szegedy, Batch normalization, ICML 2015, arxiv.org/abs/1502.03167; as in PyTorch momentum is the \
             share of the new value (Keras: of the old), and the running variance is unbiased",
    keys: BatchNorm::KEYS,
};

/// Of what is added to a variance.
pub(super) const EPS: Range = Range::AtLeast(1e-12);

settings! {
    /// x: [B, C] or [B, .., C] -> the same shape; the channels are the last axis.
    ///
    /// Training normalizes by the batch's mean and *biased* variance and moves `running_mean`, `running_var` (of the
    /// *unbiased* variance, n/(n−1) times as large) towards them; evaluation uses those two. Parameters `weight` (γ,
    /// starts at 1) and `bias` (β, starts at 0), `[C]` each. PyTorch's `num_batches_tracked` only matters without a
    /// momentum; its `load_state_dict` does not ask for it in a safetensors file, so it is neither written nor needed.
    ///
    /// # Errors
    /// In training with one value per channel: its variance would be 0, whatever the value.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct BatchNorm of "batch_norm" {
        /// share of the batch's statistics in the running averages
        pub momentum: f64 = 0.1, in Range::Within(0.0, 1.0);
        /// added to the variance
        pub eps: f64 = 1e-5, in EPS;
    }
}

impl BatchNorm {
    /// x: [.., C] -> [.., C]
    fn normalize(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let channels = b.shape(x).last_dim();
        let gamma = b.param("weight", [channels], Constant { value: 1.0 })?;
        let beta = b.param("bias", [channels], Zeros {})?;
        let mean = b.buffer("running_mean", [channels], 0.0)?;
        let variance = b.buffer("running_var", [channels], 1.0)?;
        let eps = self.eps as f32;
        if b.behavior().norms == Norms::Running {
            return b.batch_norm_fixed(x, [mean.0, variance.0], gamma, beta, eps);
        }
        let n = b.shape(x).numel() / channels.max(1);
        if n < 2 {
            let (key, range) = ("values per channel", "more than 1 in training");
            return Err(b.error(ENTRY.name, Fault::Range { key, range, value: n as f64 }));
        }
        let batch = b.batch_norm(x, gamma, beta, eps)?;
        self.track(b, mean, batch.mean, 1.0)?;
        self.track(b, variance, batch.variance, n as f64 / (n - 1) as f64)?;
        Ok(batch.y)
    }

    /// running ← (1 − momentum)·running + momentum·factor·batch
    fn track(
        &self,
        b: &mut Builder<'_>,
        (running, index): (Var, usize),
        batch: Var,
        factor: f64,
    ) -> Built<()> {
        let old = b.scale(running, (1.0 - self.momentum) as f32)?;
        let new = b.scale(batch, (self.momentum * factor) as f32)?;
        let next = b.add(old, new)?;
        b.assign(index, next)
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        if b.shape(x).len() < 2 {
            let got = b.shape(x).clone();
            return Err(b.error(ENTRY.name, Fault::Rank { expected: "at least 2", got }));
        }
        self.normalize(b, x)
    }

    fn describe(&self) -> String {
        if *self == Self::default() {
            return ENTRY.name.into();
        }
        format!("batch_norm(momentum {}, eps {:e})", self.momentum, self.eps)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
