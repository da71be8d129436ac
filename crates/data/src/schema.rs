//! How the columns of a table became inputs: stored with a model, so that new tables are encoded the same way.

use serde::{Deserialize, Serialize};
use settings::words;

use crate::{DateOrder, Task};

/// The columns of a table in the order of the inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Number of columns of the table, those left out included.
    pub width: usize,
    /// Columns that became inputs.
    pub columns: Vec<Column>,
    /// Columns that became targets; empty if they were in another file.
    pub targets: Vec<TargetColumn>,
    /// The column that weighed the samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<WeightColumn>,
    /// What the targets are.
    pub task: Task,
    /// Whether the table had names for its columns.
    #[serde(default = "yes")]
    pub has_names: bool,
    /// How the table was written.
    #[serde(default)]
    pub dialect: Dialect,
}

fn yes() -> bool {
    true
}

/// How a table was written, so that another one without proof of its own is read alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// What separates fields.
    pub separator: Option<char>,
    /// What begins the decimals.
    pub decimal: Option<char>,
    /// What separates thousands, where a setting told it.
    pub thousands: Option<char>,
    /// Marks of missing values that a setting told.
    pub missing: Vec<String>,
    /// What comments begin with, where a setting told it.
    pub comment: Option<String>,
    /// The encoding, where a setting told it.
    pub encoding: Option<String>,
}

/// A column that became a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetColumn {
    /// Its name.
    pub name: String,
    /// Its place in the table, from 0.
    pub index: usize,
    /// What is taken from a number before it becomes f32.
    #[serde(default)]
    pub offset: f64,
}

/// A column that weighed the samples; new data may have it or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightColumn {
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

words! {
    /// An input that is made of a date or a time.
    pub enum DatePart {
        /// Days since the first date of the training table.
        Elapsed = "elapsed",
        /// Sine and cosine of the part of the year.
        Year = "year",
        /// Sine and cosine of the part of the week.
        Week = "week",
        /// Sine and cosine of the part of the day.
        Day = "day",
    }
}

impl DatePart {
    /// Number of inputs.
    pub fn width(self) -> usize {
        if self == DatePart::Elapsed { 1 } else { 2 }
    }
}

/// What became of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Role {
    /// One input: (x - offset) * factor, computed in f64; and one that says where it was missing.
    Number {
        /// What stands for a missing input.
        #[serde(alias = "mean")]
        fill: f64,
        /// Whether a last input is 1 where the value was missing, else 0.
        #[serde(default)]
        indicator: bool,
        /// What is taken from the value before it becomes f32: not 0 where values are far from 0 and close together.
        #[serde(default)]
        offset: f64,
        /// By what the rest is multiplied: not 1 where values are beyond the range of f32.
        #[serde(default = "one")]
        factor: f64,
    },
    /// One input, 0 or 1.
    Boolean {
        /// The words of 0 and 1.
        names: [String; 2],
        /// What stands for a missing input.
        fill: f64,
        /// Whether a last input is 1 where the value was missing, else 0.
        indicator: bool,
    },
    /// One input for each value, 1 where the row has it, else 0.
    Category {
        /// The values, sorted.
        values: Vec<String>,
        /// Whether the next input stands for missing values.
        missing: bool,
        /// Whether a last input stands for all other values, which were rare.
        #[serde(default)]
        other: bool,
    },
    /// Inputs made of a date or a time.
    Date {
        /// What they tell.
        parts: Vec<DatePart>,
        /// Seconds since 1970 at which elapsed time begins.
        offset: f64,
        /// Order of day and month, where dates leave it open.
        order: DateOrder,
        /// What stands for a missing elapsed time.
        fill: f64,
        /// Whether a last input is 1 where the value was missing, else 0.
        indicator: bool,
    },
}

fn one() -> f64 {
    1.0
}

impl Role {
    /// Number of inputs.
    pub fn width(&self) -> usize {
        match self {
            Role::Number { indicator, .. } | Role::Boolean { indicator, .. } => 1 + usize::from(*indicator),
            Role::Category { values, missing, other } => {
                values.len() + usize::from(*missing) + usize::from(*other)
            }
            Role::Date { parts, indicator, .. } => {
                parts.iter().map(|p| p.width()).sum::<usize>() + usize::from(*indicator)
            }
        }
    }

    /// Names of the inputs of a column called `name`.
    fn names(&self, name: &str) -> Vec<String> {
        let missing =
            |own: Vec<String>, has: &bool| own.into_iter().chain(has.then(|| format!("{name}=?"))).collect();
        match self {
            Role::Number { indicator, .. } | Role::Boolean { indicator, .. } => {
                missing(vec![name.into()], indicator)
            }
            Role::Category { values, missing, other } => {
                let rest = [missing.then_some("?"), other.then_some("(other)")];
                let values = values.iter().map(String::as_str).chain(rest.into_iter().flatten());
                values.map(|v| format!("{name}={v}")).collect()
            }
            Role::Date { parts, indicator, .. } => {
                let own = parts.iter().flat_map(|part| match part {
                    DatePart::Elapsed => vec![format!("{name}.days")],
                    cycle => ["sin", "cos"].map(|f| format!("{name}.{}_{f}", cycle.word())).to_vec(),
                });
                missing(own.collect(), indicator)
            }
        }
    }

    /// Where a first input has it: what stands for a missing value.
    fn fill(&mut self) -> Option<&mut f64> {
        match self {
            Role::Number { fill, .. } | Role::Boolean { fill, .. } => Some(fill),
            Role::Category { .. } => None,
            Role::Date { fill, .. } => Some(fill),
        }
    }
}

impl TableSchema {
    /// Number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.columns.iter().map(|c| c.role.width()).sum()
    }

    /// Names of the inputs: `column`, `column=value` for categories, `column=?` for what was missing, `column.days` and
    /// the like for dates.
    pub fn features(&self) -> Vec<String> {
        self.columns.iter().flat_map(|c| c.role.names(&c.name)).collect()
    }

    /// What was taken from the numbers of each target; none where nothing was.
    pub fn target_offsets(&self) -> Vec<f64> {
        let offsets: Vec<f64> = self.targets.iter().map(|t| t.offset).collect();
        if offsets.iter().all(|o| *o == 0.0) { Vec::new() } else { offsets }
    }

    /// For each input whether it measures something: numbers and elapsed times do.
    pub fn measures(&self) -> Vec<bool> {
        let of = |role: &Role| {
            let mut is = vec![false; role.width()];
            let measures = match role {
                Role::Number { .. } => true,
                Role::Date { parts, .. } => parts.first() == Some(&DatePart::Elapsed),
                Role::Boolean { .. } | Role::Category { .. } => false,
            };
            if let Some(first) = is.first_mut() {
                *first = measures;
            }
            is
        };
        self.columns.iter().flat_map(|column| of(&column.role)).collect()
    }

    /// First place and number of inputs of each column of categories.
    pub fn categories(&self) -> Vec<(usize, usize)> {
        let mut at = 0;
        let mut found = Vec::new();
        for column in &self.columns {
            let width = column.role.width();
            if matches!(column.role, Role::Category { .. }) {
                found.push((at, width));
            }
            at += width;
        }
        found
    }

    /// For each input the place of its column in `columns`.
    pub fn columns_of_features(&self) -> Vec<usize> {
        self.columns.iter().enumerate().flat_map(|(i, c)| std::iter::repeat_n(i, c.role.width())).collect()
    }

    /// Sets what stands for missing values of inputs, given by their places in ascending order.
    pub(crate) fn set_fills(&mut self, fills: &[(usize, f64)]) {
        let (mut at, mut rest) = (0, fills);
        for column in &mut self.columns {
            let width = column.role.width();
            while let Some(((feature, value), more)) = rest.split_first()
                && *feature < at + width
            {
                if *feature == at
                    && let Some(fill) = column.role.fill()
                {
                    *fill = *value;
                }
                rest = more;
            }
            at += width;
        }
    }
}
