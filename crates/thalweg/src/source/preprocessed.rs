//! A data set with its preprocessing and augmentation, as a source of samples.

use std::sync::Arc;

use super::{Head, Pass, Source, SourceError, copy_rows, copy_targets};
use crate::data::augment::{Mixed, Pipeline};
use crate::data::{Affine, Dataset, TableSchema};

/// A data set with its preprocessing, and in training its augmentation.
#[derive(Clone, Debug)]
pub struct Preprocessed {
    set: Arc<Dataset>,
    inputs: Affine,
    heads: Vec<Head>,
    /// targets of each of several heads, `[n, n_targets]`; none where the set's own are the only ones
    targets: Vec<Arc<[f32]>>,
    augment: Option<Pipeline>,
}

impl Preprocessed {
    /// A set whose inputs and numbers as targets are mapped; [`crate::data::fit`] and [`crate::data::fit_targets`] make
    /// such maps.
    pub fn new(set: Arc<Dataset>, inputs: Affine, targets: Affine) -> Self {
        let map = (!targets.is_identity()).then_some(targets);
        let offsets = set.schema.as_ref().map_or_else(Vec::new, TableSchema::target_offsets);
        let heads = vec![Head { map, offsets, ..Head::only(set.task.clone()) }];
        Preprocessed { set, inputs, heads, targets: Vec::new(), augment: None }
    }

    /// The same with several heads, each with its targets, `[n, n_targets]`, in place of the set's own.
    pub fn with_heads(self, heads: Vec<Head>, targets: Vec<Arc<[f32]>>) -> Self {
        Preprocessed { heads, targets, ..self }
    }

    /// The same with random changes in training.
    pub fn augmented(self, augment: Option<Pipeline>) -> Self {
        Preprocessed { augment, ..self }
    }

    /// The data set itself.
    pub fn set(&self) -> &Dataset {
        &self.set
    }
}

impl Source for Preprocessed {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.set.input_shape
    }

    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn make_ready(&self, samples: &[u32], later: &[u32]) -> Result<(), SourceError> {
        Ok(self.set.make_ready(samples, later)?)
    }

    fn inputs(&self, samples: &[u32], pass: Pass, out: &mut [f32]) -> Result<(), SourceError> {
        match (&self.augment, pass) {
            (Some(pipeline), Pass::Train { epoch }) => {
                Ok(pipeline.gather(&self.set, samples, epoch, &self.inputs, out)?)
            }
            _ => Ok(self.set.gather(samples, &self.inputs, out)?),
        }
    }

    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        match self.targets.is_empty() {
            true => copy_rows(&self.set.targets, self.set.n_targets(), samples, out),
            false => copy_targets(&self.heads, &self.targets, samples, out),
        }
        Ok(())
    }

    fn is_weighted(&self) -> bool {
        self.set.weights.is_some()
    }

    fn weight(&self, sample: u32) -> f64 {
        self.set.weights.as_ref().and_then(|weights| weights.get(sample as usize)).copied().unwrap_or(1.0)
    }

    fn mixes(&self) -> bool {
        self.augment.as_ref().is_some_and(Pipeline::mixes)
    }

    fn partners(&self) -> Vec<u32> {
        self.augment.as_ref().map_or_else(Vec::new, |pipeline| pipeline.partners().to_vec())
    }

    fn mixed(&self, sample: u32, epoch: u64) -> Mixed {
        match &self.augment {
            Some(pipeline) => pipeline.mixed(sample, epoch),
            None => Mixed { partner: sample, own: 1.0 },
        }
    }
}
