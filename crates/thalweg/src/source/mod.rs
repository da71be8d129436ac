//! Where samples come from: anything that gives rows by their numbers.

mod preprocessed;

pub use preprocessed::Preprocessed;

use crate::data::augment::Mixed;
use crate::data::{Affine, Task};

/// What samples are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Training: a source may change its samples at random, as a pure function of its seed, the epoch and the sample.
    Train {
        /// passes over the training samples that were completed before
        epoch: u64,
    },
    /// Measuring and answering: samples as they are.
    Measure,
}

/// Why a source could not give its rows.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Samples by their numbers, from 0 to [`Source::len`].
///
/// Every worker of a training step pulls the rows of its own part of the batch, straight into the memory in which the
/// step runs, so a source is asked from several threads at once. What it gives may depend on the sample and the pass and on
/// nothing else; then a run has the same bits for any number of threads and after any interruption.
pub trait Source: Send + Sync {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one sample; images are `[height, width, channels]`.
    fn input_shape(&self) -> &[usize];

    /// What the targets are, which also says how many numbers there are for a sample.
    fn task(&self) -> &Task;

    /// Writes the inputs of `samples` to `out`, `[samples.len(), input_shape..]`, as the model is to see them.
    ///
    /// # Errors
    /// Whatever keeps a row from being read; the step that asked for it is not made.
    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError>;

    /// Writes the targets of `samples` to `out`, `[samples.len(), n_targets]`: class indices, or numbers in their own
    /// unit.
    ///
    /// # Errors
    /// As for [`Source::inputs`].
    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError>;

    /// The map from numbers in their own unit to those that the model learns, such as a standardization; none by
    /// default. Figures are in the targets' own unit.
    fn target_map(&self) -> Option<&Affine> {
        None
    }

    /// Whether training mixes samples, so that a loss has two targets; false by default.
    fn mixes(&self) -> bool {
        false
    }

    /// What a sample is mixed with in an epoch of training; by default itself alone. [`Source::inputs`] does the mixing.
    fn mixed(&self, sample: u32, _epoch: u64) -> Mixed {
        Mixed { partner: sample, own: 1.0 }
    }
}
