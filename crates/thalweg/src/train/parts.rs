//! The parts of the data of a run: what is trained on and what is measured.

use std::sync::Arc;

use super::choice::Split;
use crate::source::Source;

/// Samples of one part of the data: some or all of a source.
#[derive(Clone)]
pub(super) struct Samples {
    pub source: Arc<dyn Source>,
    /// their numbers in the source
    pub numbers: Vec<u32>,
}

/// What is trained on and what is measured.
#[derive(Clone)]
pub(super) struct Parts {
    pub train: Samples,
    pub valid: Samples,
    pub test: Samples,
}

impl Parts {
    pub fn of(&self, part: Split) -> &Samples {
        match part {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    /// The part that a finished run is judged by: the test part, or the next best that has samples.
    #[cfg(feature = "runs")]
    pub fn to_judge(&self) -> Split {
        let all = [Split::Test, Split::Valid, Split::Train];
        all.into_iter().find(|part| !self.of(*part).numbers.is_empty()).unwrap_or(Split::Train)
    }
}
