//! What can stop a training run.

use std::path::PathBuf;

use engine::{Fault, GraphError};
use record::RecordError;

use super::choice::Split;
use super::memory::Need;
use crate::config::{ConfigError, Memory};
use crate::data::DataError;
use crate::losses::LossError;
use crate::model::ModelError;
#[cfg(feature = "runs")]
use crate::model::weights::WeightsError;
use crate::optim::RecipeError;
use crate::registry::OutOfRange;
use crate::schedule::ScheduleError;
use crate::source::SourceError;

/// Why a run did not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A layer at this batch size.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The run folder.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A weights file or a checkpoint.
    #[cfg(feature = "runs")]
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The config.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// A number out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A source of samples that cannot give them.
    #[error("cannot read samples: {0}")]
    Source(SourceError),
    /// A loss that is not finite.
    #[error("loss became {loss} at step {step}; first bad tensor is {culprit}")]
    NonFinite {
        /// its value
        loss: f32,
        /// the step that was not made, from 1
        step: u64,
        /// where the first value that is not finite stands, in words
        culprit: String,
    },
    /// An optimizer, or what goes around it.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A loss that the targets do not suit.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// A number of samples that nothing can be learned from.
    #[error("the training data have no samples")]
    NoSamples,
    /// Weights that let no sample count.
    #[error("all {n} samples of the {} part have the weight 0, so it has no loss", part.long())]
    NoWeight {
        /// the training part, or the validation part
        part: Split,
        /// its samples
        n: usize,
    },
    /// Heads that cannot be told apart, or a head that there is not.
    #[error("{problem}")]
    Heads {
        /// what is wrong, with the names
        problem: String,
        /// what to type instead, where that is not plain from the problem
        hint: Option<String>,
    },
    /// A metric that the run does not measure.
    #[error("`save.best` names `{name}`, which this run does not measure")]
    Metric {
        /// the name
        name: String,
        /// those that it measures
        known: Vec<String>,
    },
    /// The last batch of an epoch cannot be trained on.
    #[error("{n_train} training samples in batches of {batch} make a batch of 1, and {error}")]
    LastBatch {
        /// training samples
        n_train: usize,
        /// batch size
        batch: usize,
        /// what the layer says
        error: GraphError,
    },
    /// More memory than there is.
    #[error(
        "the run needs {} of memory, which is not available: {} for data, {} for weights and the optimizer's state, \
         {} for batches, {} for answers",
        gib(need.total()), gib(need.data), gib(need.state), gib(need.programs), gib(need.answers)
    )]
    Memory {
        /// what for
        need: Need,
    },
    /// More memory than the run may take.
    #[error(
        "the run takes {} of memory, more than the {} of `data.memory`: the program has {} now, and there come {} for \
         samples, {} for weights and the optimizer's state, {} for batches, {} for answers",
        mib(need.process(*resident)), Memory(*memory), mib(*resident), mib(need.window), mib(need.state),
        mib(need.programs), mib(need.answers)
    )]
    Budget {
        /// what for
        need: Need,
        /// bytes that the process has
        resident: usize,
        /// bytes that it may have
        memory: usize,
    },
    /// A checkpoint without its state.
    #[error("the checkpoint has no training state ({what}): {}", path.display())]
    NoState {
        /// what is missing
        what: &'static str,
        /// the file
        path: PathBuf,
    },
    /// A checkpoint whose state does not read.
    #[error("the checkpoint's training state is damaged: {problem}: {}", path.display())]
    BrokenState {
        /// what the reader says
        problem: String,
        /// the file
        path: PathBuf,
    },
    /// A state that is not one of the trainer that is to go on from it.
    #[error("the state does not fit the trainer: {problem}")]
    State {
        /// what is wrong, with got and expected
        problem: String,
    },
    /// A setting that a resumed run cannot change.
    #[error("`{key}` cannot change when a run is resumed")]
    Changed {
        /// the key
        key: String,
    },
    /// One of several runs is further than all are to go.
    #[error("`{run}` has already done {epochs} epochs and {steps} steps")]
    Ahead {
        /// its name
        run: String,
        /// epochs that it did
        epochs: u64,
        /// steps that it did
        steps: u64,
    },
    /// The run's own data are others than when it was trained: a new split would mix training and test samples.
    #[error("the data have changed since the run began: checksum {now:08x}, expected {then:08x}: {data}")]
    DataChanged {
        /// checksum of the run
        then: u32,
        /// checksum now
        now: u32,
        /// weights to train on from; none where they were to be measured
        weights: Option<PathBuf>,
        /// the run's key `data`
        asked: String,
        /// where the data are
        data: String,
    },
    /// New data differ from those that the model was trained on.
    #[error("the model takes samples of shape {expected:?}, the data has {got:?}")]
    SampleShape {
        /// the model's
        expected: Vec<usize>,
        /// the data's
        got: Vec<usize>,
    },
    /// Samples are mixed with others whose targets are not to be had.
    #[error(
        "samples are mixed with {n_partners} others, but {n_foreign} of these are not among the {n_samples} training samples"
    )]
    Partners {
        /// samples that others are mixed with
        n_partners: usize,
        /// those of them that the source does not have
        n_foreign: usize,
        /// samples of the source
        n_samples: usize,
    },
    /// New data have other targets.
    #[error("the model gives {expected} values, the data has {got} classes or targets")]
    Targets {
        /// the model's
        expected: usize,
        /// the data's
        got: usize,
    },
    /// Temperature and threshold cannot be chosen, or used.
    #[error("{problem}")]
    Calibration {
        /// why
        problem: &'static str,
        /// what to type
        hint: &'static str,
    },
    /// Data without targets cannot be evaluated.
    #[error("the data has no targets to compare with")]
    NoTargets,
    /// A run whose data came from standard input, which is not kept.
    #[error("the data of this run came from standard input and cannot be read again")]
    StandardInput,
}

impl From<ConfigError> for TrainError {
    fn from(error: ConfigError) -> Self {
        TrainError::Config(Box::new(error))
    }
}

impl TrainError {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            TrainError::Data(e) => Some(e.hint()),
            TrainError::Model(e) => e.hint(),
            TrainError::Record(e) => e.hint(),
            #[cfg(feature = "runs")]
            TrainError::Weights(e) => Some(e.hint()),
            TrainError::Config(e) => Some(e.hint()),
            TrainError::OutOfRange(e) => Some(e.hint()),
            TrainError::Schedule(e) => Some(e.hint()),
            TrainError::Recipe(e) => Some(e.hint()),
            TrainError::Graph(GraphError { fault: Fault::Memory { .. }, .. }) => {
                Some("a smaller `batch` and `eval_batch`, smaller images, or less padding".into())
            }
            TrainError::Memory { need } => Some(less_memory(need)),
            TrainError::Graph(GraphError {
                fault: Fault::TooLarge { .. } | Fault::Padded { .. }, ..
            }) => Some("a smaller `batch` and `eval_batch`, fewer channels, or less padding".into()),
            TrainError::Graph(GraphError { fault: Fault::NoLayer { nearest, .. }, .. }) => {
                (!nearest.is_empty()).then(|| format!("did you mean `{nearest}`?"))
            }
            TrainError::Graph(_) => Some("a larger `batch`, or layers that fit together".into()),
            TrainError::Source(_) => None,
            TrainError::Budget { need, resident, .. } => Some(more_memory(need, *resident)),
            TrainError::NonFinite { .. } => Some("a smaller `lr`, or `clip_norm=1`".into()),
            TrainError::Loss(e) => e.hint(),
            TrainError::NoSamples => None,
            TrainError::NoWeight { part, .. } => Some(other_weights(*part).into()),
            TrainError::Heads { hint, .. } => hint.clone(),
            TrainError::Metric { known, .. } => Some(format!("`save.best` may be {}", known.join(", "))),
            TrainError::LastBatch { n_train, .. } if *n_train < 2 => {
                Some("take more samples, or a model without batch norm: `model.batch_norm=false`".into())
            }
            TrainError::LastBatch { n_train, batch, .. } => {
                Some(format!("another batch size, for example `batch={}`", whole_batch(*n_train, *batch)))
            }
            TrainError::NoState { .. } => {
                Some("resume from `checkpoints/last.safetensors` of a run folder".into())
            }
            TrainError::BrokenState { .. } => Some("copy the file again, or start a new run".into()),
            TrainError::State { .. } => {
                Some("restore the `state` of a trainer of the same model and optimizer".into())
            }
            TrainError::Changed { .. } => {
                Some("start from the weights instead: `init_from=RUN/checkpoints/best.safetensors`".into())
            }
            TrainError::Ahead { epochs, .. } => {
                Some(format!("ask for more, such as `epochs={}`", 2 * epochs.max(&1)))
            }
            TrainError::DataChanged { weights: Some(weights), .. } => {
                Some(format!("train on the data as they are now: `init_from={}`", weights.display()))
            }
            TrainError::DataChanged { asked, .. } => {
                Some(format!("evaluate on the data as they are now, like on any other data: `data={asked}`"))
            }
            TrainError::SampleShape { expected, got } if expected.len() == 3 && got.len() == 3 => {
                let keys = image_keys(expected, got);
                Some(format!("`{keys}` does this for image files; arrays need to have that shape"))
            }
            TrainError::SampleShape { .. } | TrainError::Targets { .. } => {
                Some("use data with the same columns, or train a model on this data".into())
            }
            TrainError::Calibration { hint, .. } => Some((*hint).to_owned()),
            TrainError::NoTargets => Some("predictions need no targets".into()),
            TrainError::StandardInput => Some(
                "keep the data in a file: `thalweg eval RUN data=FILE`, or train again with `data=FILE`"
                    .into(),
            ),
            TrainError::Partners { .. } => Some(
                "give `Pipeline::new` the numbers that `Subset::new` has: \
                 `Pipeline::new(&augment, &set, &numbers, seed)`"
                    .into(),
            ),
        }
    }
}

impl TrainError {
    /// What kept a source from giving its samples: an error of the data as such.
    pub(super) fn of_source(error: SourceError) -> Self {
        match error.downcast::<DataError>() {
            Ok(error) => TrainError::Data(*error),
            Err(error) => TrainError::Source(error),
        }
    }
}

/// What to type where no sample of a part counts.
fn other_weights(part: Split) -> &'static str {
    match part {
        Split::Valid => {
            "`data.valid=0` chooses the best epoch by the training loss; `data.weight=NAME` chooses another column"
        }
        _ => {
            "`data.weight=NAME` chooses another column; `data.drop=NAME` in its place leaves out the weights"
        }
    }
}

/// The batch size next to one that leaves a single sample over, and that leaves none; if there is one, none of other
/// folds either, which have a sample more or less.
fn whole_batch(n_train: usize, batch: usize) -> usize {
    let leaves_one = |n: usize, b: usize| n % b == 1;
    let fits = |b: &usize| !leaves_one(n_train, *b);
    let fits_all = |b: &usize| (n_train.saturating_sub(2)..=n_train + 2).all(|n| !leaves_one(n, *b));
    let below = || (2..batch).rev();
    let above = || batch.max(2)..=n_train;
    let found = below().find(fits_all).or_else(|| above().find(fits_all));
    found.or_else(|| below().find(fits)).or_else(|| above().find(fits)).unwrap_or(n_train)
}

/// How much a run must be allowed to take.
fn more_memory(need: &Need, resident: usize) -> String {
    format!("allow more, `data.memory=\"{}\"`, or take smaller batches", Memory(need.least(resident)))
}

/// What takes less memory.
fn less_memory(need: &Need) -> String {
    match need.total() / 2 {
        half if need.state > half => "narrower layers, or `optimizer=sgd`, which has no state".into(),
        half if need.answers > half => "fewer classes, or a smaller test part: `data.test=1000`".into(),
        _ => smaller_batches(need),
    }
}

/// What takes less memory where batches take the most of it.
fn smaller_batches(need: &Need) -> String {
    match (need.batch, need.eval_batch) {
        (1, 1) => "narrower layers, smaller images, or less padding".into(),
        _ => {
            let [batch, eval] = need.batches_that_fit();
            format!("smaller batches: `batch={batch} eval_batch={eval}`")
        }
    }
}

/// `24 MiB`
fn mib(bytes: usize) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// `1.5 GiB`
fn gib(bytes: usize) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

/// What brings images `[H, W, C]` of another shape to the one expected.
fn image_keys(expected: &[usize], got: &[usize]) -> String {
    let size = match expected[..2] {
        _ if expected[..2] == got[..2] => None,
        [h, w] if h == w => Some(format!("data.size={h}")),
        _ => Some(format!("data.size=[{},{}]", expected[0], expected[1])),
    };
    let color = match expected[2] {
        n if n == got[2] => None,
        1 => Some("data.color=gray".to_owned()),
        _ => Some("data.color=rgb".to_owned()),
    };
    size.into_iter().chain(color).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_batch_leaves_no_single_sample() {
        for n in 2..60 {
            for batch in (1..n).filter(|batch| n % batch == 1 || *batch == 1) {
                let other = whole_batch(n, batch);
                assert!((2..=n).contains(&other) && n % other != 1, "{n} in batches of {batch}: {other}");
            }
        }
    }

    #[test]
    fn images_of_another_shape_are_told_the_keys() {
        let keys = |expected: [usize; 3], got: [usize; 3]| image_keys(&expected, &got);
        assert_eq!(keys([16, 16, 3], [20, 16, 3]), "data.size=16");
        assert_eq!(keys([16, 24, 3], [24, 16, 3]), "data.size=[16,24]");
        assert_eq!(keys([16, 16, 1], [16, 16, 3]), "data.color=gray");
        assert_eq!(keys([16, 16, 3], [8, 8, 1]), "data.size=16 data.color=rgb");
        let hint = |expected: &[usize], got: &[usize]| {
            TrainError::SampleShape { expected: expected.into(), got: got.into() }.hint().unwrap()
        };
        assert!(hint(&[16, 16, 3], &[8, 8, 3]).starts_with("`data.size=16` "));
        assert!(hint(&[4], &[5]).contains("same columns"));
    }
}
