//! Where samples come from: anything that gives rows by their numbers.

mod arrays;
mod preprocessed;
mod subset;

pub use arrays::Arrays;
pub use preprocessed::Preprocessed;
pub use subset::Subset;

use std::ops::Range;

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

/// What a model is to tell of a sample: all of it, or one answer of several, each with columns of its own among the
/// model's outputs and among the targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Such as `color`; empty where there is one head.
    pub name: String,
    /// What its targets are, which also says how many numbers there are for a sample.
    pub task: Task,
    /// The map from numbers in their own unit to those that the model learns, such as a standardization. Figures are
    /// in the targets' own unit.
    pub map: Option<Affine>,
    /// Whether targets may be missing: a sample whose target is NaN counts neither in this head's loss nor in its
    /// figures.
    pub may_miss: bool,
    /// What was taken in double precision from the numbers of each target before they became those of the source, which
    /// would lose their last digits otherwise; none where nothing was.
    pub offsets: Vec<f64>,
}

impl Head {
    /// The only head, none of whose targets are missing.
    pub fn only(task: Task) -> Self {
        Head { name: String::new(), task, map: None, may_miss: false, offsets: Vec::new() }
    }

    /// What was taken from the numbers of target `j`.
    pub fn offset(&self, j: usize) -> f64 {
        self.offsets.get(j).copied().unwrap_or(0.0)
    }

    /// A number that the model gave for target `j`, in the target's own unit, its offset aside: the map is taken back.
    pub fn own_unit(&self, j: usize, x: f32) -> f64 {
        self.map.as_ref().map_or(f64::from(x), |map| map.number(j, x))
    }
}

/// For each head its columns of a row that holds `width` numbers of each.
pub(crate) fn columns(heads: &[Head], width: impl Fn(&Task) -> usize) -> Vec<Range<usize>> {
    let mut at = 0;
    let mut next = |head: &Head| {
        let start = at;
        at += width(&head.task);
        start..at
    };
    heads.iter().map(&mut next).collect()
}

/// Numbers in a sample's targets, of all heads.
pub(crate) fn n_targets(heads: &[Head]) -> usize {
    heads.iter().map(|head| head.task.n_targets()).sum()
}

/// The columns of one head among a sample's targets.
pub(crate) fn target_columns(heads: &[Head], head: usize) -> Range<usize> {
    let start = n_targets(&heads[..head]);
    start..start + heads[head].task.n_targets()
}

/// Whether any number of a target is not known.
pub(crate) fn is_missing(target: &[f32]) -> bool {
    target.iter().any(|y| y.is_nan())
}

/// Copies rows of `values: [n, width]` to `out: [samples.len(), width]`.
pub(crate) fn copy_rows(values: &[f32], width: usize, samples: &[u32], out: &mut [f32]) {
    for (&i, out) in samples.iter().zip(out.chunks_exact_mut(width.max(1))) {
        out.copy_from_slice(&values[i as usize * width..][..width]);
    }
}

/// Copies targets, of each head `[n, n_targets]`, to the columns of `out: [samples.len(), n]`.
fn copy_targets(heads: &[Head], targets: &[impl AsRef<[f32]>], samples: &[u32], out: &mut [f32]) {
    let all = n_targets(heads).max(1);
    for (head, values) in targets.iter().enumerate() {
        let own = target_columns(heads, head);
        for (&i, row) in samples.iter().zip(out.chunks_exact_mut(all)) {
            row[own.clone()].copy_from_slice(&values.as_ref()[i as usize * own.len()..][..own.len()]);
        }
    }
}

/// Samples by their numbers, from 0 to [`Source::len`].
///
/// Every worker of a training step pulls the rows of its own part of the batch, straight into the memory in which the
/// step runs, so a source is asked from several threads at once. What it gives may depend on the sample and the pass
/// and on nothing else; then a run has the same bits for any number of threads and after any interruption.
pub trait Source: Send + Sync {
    /// Number of samples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one sample; images are `[height, width, channels]`.
    fn input_shape(&self) -> &[usize];

    /// What a model is to tell of a sample: one head, or several in the order of their columns.
    fn heads(&self) -> &[Head];

    /// Finds out, once before training, whether the source is whole; by default it is.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    /// Says which samples are read next, in any order, and which after them, so that a source that holds only some of
    /// its samples in memory can make them ready; by default nothing. A matter of speed: what is read may be any other.
    ///
    /// # Errors
    /// Whatever keeps them from being made ready.
    fn make_ready(&self, _samples: &[u32], _later: &[u32]) -> Result<(), SourceError> {
        Ok(())
    }

    /// Writes the inputs of `samples` to `out`, `[samples.len(), input_shape..]`, as the model is to see them.
    ///
    /// # Errors
    /// Whatever keeps a row from being read; the step that asked for it is not made.
    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError>;

    /// Writes the targets of `samples` to `out`, `[samples.len(), n]`, head by head: a class index each, or numbers in
    /// their own unit; NaN for those that are missing.
    ///
    /// # Errors
    /// As for [`Source::inputs`].
    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError>;

    /// Whether samples have weights; false by default.
    fn is_weighted(&self) -> bool {
        false
    }

    /// What a sample counts in a loss, beside the others: finite, 0 or more, and 1 by default. The loss of a batch is
    /// Σ wᵢ·lossᵢ / Σ wᵢ. Asked for where [`Source::is_weighted`] says so.
    fn weight(&self, _sample: u32) -> f64 {
        1.0
    }

    /// Whether training mixes samples, so that a loss has two targets; false by default.
    fn mixes(&self) -> bool {
        false
    }

    /// Numbers of all samples that others may be mixed with in training, each of them below [`Source::len`]; none by
    /// default. Asked for once before training, which refuses partners beyond: their targets are not to be had.
    fn partners(&self) -> Vec<u32> {
        Vec::new()
    }

    /// What a sample is mixed with in an epoch of training; by default itself alone. [`Source::inputs`] does the
    /// mixing, and the partner is one of [`Source::partners`].
    fn mixed(&self, sample: u32, _epoch: u64) -> Mixed {
        Mixed { partner: sample, own: 1.0 }
    }
}
