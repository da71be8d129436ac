//! A data set in memory: inputs, targets and what they mean.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{ColumnInfo, DataError, Rows, TableSchema};

/// The most classes that labels may tell; more are a mistake in the data.
pub(crate) const MAX_CLASSES: usize = 65_536;

/// Inputs of all samples, row-major: `[n, input_shape...]`. Equal if their content is, wherever it is; rows of a file
/// are told by checksums.
#[derive(Clone, Debug)]
pub enum Values {
    /// Numbers as they are.
    F32(Vec<f32>),
    /// Bytes; `b` stands for `b / 255`.
    U8(Vec<u8>),
    /// Bytes or numbers in a file of the cache, read where they are wanted.
    Rows(Rows),
}

impl PartialEq for Values {
    fn eq(&self, other: &Values) -> bool {
        match (self, other) {
            (Values::F32(a), Values::F32(b)) => a == b,
            (Values::U8(a), Values::U8(b)) => a == b,
            (Values::Rows(a), Values::Rows(b)) => a == b,
            (Values::Rows(rows), held) | (held, Values::Rows(rows)) => rows.hold(held),
            (Values::F32(_), Values::U8(_)) | (Values::U8(_), Values::F32(_)) => false,
        }
    }
}

/// What the targets are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Task {
    /// Targets are class indices, `[n]`.
    Classification {
        /// Names of the classes, in the order of their indices.
        classes: Vec<String>,
    },
    /// Targets are numbers, `[n, targets.len()]`.
    Regression {
        /// Names of the targets.
        targets: Vec<String>,
    },
}

impl Task {
    /// Names of the classes; none for numbers.
    pub fn classes(&self) -> &[String] {
        match self {
            Task::Classification { classes } => classes,
            Task::Regression { .. } => &[],
        }
    }

    /// Values that a model gives for a sample: one a class, or one a target.
    pub fn n_outputs(&self) -> usize {
        match self {
            Task::Classification { classes } => classes.len(),
            Task::Regression { targets } => targets.len(),
        }
    }

    /// Numbers in one sample's target: 1 for classes.
    pub fn n_targets(&self) -> usize {
        match self {
            Task::Classification { .. } => 1,
            Task::Regression { targets } => targets.len().max(1),
        }
    }
}

/// Where a data set comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Path, or authors, title and year.
    pub source: String,
    /// License, where it is known.
    pub license: String,
}

/// A data set in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Short name.
    pub name: String,
    /// Shape of one sample; images are `[height, width, channels]`, or `[height, width]`.
    pub input_shape: Vec<usize>,
    /// Inputs, `[n, input_shape...]`.
    pub inputs: Values,
    /// Class indices `[n]`, or numbers `[n, n_targets]`.
    pub targets: Vec<f32>,
    /// What the targets are.
    pub task: Task,
    /// Names of the inputs of a table; empty for images and arrays.
    pub features: Vec<String>,
    /// Where the data come from.
    pub origin: Origin,
    /// Samples that the source itself sets aside for validation.
    pub fixed_valid: Option<Range<usize>>,
    /// Samples that the source itself sets aside for testing.
    pub fixed_test: Option<Range<usize>>,
    /// Flat indices into `inputs` of values that were missing, in ascending order; they hold means.
    pub missing: Vec<usize>,
    /// Which samples belong together, so that no two parts share them: a number for each; none where nothing was told.
    pub groups: Option<Vec<u32>>,
    /// When each sample was taken, so that the latest ones test; in any unit.
    pub times: Option<Vec<f64>>,
    /// What each sample counts in a loss, in proportion: finite, 0 or more; none where all count alike. In f64, which
    /// bears inverse variances in any unit.
    pub weights: Option<Vec<f64>>,
    /// How the columns of a table became inputs; to be stored with a model.
    pub schema: Option<TableSchema>,
    /// The columns of a table as they are in the file; empty for others, and for a table read for a trained model.
    pub columns: Vec<ColumnInfo>,
    /// Remarks for the user: what was filled, dropped or guessed.
    pub notes: Vec<String>,
    /// What was lost and should not have been, such as files that cannot be read.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.targets.len() / self.n_targets()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Numbers in one sample's input.
    pub fn n_inputs(&self) -> usize {
        self.input_shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size))
    }

    /// Bytes of one sample's inputs as they are stored.
    pub fn record(&self) -> usize {
        let bytes = match &self.inputs {
            Values::F32(_) => false,
            Values::U8(_) => true,
            Values::Rows(rows) => rows.are_bytes(),
        };
        self.n_inputs().saturating_mul(if bytes { 1 } else { size_of::<f32>() })
    }

    /// Numbers in one sample's target: 1 for classes.
    pub fn n_targets(&self) -> usize {
        self.task.n_targets()
    }

    /// Whether the source had any target; where it had none (new data for a trained model) they are NaN.
    pub fn has_targets(&self) -> bool {
        self.targets.iter().any(|t| !t.is_nan())
    }

    /// Whether the samples that the source sets aside for testing have any target.
    pub fn tests_something(&self) -> bool {
        let width = self.n_targets();
        let test = self.fixed_test.clone().unwrap_or_default();
        self.targets[test.start * width..test.end * width].iter().any(|t| !t.is_nan())
    }

    /// Takes away a table's samples set aside for testing, which come last, and says so in a note.
    pub fn leave_test_aside(&mut self) {
        let Some(test) = self.fixed_test.take() else { return };
        self.targets.truncate(test.start * self.n_targets());
        self.groups.iter_mut().for_each(|groups| groups.truncate(test.start));
        self.times.iter_mut().for_each(|times| times.truncate(test.start));
        self.weights.iter_mut().for_each(|weights| weights.truncate(test.start));
        let n_inputs = test.start * self.n_inputs();
        if let Values::F32(values) = &mut self.inputs {
            values.truncate(n_inputs);
        }
        self.missing.retain(|i| *i < n_inputs);
        self.notes.push("the test file has no targets and is not used".into());
    }

    /// Number of classes, or `None` for numbers as targets.
    pub fn n_classes(&self) -> Option<usize> {
        match &self.task {
            Task::Classification { classes } => Some(classes.len()),
            Task::Regression { .. } => None,
        }
    }

    /// Height, width and channels, where samples are images: three axes, or two and one channel.
    pub fn image_shape(&self) -> Option<[usize; 3]> {
        match self.input_shape[..] {
            [h, w] => Some([h, w, 1]),
            [h, w, c] => Some([h, w, c]),
            _ => None,
        }
    }

    /// Channels of an image, the last of its three axes; other inputs are one channel.
    pub fn n_channels(&self) -> usize {
        self.image_shape().map_or(1, |[_, _, c]| c)
    }

    /// Name of an input: the feature's name or its index.
    pub(crate) fn feature_name(&self, index: usize) -> String {
        self.features.get(index).cloned().unwrap_or_else(|| index.to_string())
    }

    /// Number of samples of each class; empty for numbers as targets.
    pub fn class_counts(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut counts = vec![0; self.n_classes().unwrap_or(0)];
        for i in indices {
            if let Some(count) = counts.get_mut(self.targets[i] as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Replaces missing values by the training samples' own: in tables by the column's median, in arrays by its mean.
    ///
    /// Sources are opened with means over all samples; call this once the split is known. A feature without any
    /// known value in `train` keeps what it has.
    ///
    /// # Errors
    /// What keeps rows of a file from being read.
    pub fn fill_missing(&mut self, train: &[u32]) -> Result<(), DataError> {
        if let Values::Rows(rows) = &self.inputs {
            let fills = rows.fitted_fills(train, self.schema.is_some())?;
            self.set_fills(fills);
            return Ok(());
        }
        let (Values::F32(inputs), false) = (&mut self.inputs, self.missing.is_empty()) else { return Ok(()) };
        let width: usize = self.input_shape.iter().fold(1, |n: usize, size| n.saturating_mul(*size));
        let mut by_column: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in &self.missing {
            by_column.entry(i % width).or_default().push(*i);
        }
        let (mut fills, is_table) = (Vec::new(), self.schema.is_some());
        for (column, missing) in by_column {
            let at = |row: u32| row as usize * width + column;
            let known = train.iter().map(|&r| at(r)).filter(|i| missing.binary_search(i).is_err());
            let known: Vec<f32> = known.map(|i| inputs[i]).collect();
            if known.is_empty() {
                continue;
            }
            let fill = if is_table { median(known) } else { mean(&known) };
            missing.iter().for_each(|&i| inputs[i] = fill as f32);
            fills.push((column, fill));
        }
        if let Some(schema) = &mut self.schema {
            schema.set_fills(&fills);
        }
        Ok(())
    }

    /// Has readers of a file put these values, of these inputs, where one is missing.
    fn set_fills(&mut self, fills: Vec<(usize, f64)>) {
        if let Values::Rows(rows) = &mut self.inputs {
            *rows = rows.filled(&fills);
        }
        if let Some(schema) = &mut self.schema {
            schema.set_fills(&fills);
        }
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64
}

/// The value in the middle, the lower one of two.
fn median(mut values: Vec<f32>) -> f64 {
    let middle = (values.len() - 1) / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    f64::from(*value)
}
