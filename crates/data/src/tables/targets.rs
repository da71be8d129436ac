//! The targets of a table: numbers in f64 before they are f32, classes by their names.

use std::collections::HashMap;

use super::cells::Cell;
use super::encode::Plan;
use super::moments::Known;
use super::{Table, number};
use crate::{DataError, DataOptions, MissingTarget, Task};

/// Targets of all rows, NaN where the table has none.
pub(super) fn targets(table: &Table, plan: &mut Plan, options: &DataOptions) -> Result<Vec<f32>, DataError> {
    let width = plan.schema.task.n_targets();
    if plan.targets.is_empty() {
        return Ok(vec![f32::NAN; width * table.n_rows]);
    }
    match &plan.schema.task {
        Task::Regression { .. } => {
            let mut out = vec![f32::NAN; width * table.n_rows];
            for place in 0..width {
                let index = plan.targets[place];
                let (column, texts) = (&table.columns[index], &plan.target_texts[place]);
                let known = Known::of(table, column, texts);
                known.check(table, index, true)?;
                let target = plan.schema.targets.get_mut(place);
                let offset = match (&options.schema, target) {
                    (None, Some(target)) => {
                        target.offset = known.offset_and_factor().0;
                        target.offset
                    }
                    (_, Some(target)) => target.offset,
                    (_, None) => 0.0,
                };
                for (row, x) in column.values(texts, &table.marks).enumerate() {
                    out[row * width + place] = (x - offset) as f32;
                }
            }
            Ok(out)
        }
        Task::Classification { classes } => labels(table, plan.targets[0], classes, options),
    }
}

/// Classes by name; by index, where the first line of the training table named them.
fn labels(
    table: &Table,
    index: usize,
    classes: &[String],
    options: &DataOptions,
) -> Result<Vec<f32>, DataError> {
    let column = &table.columns[index];
    let counted = table.classes.is_some();
    let mut places = Vec::with_capacity(column.texts.len());
    let index = ClassIndex::new(classes, counted);
    for text in &column.texts {
        let unknown = text.count > 0 && !table.marks.has(&text.text);
        let found = if unknown { index.find(text.word()) } else { None };
        if found.is_none() && unknown && !options.inputs_only {
            let row = column.first_row(text);
            if counted {
                let label = number::whole(&text.text).unwrap_or(f64::NAN);
                let (last, path) = (classes.len() - 1, table.path.clone());
                return Err(DataError::LabelOutOfRange { label, row, last, path });
            }
            return Err(DataError::UnknownClass {
                value: text.text.to_string(),
                place: table.place_of(row),
                n_classes: classes.len(),
                nearest: settings::nearest(&text.text, classes.iter().map(String::as_str)),
                path: table.path.clone(),
            });
        }
        places.push(found.map_or(f32::NAN, |i| i as f32));
    }
    let label = |cell: Cell| match cell {
        Cell::Text(code) => places[code as usize],
        Cell::Number(_) => f32::NAN,
    };
    Ok(column.cells().map(label).collect())
}

/// Rows that are kept, where some have no target; all, where none is named.
pub(super) fn kept_rows(
    table: &Table,
    plan: &mut Plan,
    targets: &[f32],
    options: &DataOptions,
) -> Result<Option<Vec<u32>>, DataError> {
    let width = plan.schema.task.n_targets();
    if plan.targets.is_empty() || options.missing_targets || options.inputs_only {
        return Ok(None);
    }
    let told = |row: usize| !targets[row * width..(row + 1) * width].iter().any(|t| t.is_nan());
    let Some(first) = (0..table.n_rows).find(|row| !told(*row)) else { return Ok(None) };
    let place = targets[first * width..].iter().position(|t| t.is_nan()).unwrap_or(0);
    let column = table.names[plan.targets[place]].clone();
    if options.missing_target == MissingTarget::Error {
        let (place, path) = (table.place_of(first), table.path.clone());
        let n = (0..table.n_rows).filter(|row| !told(*row)).count();
        return Err(DataError::MissingValue { n, place, column, target: true, path });
    }
    let rows: Vec<u32> = (0..table.n_rows).filter(|r| told(*r)).map(|r| r as u32).collect();
    if rows.is_empty() {
        return Err(DataError::NoSamples { path: table.path.clone() });
    }
    plan.notes.push(format!("{} rows without a target left out", table.n_rows - rows.len()));
    Ok(Some(rows))
}

/// The classes of a model by their names.
struct ClassIndex<'a> {
    by_name: HashMap<&'a str, usize>,
    /// Classes by their numbers, where no two are the same.
    by_number: HashMap<u64, Option<usize>>,
    /// Number of classes, where a label may be an index into them: the first line named them, or none is a number.
    by_index: usize,
}

impl<'a> ClassIndex<'a> {
    fn new(classes: &'a [String], counted: bool) -> Self {
        let mut by_number = HashMap::new();
        for (i, class) in classes.iter().enumerate() {
            if let Some(x) = number::whole(class) {
                by_number.entry(x.to_bits()).and_modify(|place| *place = None).or_insert(Some(i));
            }
        }
        let by_index = if counted || by_number.is_empty() { classes.len() } else { 0 };
        let by_name = classes.iter().enumerate().map(|(i, c)| (c.as_str(), i)).collect();
        ClassIndex { by_name, by_number, by_index }
    }

    /// The place of a class: by its name, by a number that is the same, or by index.
    fn find(&self, text: &str) -> Option<usize> {
        let number = || *self.by_number.get(&number::whole(text)?.to_bits())?;
        let index = || text.parse::<usize>().ok().filter(|i| *i < self.by_index);
        self.by_name.get(text).copied().or_else(number).or_else(index)
    }
}
