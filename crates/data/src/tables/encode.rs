//! From cells to a data set: each column by its role, computed in f64 and stored as f32.

use super::readings::Readings;
use super::rows::Rows;
use super::stream::{Beside, File};
use super::targets::{kept_rows, targets};
use super::{Table, again, cuts, fresh};
use crate::columns::ColumnInfo;
use crate::schema::TableSchema;
use crate::{DataError, DataOptions, Dataset, Origin, Values};

/// A table with the schema that it is to be encoded by.
pub(crate) struct Plan {
    pub schema: TableSchema,
    /// For each column of the schema the values of its texts, where it is measured, or the places of its texts among
    /// the values, where it is not.
    pub codes: Vec<Codes>,
    /// Columns of the targets; empty if the table has none.
    pub targets: Vec<usize>,
    /// Values of the texts of targets that are numbers.
    pub target_texts: Vec<Readings>,
    pub columns: Vec<ColumnInfo>,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
}

/// What the texts of a column stand for.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    /// A value for each text, NaN where it is missing.
    Measured(Readings),
    /// An input for each text: none for a value that counts as no category.
    Words(Vec<Option<u32>>),
}

/// Encodes a table, with its targets in `other` if that is given; its inputs go to `file`, if there is one.
///
/// # Errors
/// [`DataError`] of columns that are used.
pub(crate) fn encode(
    table: &mut Table,
    mut other: Option<Table>,
    options: &DataOptions,
    file: Option<&mut File>,
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
    let weights = cuts::weights(table, options)?;
    let mut plan = match &options.schema {
        Some(schema) => again::plan(table, other.as_mut(), schema, options)?,
        None => fresh::plan(table, other.as_mut(), options)?,
    };
    let target_table = other.as_ref().unwrap_or(table);
    if let Some(file) = &file {
        file.check(table, plan.schema.task.n_targets(), options)?;
    }
    let mut targets = targets(target_table, &mut plan, options)?;
    let rows = kept_rows(target_table, &mut plan, &targets, options)?;
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
    let groups: Option<Vec<u32>> = keep(groups).map(|groups| groups.into_iter().map(|g| g as u32).collect());
    let (times, weights) = (keep(times), keep(weights));
    let (values, missing) = match file {
        None => inputs(table, &plan, rows.as_deref()),
        Some(file) => {
            let (groups, times, weights) = (groups.as_deref(), times.as_deref(), weights.as_deref());
            let beside = Beside { targets: &targets, groups, times, weights };
            file.write(table, &plan, rows.as_deref(), &beside)?;
            Default::default()
        }
    };
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
        weights,
        schema: Some(schema),
        columns,
        notes,
        warnings,
    })
}

/// Inputs of all rows, or of those that are kept, and the places of those that were missing.
fn inputs(table: &Table, plan: &Plan, kept: Option<&[u32]>) -> (Vec<f32>, Vec<usize>) {
    let width = plan.schema.n_inputs();
    let n = kept.map_or(table.n_rows, <[u32]>::len);
    let mut values = vec![0.0f32; n * width];
    let mut missing = Vec::new();
    let (mut rows, mut at) = (Rows::new(table, plan, kept, usize::MAX), 0);
    while let Some(n) = rows.next_len() {
        let (from, to) = (at * width, (at + n) * width);
        rows.next(&mut values[from..to], |place| missing.push(from + place));
        at += n;
    }
    missing.sort_unstable();
    (values, missing)
}
