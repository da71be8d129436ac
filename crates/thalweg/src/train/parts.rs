//! The parts of the data of a run: what is trained on and what is measured.

use std::sync::Arc;

use super::choice::Split;
use super::error::TrainError;
use crate::source::Source;

/// Samples of one part of the data: some or all of a source.
#[derive(Clone)]
pub(super) struct Samples {
    pub source: Arc<dyn Source>,
    /// their numbers in the source
    pub numbers: Vec<u32>,
}

impl Samples {
    /// Where samples have weights, the power of two that brings their mean near 1, whatever their unit.
    ///
    /// # Errors
    /// [`TrainError::NoWeight`] where no sample counts.
    fn weight_factor(&self, part: Split) -> Result<Option<f64>, TrainError> {
        let n = self.numbers.len();
        if !self.source.is_weighted() || n == 0 {
            return Ok(None);
        }
        let weights = || self.numbers.iter().map(|i| self.source.weight(*i));
        if !weights().any(|w| w > 0.0) {
            return Err(TrainError::NoWeight { part, n });
        }
        let mean: f64 = weights().map(|w| w / n as f64).sum();
        Ok(Some(libm::scalbn(1.0, -libm::ilogb(mean).clamp(-1000, 1000))))
    }
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

    /// What training multiplies the weights of samples by, where they have any.
    ///
    /// # Errors
    /// [`TrainError::NoWeight`] where no sample of the training part counts, or none of the validation part, by which
    /// the best weights are chosen.
    pub fn weight_factor(&self) -> Result<Option<f64>, TrainError> {
        let factor = self.train.weight_factor(Split::Train)?;
        self.valid.weight_factor(Split::Valid)?;
        Ok(factor)
    }

    /// The part that a finished run is judged by: the test part, or the next best that has samples.
    #[cfg(feature = "runs")]
    pub fn to_judge(&self) -> Split {
        let all = [Split::Test, Split::Valid, Split::Train];
        all.into_iter().find(|part| !self.of(*part).numbers.is_empty()).unwrap_or(Split::Train)
    }
}
