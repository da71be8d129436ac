//! `summary.json`: how a run went, in figures.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::metrics::Metrics;

/// How a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Going on, or killed before it could say otherwise ([`crate::RunDir::is_live`] tells).
    #[default]
    Running,
    /// All epochs done, or stopped early on purpose.
    Done,
    /// Stopped by the user; can be resumed.
    Interrupted,
    /// Stopped at a loss or weight that is not finite; the last good state is kept.
    Diverged,
}

/// Whether the main metric should be large or small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Larger is better: accuracy, R².
    #[default]
    Max,
    /// Smaller is better: loss, RMSE.
    Min,
}

/// Figures after one epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Epochs done.
    #[serde(default)]
    pub epoch: u64,
    /// Steps done.
    #[serde(default)]
    pub step: u64,
    /// `train_loss`, `valid_loss`, `valid_accuracy`, `test_accuracy` and the like.
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// How many samples each split has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    /// Seen by the optimizer.
    pub train: u64,
    /// Used to choose the best epoch.
    pub valid: u64,
    /// Looked at once, at the end.
    pub test: u64,
}

/// All of `summary.json`. Keys that are missing read as their default, keys that are unknown are passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// How the run stands.
    pub status: Status,
    /// Why, in words, where the status needs it: `loss became NaN at step 1204; first bad tensor is ...`.
    pub reason: Option<String>,
    /// The data's name or path.
    pub data: String,
    /// The model's name.
    pub model: String,
    /// `classification` or `regression`.
    pub task: String,
    /// The metric that decides, without its split: `accuracy`, `r2`.
    pub metric: String,
    /// Which way the metric should go.
    pub goal: Goal,
    /// Steps done.
    pub steps: u64,
    /// Epochs done.
    pub epochs: u64,
    /// Epochs asked for; 0 where the run was bounded by steps.
    pub epochs_planned: u64,
    /// Seconds of training, over all resumptions.
    pub seconds: f64,
    /// Training samples per second, evaluation and checkpoints included.
    pub samples_per_second: f64,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Samples per split.
    pub samples: Samples,
    /// The epoch with the best validation metric.
    pub best: Option<Figures>,
    /// The last epoch; `final` in the file.
    #[serde(rename = "final")]
    pub last: Option<Figures>,
    /// Seed of everything random.
    pub seed: u64,
    /// Shards a batch is cut into; with the seed it defines the numbers.
    pub shards: usize,
    /// Threads used; they do not change the numbers.
    pub threads: usize,
    /// The most bytes of memory that the process had so far, of a run that was told how many it may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// SHA-256 of the last weights' bytes, in hexadecimal.
    pub weights_sha256: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Where it ran.
    pub machine: Machine,
}

impl Summary {
    /// The main figure, from the best split there is: the test split's, else the validation's, else the training's,
    /// with its full name. Of the best epoch; of the last only where no best is known. Where R² is undefined in a part,
    /// its root mean square error stands for it.
    ///
    /// ```
    /// use record::{Figures, Summary};
    /// let mut s = Summary { metric: "accuracy".into(), ..Summary::default() };
    /// let metrics = [("valid_accuracy", 0.9), ("test_accuracy", 0.8)].into();
    /// s.best = Some(Figures { epoch: 3, step: 30, metrics });
    /// assert_eq!(s.headline(), Some(("test_accuracy".into(), 0.8)));
    /// ```
    pub fn headline(&self) -> Option<(String, f64)> {
        let figures = self.best.as_ref().or(self.last.as_ref())?;
        let instead = (self.metric == "r2").then_some("rmse");
        let metrics = || std::iter::once(self.metric.as_str()).chain(instead);
        let splits = ["test", "valid", "train"].iter();
        let mut names = splits.flat_map(|split| metrics().map(move |metric| format!("{split}_{metric}")));
        names.find_map(|name| {
            let value = figures.metrics.get(&name).filter(|value| value.is_finite())?;
            Some((name, value))
        })
    }
}
