//! A summary of a data set: shape, classes, ranges, missing values, origin.

use serde::Serialize;

use super::moments::moments;
use super::{Dataset, Origin, Task, Values};

/// What [`Dataset::info`] tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataInfo {
    /// Short name.
    pub name: String,
    /// Where the data come from.
    pub origin: Origin,
    /// Number of samples.
    pub samples: usize,
    /// Shape of one sample.
    pub input_shape: Vec<usize>,
    /// `f32`, or `u8` for bytes that are read as b / 255.
    pub stored_as: &'static str,
    /// Bytes in memory.
    pub bytes: usize,
    /// What the targets are.
    pub task: Task,
    /// Number of samples of each class; empty for numbers as targets.
    pub class_counts: Vec<usize>,
    /// Samples that the source sets aside for validation.
    pub fixed_valid: usize,
    /// Samples that the source sets aside for testing.
    pub fixed_test: usize,
    /// All inputs together.
    pub all_inputs: FeatureInfo,
    /// Each input of a table; empty for images and arrays.
    pub features: Vec<FeatureInfo>,
    /// Each target, for numbers.
    pub targets: Vec<FeatureInfo>,
    /// Inputs that are the same in all samples.
    pub constant: usize,
    /// Values that were missing.
    pub missing: usize,
    /// Remarks: what was filled, dropped or guessed.
    pub notes: Vec<String>,
}

/// Range and moments of one input or target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureInfo {
    /// Name.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (divided by n).
    pub std: f64,
    /// Values that were missing.
    pub missing: usize,
}

impl Dataset {
    /// Summarises the set. Cost: one or two passes over all inputs.
    pub fn info(&self) -> DataInfo {
        let all: Vec<u32> = (0..self.len() as u32).collect();
        let m = moments(self, &all);
        let whole = m.grouped(1, |_| 0);
        let width = self.n_inputs();
        let mut missing = vec![0; width];
        self.missing.iter().for_each(|i| missing[i % width] += 1);
        let feature = |m: &super::moments::Moments, i: usize, name: String, missing| FeatureInfo {
            name,
            min: m.min[i],
            max: m.max[i],
            mean: m.mean[i],
            std: m.variance[i].sqrt(),
            missing,
        };
        let targets = match &self.task {
            Task::Regression { targets } if self.has_targets() => {
                let m = super::moments::of_numbers(&self.targets, targets.len().max(1), &all);
                targets.iter().enumerate().map(|(i, name)| feature(&m, i, name.clone(), 0)).collect()
            }
            _ => Vec::new(),
        };
        let (stored_as, size) = match self.inputs {
            Values::F32(_) => ("f32", 4),
            Values::U8(_) => ("u8", 1),
        };
        let named = self.features.iter().enumerate();
        DataInfo {
            name: self.name.clone(),
            origin: self.origin.clone(),
            samples: self.len(),
            input_shape: self.input_shape.clone(),
            stored_as,
            bytes: self.len() * width * size + self.targets.len() * 4,
            task: self.task.clone(),
            class_counts: self.class_counts(0..self.len()),
            fixed_valid: self.fixed_valid.as_ref().map_or(0, ExactSizeIterator::len),
            fixed_test: self.fixed_test.as_ref().map_or(0, ExactSizeIterator::len),
            all_inputs: feature(&whole, 0, "all inputs".into(), self.missing.len()),
            features: named.map(|(i, name)| feature(&m, i, name.clone(), missing[i])).collect(),
            targets,
            constant: (0..width).filter(|&i| m.min[i] == m.max[i]).count(),
            missing: self.missing.len(),
            notes: self.notes.clone(),
        }
    }
}
