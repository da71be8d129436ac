//! The columns of a table as they are in the file.

use serde::{Deserialize, Serialize};

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// The network sees it.
    Input,
    /// It is to be predicted.
    Target,
    /// It says what each sample counts in a loss.
    Weight,
    /// Nobody sees it.
    LeftOut,
}

/// A column of a table, as it is in the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// What it holds: number, boolean, category, date, time, datetime, text, index, empty or unclear.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it is for.
    pub role: ColumnRole,
    /// Rows without a value.
    pub missing: usize,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Some of its values.
    pub examples: Vec<String>,
    /// Inputs that are made of it.
    pub inputs: usize,
}
