//! How the columns of a table became inputs: stored with a model, so that new tables are encoded the same way.

use serde::{Deserialize, Serialize};

use crate::Task;

/// The columns of a table in the order of the inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Number of columns of the table, those left out included.
    pub width: usize,
    /// Columns that became inputs.
    pub columns: Vec<Column>,
    /// Columns that became targets; empty if they were in another file.
    pub targets: Vec<TargetColumn>,
    /// What the targets are.
    pub task: Task,
}

/// A column that became a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetColumn {
    /// Its name.
    pub name: String,
    /// Its place in the table, from 0.
    pub index: usize,
}

/// A column that became one or more inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its place in the table, from 0.
    pub index: usize,
    /// What became of it.
    pub role: Role,
}

/// What became of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Role {
    /// One input.
    Number {
        /// What stands for a missing value.
        mean: f64,
    },
    /// One input for each value, 1 where the row has it, else 0.
    Category {
        /// The values, sorted.
        values: Vec<String>,
        /// Whether a last input stands for missing values.
        missing: bool,
    },
}

impl Role {
    /// Number of inputs.
    pub fn width(&self) -> usize {
        match self {
            Role::Number { .. } => 1,
            Role::Category { values, missing } => values.len() + usize::from(*missing),
        }
    }
}

impl TableSchema {
    /// Number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.columns.iter().map(|c| c.role.width()).sum()
    }

    /// Names of the inputs: `column`, or `column=value` for categories.
    pub fn features(&self) -> Vec<String> {
        let names = |column: &Column| match &column.role {
            Role::Number { .. } => vec![column.name.clone()],
            Role::Category { values, missing } => {
                let missing = missing.then_some("?");
                let values = values.iter().map(String::as_str).chain(missing);
                values.map(|v| format!("{}={v}", column.name)).collect()
            }
        };
        self.columns.iter().flat_map(names).collect()
    }

    /// Sets what stands for a missing value of input `feature`.
    pub(crate) fn set_mean(&mut self, feature: usize, value: f64) {
        let mut at = 0;
        for column in &mut self.columns {
            if let Role::Number { mean } = &mut column.role
                && at == feature
            {
                *mean = value;
            }
            at += column.role.width();
        }
    }
}
