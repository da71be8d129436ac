//! `explanation.json`: which inputs a finished model goes by, and how its answers follow them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a model goes by, measured on one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// `valid`, or what there is in its place.
    pub split: String,
    /// `best` or `last`.
    pub checkpoint: String,
    /// Samples looked at.
    pub samples: u64,
    /// How often each column was shuffled.
    pub repeats: u64,
    /// Decides how.
    pub seed: u64,
    /// The figure that the columns are sorted by: `accuracy`, `rmse`, `loss`.
    pub metric: String,
    /// Every figure of the samples as they are, by its name without the split.
    pub figures: BTreeMap<String, f64>,
    /// The columns, the most important first.
    pub columns: Vec<ColumnImportance>,
    /// How the answers follow the most important columns.
    pub dependence: Vec<Dependence>,
}

/// How much worse a model gets without what a column tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnImportance {
    /// Its name.
    pub column: String,
    /// Inputs that it became.
    pub inputs: u64,
    /// For each figure, by how much it gets worse where the column is shuffled: positive is worse.
    pub importance: BTreeMap<String, Importance>,
}

/// Mean and spread over the repeats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation; none of one repeat.
    pub std: Option<f64>,
}

/// The mean answer where a column has the same value in all samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// The column.
    pub column: String,
    /// The values that it was given.
    pub at: Values,
    /// What is answered: a class, whose probability it is, or a target.
    pub outputs: Vec<String>,
    /// For each output its mean at each value.
    pub means: Vec<Vec<f64>>,
    /// Whether the means are probabilities.
    pub shares: bool,
}

/// Values of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// Of a number, ascending.
    Numbers(Vec<f64>),
    /// Of a category.
    Categories(Vec<String>),
}

impl Explanation {
    /// How important a column is by the figure that they are sorted by.
    pub fn main(&self, column: &ColumnImportance) -> Importance {
        column.importance.get(&self.metric).copied().unwrap_or(Importance { mean: 0.0, std: None })
    }
}
