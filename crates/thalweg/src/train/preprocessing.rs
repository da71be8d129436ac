//! What another program must know to use a model's weights: how inputs are prepared, and what outputs mean.

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::objective::Term;
use super::prepared::Reading;
use crate::data::{Role, Task};
use crate::losses::Probabilities;
use crate::model::weights::WeightsFile;

/// The text field of a weights file that holds it, as JSON.
pub const PREPROCESSING: &str = "thalweg.preprocessing";

/// How a model's inputs are made of samples, and answers of its outputs. It stands as JSON in every weights file under
/// `thalweg.preprocessing`; the handbook's chapter "PyTorch in and out" says what each field means.
///
/// input = scale · x + shift, and for numbers as targets:
/// answer = (output − target_shift) / target_scale + target_offset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// 1; a change of what a field means would be another version.
    pub version: u32,
    /// Shape of a sample; images are `[height, width, channels]`.
    pub input_shape: Vec<usize>,
    /// Names of the inputs of a table, in their order: `column`, or `column=value` for a category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The columns that they are made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<InputColumn>,
    /// Factors: one for all inputs, one for each channel, or one for each input.
    pub scale: Vec<f32>,
    /// Summands, as many.
    pub shift: Vec<f32>,
    /// What the outputs mean, where there is one head.
    #[serde(flatten)]
    pub outputs: Option<OutputMeaning>,
    /// What they mean for each of several heads, in the order of the outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<OutputMeaning>,
}

/// A column of a table that became one or more inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputColumn {
    /// Its name.
    pub name: String,
    /// How many inputs it became.
    pub inputs: usize,
    /// `number`, `boolean`, `category` or `date`.
    pub kind: String,
    /// For a number its first input is (value - offset) * factor, before scale and shift; for a date the second since
    /// 1970 at which elapsed time begins.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: f64,
    /// The factor; 1 where it is not written.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub factor: f64,
    /// What the first input of a missing value is, before scale and shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
    /// The values of a category, each with an input that is 1 where a row has it, else 0; the words of 0 and 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

fn one() -> f64 {
    1.0
}

fn is_one(x: &f64) -> bool {
    *x == 1.0
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// What the outputs of a head mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputMeaning {
    /// The head's name, where there are several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `classification` or `regression`.
    pub task: String,
    /// The classes, an output each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The targets, an output each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// What makes probabilities of outputs: `softmax`, `sigmoid` or `none`.
    pub probabilities: String,
    /// Factors of the targets that the model learned; none where it learned them as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_scale: Vec<f32>,
    /// Summands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_shift: Vec<f32>,
    /// What is added to each answer, in double precision; none where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_offset: Vec<f64>,
}

impl Preprocessing {
    /// Reads it from a weights file.
    ///
    /// # Errors
    /// [`TrainError::NoState`] where the file has none, [`TrainError::BrokenState`] where it does not read.
    pub fn of_file(file: &WeightsFile) -> Result<Self, TrainError> {
        let path = file.path().to_owned();
        let Some(text) = file.metadata().get(PREPROCESSING) else {
            return Err(TrainError::NoState { what: PREPROCESSING, path });
        };
        serde_json::from_str(text).map_err(|e| TrainError::BrokenState { problem: e.to_string(), path })
    }

    pub(super) fn new(reading: &Reading, terms: &[Term]) -> Self {
        let mut heads: Vec<OutputMeaning> = terms.iter().map(meaning).collect();
        let outputs = if heads.len() == 1 { heads.pop() } else { None };
        let schema = reading.schema.as_ref();
        Preprocessing {
            version: 1,
            input_shape: reading.input_shape.clone(),
            features: schema.map_or_else(Vec::new, |schema| schema.features()),
            columns: schema.map_or_else(Vec::new, |schema| schema.columns.iter().map(column).collect()),
            scale: reading.inputs.scale.clone(),
            shift: reading.inputs.shift.clone(),
            outputs,
            heads,
        }
    }
}

fn column(column: &crate::data::Column) -> InputColumn {
    let plain = |kind: &str, missing, values| InputColumn {
        name: column.name.clone(),
        inputs: column.role.width(),
        kind: kind.into(),
        offset: 0.0,
        factor: 1.0,
        missing,
        values,
    };
    match &column.role {
        Role::Number { fill, offset, factor, .. } => {
            InputColumn { offset: *offset, factor: *factor, ..plain("number", Some(*fill), Vec::new()) }
        }
        Role::Boolean { names, fill, .. } => plain("boolean", Some(*fill), names.to_vec()),
        Role::Category { values, .. } => plain("category", None, values.clone()),
        Role::Date { offset, fill, .. } => {
            InputColumn { offset: *offset, ..plain("date", Some(*fill), Vec::new()) }
        }
    }
}

fn meaning(term: &Term) -> OutputMeaning {
    let (task, classes, targets) = match &term.head.task {
        Task::Classification { classes } => ("classification", classes.clone(), Vec::new()),
        Task::Regression { targets } => ("regression", Vec::new(), targets.clone()),
    };
    let probabilities = match term.loss.probabilities() {
        Probabilities::Softmax => "softmax",
        Probabilities::Sigmoid => "sigmoid",
        Probabilities::None => "none",
    };
    let map = term.head.map.as_ref();
    OutputMeaning {
        name: term.head.name.clone(),
        task: task.into(),
        classes,
        targets,
        probabilities: probabilities.into(),
        target_scale: map.map_or_else(Vec::new, |map| map.scale.clone()),
        target_shift: map.map_or_else(Vec::new, |map| map.shift.clone()),
        target_offset: term.head.offsets.clone(),
    }
}
