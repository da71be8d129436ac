//! From cells to a data set: each column by its role, computed in f64 and stored as f32.

use super::cells::{Cell, unpack};
use super::missing::Marks;
use super::moments::value;
use super::targets::{kept_rows, targets};
use super::{Table, again, cuts, dates, fresh};
use crate::columns::ColumnInfo;
use crate::schema::{DatePart, Role, TableSchema};
use crate::{DataError, DataOptions, Dataset, Origin, Values};

/// Rows that are encoded together, so that they stay in the cache.
const BLOCK: usize = 512;

/// A table with the schema that it is to be encoded by.
pub(crate) struct Plan {
    pub schema: TableSchema,
    /// For each column of the schema the values of its texts, where it is measured, or the places of its texts among
    /// the values, where it is not.
    pub codes: Vec<Codes>,
    /// Columns of the targets; empty if the table has none.
    pub targets: Vec<usize>,
    /// Values of the texts of targets that are numbers.
    pub target_texts: Vec<Vec<f64>>,
    pub columns: Vec<ColumnInfo>,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
}

/// What the texts of a column stand for.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    /// A value for each text, NaN where it is missing.
    Measured(Vec<f64>),
    /// An input for each text: none for a value that counts as no category.
    Words(Vec<Option<u32>>),
}

/// Encodes a table, with its targets in `other` if that is given.
///
/// # Errors
/// [`DataError`] of columns that are used.
pub(crate) fn encode(
    table: &mut Table,
    mut other: Option<Table>,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    if let Some(other) = other.as_ref().filter(|o| o.n_rows != table.n_rows) {
        return Err(DataError::CountMismatch {
            inputs: table.n_rows,
            targets: other.n_rows,
            inputs_path: table.path.clone(),
            targets_path: other.path.clone(),
        });
    }
    let (groups, times) = (cuts::groups(table, options)?, cuts::times(table, options)?);
    let mut plan = match &options.schema {
        Some(schema) => again::plan(table, other.as_mut(), schema, options)?,
        None => fresh::plan(table, other.as_mut(), options)?,
    };
    let target_table = other.as_ref().unwrap_or(table);
    let mut targets = targets(target_table, &mut plan, options)?;
    let rows = kept_rows(target_table, &mut plan, &targets, options)?;
    let (values, missing) = inputs(table, &plan, rows.as_deref());
    if let Some(rows) = &rows {
        let width = plan.schema.task.n_targets();
        targets = rows
            .iter()
            .flat_map(|r| targets[*r as usize * width..(*r as usize + 1) * width].to_vec())
            .collect();
    }
    let keep = |values: Option<Vec<f64>>| {
        let of =
            |values: &Vec<f64>| rows.as_ref().map(|rows| rows.iter().map(|r| values[*r as usize]).collect());
        values.map(|values| of(&values).unwrap_or(values))
    };
    let groups = keep(groups).map(|groups| groups.into_iter().map(|g| g as u32).collect());
    let times = keep(times);
    let Plan { schema, columns, notes, warnings, .. } = plan;
    Ok(Dataset {
        name: table.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        input_shape: vec![schema.n_inputs()],
        inputs: Values::F32(values),
        targets,
        task: schema.task.clone(),
        features: schema.features(),
        origin: Origin { source: table.path.display().to_string(), license: String::new() },
        fixed_valid: None,
        fixed_test: None,
        missing,
        groups,
        times,
        schema: Some(schema),
        columns,
        notes,
        warnings,
    })
}

/// Inputs of all rows, or of those that are kept, and the places of those that were missing.
fn inputs(table: &Table, plan: &Plan, rows: Option<&[u32]>) -> (Vec<f32>, Vec<usize>) {
    let width = plan.schema.n_inputs();
    let n = rows.map_or(table.n_rows, <[u32]>::len);
    let mut values = vec![0.0f32; n * width];
    let mut missing = Vec::new();
    let mut from = 0;
    while from < n {
        let to = (from + BLOCK).min(n);
        let mut at = 0;
        for (column, codes) in plan.schema.columns.iter().zip(&plan.codes) {
            let cells = table.columns[column.index].packed();
            let block = &mut values[from * width..to * width];
            let mut writer = Writer { block, width, at, first: from * width, missing: &mut missing };
            let cell = |i: usize| unpack(cells[rows.map_or(from + i, |r| r[from + i] as usize)]);
            (0..to - from).for_each(|i| writer.write(i, cell(i), &column.role, codes, &table.marks));
            at += column.role.width();
        }
        from = to;
    }
    missing.sort_unstable();
    (values, missing)
}

/// Writes the inputs of one column in a block of rows.
struct Writer<'a> {
    block: &'a mut [f32],
    width: usize,
    at: usize,
    first: usize,
    missing: &'a mut Vec<usize>,
}

impl Writer<'_> {
    fn write(&mut self, row: usize, cell: Cell, role: &Role, codes: &Codes, marks: &Marks) {
        let start = row * self.width + self.at;
        let own = &mut self.block[start..start + role.width()];
        let texts = match codes {
            Codes::Words(places) => {
                if let Cell::Text(code) = cell
                    && let Some(place) = places[code as usize]
                {
                    own[place as usize] = 1.0;
                }
                return;
            }
            Codes::Measured(texts) => texts,
        };
        let x = value(cell, texts, marks);
        let lost = x.is_nan();
        let (fill, indicator) = match role {
            Role::Number { fill, indicator, offset, factor } => {
                own[0] = ((x - offset) * factor) as f32;
                (*fill, *indicator)
            }
            Role::Boolean { fill, indicator, .. } => {
                own[0] = x as f32;
                (*fill, *indicator)
            }
            Role::Date { parts, offset, fill, indicator, .. } => {
                date(own, parts, x, *offset);
                (*fill, *indicator)
            }
            Role::Category { .. } => return,
        };
        if lost {
            // what stands here until the training part is known; a cycle without a value stays at its middle
            let fills =
                !matches!(role, Role::Date { parts, .. } if parts.first() != Some(&DatePart::Elapsed));
            if fills {
                own[0] = fill as f32;
                self.missing.push(self.first + start);
            }
            if indicator {
                own[role.width() - 1] = 1.0;
            }
        }
    }
}

/// Writes the parts of a moment; zeros where it is missing.
fn date(out: &mut [f32], parts: &[DatePart], seconds: f64, offset: f64) {
    if seconds.is_nan() {
        return;
    }
    let days = seconds / dates::DAY;
    let mut at = 0;
    for part in parts {
        let share = match part {
            DatePart::Elapsed => {
                out[at] = ((seconds - offset) / dates::DAY) as f32;
                at += 1;
                continue;
            }
            DatePart::Year => {
                (dates::day_of_year(days.floor() as i64) as f64 + days.rem_euclid(1.0)) / 365.25
            }
            // 1970-01-01 was a Thursday; weeks begin on Monday
            DatePart::Week => (days + 3.0).rem_euclid(7.0) / 7.0,
            DatePart::Day => days.rem_euclid(1.0),
        };
        let angle = share * std::f64::consts::TAU;
        (out[at], out[at + 1]) = (libm::sin(angle) as f32, libm::cos(angle) as f32);
        at += 2;
    }
}
