//! A summary of a data set: shape, classes, ranges, missing values, origin.

use std::fmt;

use serde::Serialize;

use super::error::size;
use super::moments::moments;
use super::{ColumnInfo, DataError, Dataset, Origin, Role, Task, Values};

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
    /// Where samples are streamed from, and how; none where they are in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streamed: Option<Streamed>,
    /// The columns of a table as the file has them; empty for images and arrays.
    pub columns: Vec<ColumnInfo>,
    /// Remarks: what was filled, dropped or guessed.
    pub notes: Vec<String>,
    /// What was lost.
    pub warnings: Vec<String>,
}

/// How samples are streamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Streamed {
    /// Bytes of all inputs.
    pub bytes: usize,
    /// Blocks that they lie in.
    pub blocks: usize,
    /// The file of the cache.
    pub cache: String,
    /// The most bytes of them in memory at a time.
    pub held_bytes: usize,
}

/// Range and moments of one input or target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureInfo {
    /// Name.
    pub name: String,
    /// The column that it comes from; empty where there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub column: String,
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

impl fmt::Display for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = if self.blocks == 1 { "block" } else { "blocks" };
        write!(f, "{} in {} {blocks} through {}", size(self.bytes), self.blocks, self.cache)
    }
}

impl Dataset {
    /// Says which samples are read next, in any order, and which after them: those that are streamed are made ready.
    ///
    /// # Errors
    /// What keeps rows of a file from being read.
    pub fn make_ready(&self, samples: &[u32], later: &[u32]) -> Result<(), DataError> {
        match &self.inputs {
            Values::Rows(rows) => rows.make_ready(samples, later),
            Values::F32(_) | Values::U8(_) => Ok(()),
        }
    }

    /// How samples are streamed; none where they are in memory.
    pub fn streamed(&self) -> Option<Streamed> {
        let Values::Rows(rows) = &self.inputs else { return None };
        let cache = rows.path().display().to_string();
        let told =
            Streamed { bytes: rows.n_bytes(), blocks: rows.n_blocks(), cache, held_bytes: rows.held_bytes() };
        rows.are_streamed().then_some(told)
    }

    /// Summarizes the set. Cost: one or two passes over all inputs.
    ///
    /// # Errors
    /// What keeps rows of a file from being read.
    pub fn info(&self) -> Result<DataInfo, DataError> {
        let all: Vec<u32> = (0..self.len() as u32).collect();
        let m = moments(self, &all)?;
        let whole = m.grouped(1, |_| 0);
        let width = self.n_inputs();
        let mut missing = vec![0; width];
        self.missing.iter().for_each(|i| missing[i % width] += 1);
        if let Values::Rows(rows) = &self.inputs {
            rows.count_missing(&mut missing)?;
        }
        let n_missing = missing.iter().sum();
        let origins = self.origins();
        let feature = |m: &super::moments::Moments,
                       i: usize,
                       name: String,
                       missing,
                       (column, offset): (String, f64)| FeatureInfo {
            name,
            column,
            min: m.min[i] + offset,
            max: m.max[i] + offset,
            mean: m.mean[i] + offset,
            std: m.variance[i].sqrt(),
            missing,
        };
        let targets = match &self.task {
            Task::Regression { targets } if self.has_targets() => {
                let m = super::moments::of_numbers(&self.targets, targets.len().max(1), &all);
                let offset =
                    |i: usize| self.schema.as_ref().and_then(|s| s.targets.get(i)).map_or(0.0, |t| t.offset);
                let one =
                    |(i, name): (usize, &String)| feature(&m, i, name.clone(), 0, (name.clone(), offset(i)));
                targets.iter().enumerate().map(one).collect()
            }
            _ => Vec::new(),
        };
        let are_bytes = match &self.inputs {
            Values::F32(_) => false,
            Values::U8(_) => true,
            Values::Rows(rows) => rows.are_bytes(),
        };
        let (stored_as, size) = if are_bytes { ("u8", 1) } else { ("f32", 4) };
        let named = self.features.iter().enumerate();
        Ok(DataInfo {
            name: self.name.clone(),
            origin: self.origin.clone(),
            samples: self.len(),
            input_shape: self.input_shape.clone(),
            stored_as,
            bytes: self.len() * width * size
                + self.targets.len() * 4
                + self.weights.as_ref().map_or(0, |w| w.len() * 8),
            task: self.task.clone(),
            class_counts: self.class_counts(0..self.len()),
            fixed_valid: self.fixed_valid.as_ref().map_or(0, ExactSizeIterator::len),
            fixed_test: self.fixed_test.as_ref().map_or(0, ExactSizeIterator::len),
            all_inputs: feature(&whole, 0, "all inputs".into(), n_missing, Default::default()),
            features: named.map(|(i, name)| feature(&m, i, name.clone(), missing[i], origins(i))).collect(),
            targets,
            constant: (0..width).filter(|&i| m.min[i] == m.max[i]).count(),
            missing: n_missing,
            streamed: self.streamed(),
            columns: self.columns.clone(),
            notes: self.notes.clone(),
            warnings: self.warnings.clone(),
        })
    }

    /// For each input the column that it comes from, and what was taken from its numbers.
    fn origins(&self) -> impl Fn(usize) -> (String, f64) + '_ {
        let places = self.schema.as_ref().map(crate::TableSchema::columns_of_features).unwrap_or_default();
        move |i| {
            let column = self.schema.as_ref().and_then(|s| s.columns.get(*places.get(i)?));
            let offset = |role: &Role| match role {
                Role::Number { offset, factor, .. } if *factor == 1.0 => *offset,
                _ => 0.0,
            };
            let first = i == 0 || places.get(i - 1) != places.get(i);
            column.map_or_else(Default::default, |c| {
                (c.name.clone(), if first { offset(&c.role) } else { 0.0 })
            })
        }
    }
}
