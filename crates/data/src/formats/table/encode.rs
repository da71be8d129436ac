//! Second pass over a table: numbers and one-hot categories as inputs, classes or numbers as targets.

use std::collections::HashMap;

use super::scan::{ColumnScan, MAX_CATEGORIES, Table, is_missing, number};
use crate::dataset::MAX_CLASSES;
use crate::schema::{Column, Role, TableSchema, TargetColumn};
use crate::{DataError, DataOptions, Dataset, Origin, Task, TaskKind, Values};
use settings::nearest;

/// Whole numbers with at most this many different values are classes, unless told otherwise.
const FEW: usize = 20;

/// Columns of a table in their roles.
struct Roles {
    schema: TableSchema,
    /// Columns of the targets in their table; empty if the table has none.
    targets: Vec<usize>,
}

/// Encodes a table, with its targets in `other` if that is given.
pub(crate) fn encode(
    table: &Table,
    other: Option<&Table>,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    let target_table = other.unwrap_or(table);
    if table.n_rows != target_table.n_rows {
        return Err(DataError::CountMismatch {
            inputs: table.n_rows,
            targets: target_table.n_rows,
            inputs_path: table.path.clone(),
            targets_path: target_table.path.clone(),
        });
    }
    let mut roles = match &options.schema {
        Some(schema) => again(table, other, schema)?,
        None => fresh(table, other, options)?,
    };
    let targets = targets(target_table, &mut roles, options)?;
    let inputs = Inputs::encode(table, &roles.schema, options)?;
    let mut notes = inputs.notes();
    if options.schema.is_none() {
        notes.extend(choices(table, other, &roles, options));
    }
    Ok(Dataset {
        name: table.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        input_shape: vec![roles.schema.n_inputs()],
        inputs: Values::F32(inputs.values),
        targets,
        task: roles.schema.task.clone(),
        features: roles.schema.features(),
        origin: Origin { source: table.path.display().to_string(), licence: String::new() },
        fixed_valid: None,
        fixed_test: None,
        missing: inputs.missing,
        schema: Some(roles.schema),
        notes,
        warnings: Vec::new(),
    })
}

/// Remarks on what was chosen without being told.
fn choices(table: &Table, other: Option<&Table>, roles: &Roles, options: &DataOptions) -> Vec<String> {
    let mut notes = Vec::new();
    let used = roles.schema.columns.len() + roles.schema.targets.len();
    if used < table.names.len() {
        notes.push(format!("{} of {} columns left out", table.names.len() - used, table.names.len()));
    }
    if let (None, [target], true) = (other, &roles.schema.targets[..], options.target.is_empty()) {
        notes.push(format!(
            "the target is the last column, `{}`; another one: `data.target=NAME`",
            target.name
        ));
    }
    notes
}

/// Roles for a table that is seen for the first time.
fn fresh(table: &Table, other: Option<&Table>, options: &DataOptions) -> Result<Roles, DataError> {
    let (target_table, own) = (other.unwrap_or(table), other.is_none());
    let targets: Vec<usize> = if own && !options.target.is_empty() {
        options.target.iter().map(|t| table.column(t)).collect::<Result<_, _>>()?
    } else if own {
        vec![table.names.len() - 1]
    } else {
        (0..target_table.names.len()).collect()
    };
    let dropped = options.drop.iter().map(|d| table.column(d)).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Vec::new();
    for (index, name) in table.names.iter().enumerate() {
        let scan = &table.columns[index];
        let unused =
            dropped.contains(&index) || own && targets.contains(&index) || scan.n_missing == table.n_rows;
        if !unused {
            columns.push(Column { name: name.clone(), index, role: role(table, name, scan)? });
        }
    }
    if columns.is_empty() {
        return Err(DataError::NoInputs { path: table.path.clone() });
    }
    let names: Vec<String> = targets.iter().map(|i| target_table.names[*i].clone()).collect();
    let task = task(target_table, &targets, &names, options)?;
    let pairs = names.into_iter().zip(&targets).filter(|_| own);
    let targets_here = pairs.map(|(name, index)| TargetColumn { name, index: *index }).collect();
    Ok(Roles {
        schema: TableSchema { width: table.names.len(), columns, targets: targets_here, task },
        targets,
    })
}

/// Roles for a table that must be encoded like an earlier one.
fn again(table: &Table, other: Option<&Table>, schema: &TableSchema) -> Result<Roles, DataError> {
    let mut schema = schema.clone();
    let mut targets = Vec::new();
    let by_name = table.has_names && schema.columns.iter().any(|c| table.names.contains(&c.name));
    if by_name {
        for column in &mut schema.columns {
            column.index = table.column(&column.name)?;
        }
        targets = schema.targets.iter().filter_map(|t| table.column(&t.name).ok()).collect();
    } else if table.names.len() == schema.width {
        targets = schema.targets.iter().map(|t| t.index).collect();
    } else if table.names.len() == schema.columns.len() {
        schema.columns.iter_mut().enumerate().for_each(|(i, c)| c.index = i);
    } else {
        let (expected, got) = (schema.width, table.names.len());
        return Err(DataError::Ragged { line: 1, expected, got, path: table.path.clone() });
    }
    match other {
        Some(other) => {
            let (expected, got) = (schema.task.n_targets(), other.names.len());
            if got != expected {
                return Err(DataError::Ragged { line: 1, expected, got, path: other.path.clone() });
            }
            targets = (0..got).collect();
        }
        None if targets.len() != schema.targets.len() => targets.clear(),
        None => {}
    }
    Ok(Roles { schema, targets })
}

fn role(table: &Table, name: &str, scan: &ColumnScan) -> Result<Role, DataError> {
    if scan.is_number() {
        return Ok(Role::Number { mean: scan.mean() });
    }
    let (value, line) = scan.text.clone().unwrap_or_default();
    // Numbers with few slips among them: a mistake in the data, not a category.
    if scan.n_numbers > 20 && scan.n_text * 20 <= scan.n_numbers {
        let column = name.to_string();
        return Err(DataError::NotANumber { value, line, column, path: table.path.clone() });
    }
    if scan.distinct.len() > MAX_CATEGORIES {
        let (column, limit, path) = (name.to_string(), MAX_CATEGORIES, table.path.clone());
        return Err(DataError::TooManyCategories { column, limit, example: value, path });
    }
    Ok(Role::Category { values: scan.distinct.iter().cloned().collect(), missing: scan.n_missing > 0 })
}

/// Classes or numbers. The classes themselves are found in the second pass, unless the first line tells them.
fn task(
    table: &Table,
    targets: &[usize],
    names: &[String],
    options: &DataOptions,
) -> Result<Task, DataError> {
    let scans: Vec<&ColumnScan> = targets.iter().map(|i| &table.columns[*i]).collect();
    let few = |s: &ColumnScan| s.whole && s.distinct.len() <= FEW && 2 * s.distinct.len() <= table.n_rows;
    let looks_like_classes = match scans[..] {
        [one] => table.classes.is_some() || !one.is_number() || few(one),
        _ => false,
    };
    let kind = options.task.unwrap_or(if looks_like_classes {
        TaskKind::Classification
    } else {
        TaskKind::Regression
    });
    if kind == TaskKind::Regression {
        return Ok(Task::Regression { targets: names.to_vec() });
    }
    if targets.len() > 1 {
        let expected = format!("`regression` for {} target columns", targets.len());
        return Err(DataError::BadOption { option: "task", value: "classification".into(), expected });
    }
    Ok(Task::Classification { classes: table.classes.clone().unwrap_or_default() })
}

/// Inputs of all rows.
struct Inputs {
    values: Vec<f32>,
    /// Flat indices of numbers that were missing.
    missing: Vec<usize>,
    n_missing: usize,
    /// Fields with values that no category has.
    n_unknown: usize,
}

impl Inputs {
    fn encode(table: &Table, schema: &TableSchema, options: &DataOptions) -> Result<Inputs, DataError> {
        let width = schema.n_inputs();
        let values = vec![0.0; table.n_rows * width];
        let mut all = Inputs { values, missing: Vec::new(), n_missing: 0, n_unknown: 0 };
        let places = places(table, schema);
        table.each(|row, line, fields| {
            for (field, place) in fields.zip(&places) {
                let Some((column, at)) = place else { continue };
                let at = row * width + at;
                if !is_missing(field) {
                    all.known(&column.role, at, field)
                        .map_err(|b| b.error(table, (row, line), &column.name))?;
                } else if options.allow_missing == Some(false) {
                    let (column, path) = (column.name.clone(), table.path.clone());
                    return Err(DataError::MissingValue { line, column, target: false, path });
                } else {
                    all.unknown(&column.role, at);
                }
            }
            Ok(())
        })?;
        all.missing.sort_unstable();
        Ok(all)
    }

    /// Writes a field of a column whose first input is at `at`.
    fn known(&mut self, role: &Role, at: usize, field: &str) -> Result<(), BadNumber> {
        match role {
            Role::Number { .. } => self.values[at] = finite(field)?,
            Role::Category { values, .. } => match values.binary_search_by(|v| v.as_str().cmp(field)) {
                Ok(value) => self.values[at + value] = 1.0,
                Err(_) => self.n_unknown += 1,
            },
        }
        Ok(())
    }

    /// Writes what stands for a missing value.
    fn unknown(&mut self, role: &Role, at: usize) {
        self.n_missing += 1;
        match role {
            Role::Number { mean } => {
                self.missing.push(at);
                self.values[at] = *mean as f32;
            }
            Role::Category { values, missing: true } => self.values[at + values.len()] = 1.0,
            Role::Category { missing: false, .. } => {}
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.n_missing > 0 {
            let what = "the column's mean for numbers, a category of their own for text";
            notes.push(format!("{} missing values: {what}", self.n_missing));
        }
        if self.n_unknown > 0 {
            let what = "values that the training table did not; they count as none";
            notes.push(format!("{} fields hold {what}", self.n_unknown));
        }
        notes
    }
}

/// For each column of the table: its role and its first input.
fn places<'a>(table: &Table, schema: &'a TableSchema) -> Vec<Option<(&'a Column, usize)>> {
    let mut places = vec![None; table.names.len()];
    let mut at = 0;
    for column in &schema.columns {
        places[column.index] = Some((column, at));
        at += column.role.width();
    }
    places
}

/// A field that is not a finite number.
struct BadNumber {
    field: String,
    value: Option<f64>,
    target: bool,
}

impl BadNumber {
    fn error(self, table: &Table, (row, line): (usize, u64), column: &str) -> DataError {
        let (column, path) = (column.to_string(), table.path.clone());
        let BadNumber { target, .. } = self;
        match self.value {
            Some(value) => DataError::NotFinite { target, value, row, column, path },
            None => DataError::NotANumber { value: self.field, line, column, path },
        }
    }
}

/// A field as a finite number.
fn finite(field: &str) -> Result<f32, BadNumber> {
    let value = number(field);
    match value {
        Some(x) if (x as f32).is_finite() => Ok(x as f32),
        _ => Err(BadNumber { field: field.to_string(), value, target: false }),
    }
}

/// Targets of all rows, NaN where the table has none; finds the classes and writes them to the roles.
fn targets(table: &Table, roles: &mut Roles, options: &DataOptions) -> Result<Vec<f32>, DataError> {
    if roles.targets.is_empty() {
        return Ok(vec![f32::NAN; roles.schema.task.n_targets() * table.n_rows]);
    }
    match &mut roles.schema.task {
        Task::Regression { .. } => numbers(table, &roles.targets, options.missing_targets),
        Task::Classification { classes } => {
            let raw = texts(table, roles.targets[0], options.missing_targets)?;
            if table.classes.as_ref().is_some_and(|told| told == classes) {
                return counted(table, &raw, classes.len());
            }
            if classes.is_empty() {
                *classes = found(&raw, options)?;
            }
            by_name(table, &raw, classes)
        }
    }
}

fn numbers(table: &Table, targets: &[usize], may_miss: bool) -> Result<Vec<f32>, DataError> {
    let mut out = vec![0.0; table.n_rows * targets.len()];
    table.each(|row, line, fields| {
        for (index, field) in fields.enumerate() {
            let Some(place) = targets.iter().position(|t| *t == index) else { continue };
            let name = &table.names[index];
            if is_missing(field) {
                if may_miss {
                    out[row * targets.len() + place] = f32::NAN;
                    continue;
                }
                let (column, path) = (name.clone(), table.path.clone());
                return Err(DataError::MissingValue { line, column, target: true, path });
            }
            out[row * targets.len() + place] = finite(field)
                .map_err(|bad| BadNumber { target: true, ..bad }.error(table, (row, line), name))?;
        }
        Ok(())
    })?;
    Ok(out)
}

/// The label of a row without one.
const MISSING: u32 = u32::MAX;

/// Labels as indices into the different texts, in the order in which they come; with the line of each text.
struct Raw {
    labels: Vec<u32>,
    texts: Vec<(String, u64)>,
}

fn texts(table: &Table, target: usize, may_miss: bool) -> Result<Raw, DataError> {
    let mut raw = Raw { labels: Vec::with_capacity(table.n_rows), texts: Vec::new() };
    let mut known: HashMap<String, u32> = HashMap::new();
    table.each(|_, line, fields| {
        let field = fields.nth(target).unwrap_or_default();
        if is_missing(field) {
            if may_miss {
                raw.labels.push(MISSING);
                return Ok(());
            }
            let (column, path) = (table.names[target].clone(), table.path.clone());
            return Err(DataError::MissingValue { line, column, target: true, path });
        }
        let label = match known.get(field) {
            Some(label) => *label,
            None => {
                let label = raw.texts.len() as u32;
                known.insert(field.to_string(), label);
                raw.texts.push((field.to_string(), line));
                label
            }
        };
        raw.labels.push(label);
        Ok(())
    })?;
    Ok(raw)
}

/// Labels that are indices into classes named by the first line.
fn counted(table: &Table, raw: &Raw, n_classes: usize) -> Result<Vec<f32>, DataError> {
    let label = |text: &str| number(text).unwrap_or(f64::NAN);
    let good = |l: f64| l >= 0.0 && l < n_classes as f64 && l.fract() == 0.0;
    let one = |l: &u32| if *l == MISSING { f64::NAN } else { label(&raw.texts[*l as usize].0) };
    let labels: Vec<f64> = raw.labels.iter().map(one).collect();
    let wrong = |(l, raw): (&f64, &u32)| *raw != MISSING && !good(*l);
    match labels.iter().zip(&raw.labels).position(wrong) {
        Some(row) => {
            let path = table.path.clone();
            Err(DataError::LabelOutOfRange { label: labels[row], row, last: n_classes - 1, path })
        }
        None => Ok(labels.into_iter().map(|l| l as f32).collect()),
    }
}

/// The classes that occur, sorted: as numbers if all are, else as text.
fn found(raw: &Raw, options: &DataOptions) -> Result<Vec<String>, DataError> {
    let mut classes: Vec<String> = raw.texts.iter().map(|(text, _)| canonical(text)).collect();
    let all_numbers = classes.iter().all(|c| number(c).is_some());
    if all_numbers {
        classes.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
    } else {
        classes.sort();
    }
    classes.dedup();
    let limit = options.classes.unwrap_or(MAX_CLASSES);
    if classes.len() > limit {
        let expected = format!("at least {}, the number of different values of the target", classes.len());
        let value = if options.classes.is_some() { limit.to_string() } else { "none".into() };
        return Err(DataError::BadOption { option: "classes", value, expected });
    }
    Ok(classes)
}

/// Classes by name; by index, if the classes were named by the first line of the training table.
fn by_name(table: &Table, raw: &Raw, classes: &[String]) -> Result<Vec<f32>, DataError> {
    let index: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, c)| (c.as_str(), i)).collect();
    let named = classes.iter().all(|c| number(c).is_none());
    let by_index = |text: &str| text.parse::<usize>().ok().filter(|i| named && *i < classes.len());
    let class = |(text, line): &(String, u64)| {
        let found = index.get(canonical(text).as_str()).or_else(|| index.get(text.as_str())).copied();
        found.or_else(|| by_index(text)).map(|i| i as f32).ok_or_else(|| DataError::UnknownClass {
            value: text.clone(),
            line: *line,
            n_classes: classes.len(),
            nearest: nearest(text, classes.iter().map(String::as_str)),
            path: table.path.clone(),
        })
    };
    let map = raw.texts.iter().map(class).collect::<Result<Vec<f32>, _>>()?;
    Ok(raw.labels.iter().map(|l| map.get(*l as usize).copied().unwrap_or(f32::NAN)).collect())
}

/// `1`, `1.0` and `1.00` are one class.
fn canonical(text: &str) -> String {
    match number(text) {
        Some(x) if x.is_finite() => x.to_string(),
        _ => text.to_string(),
    }
}
