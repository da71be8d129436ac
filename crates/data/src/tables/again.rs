//! A table for a model that was trained before: its columns are found by name or place, and read as they were then.

use std::collections::BTreeMap;

use super::cells::{Column as Cells, Text};
use super::encode::{Codes, Plan};
use super::fresh::word_codes;
use super::header::is_same;
use super::kinds::MAX_CATEGORIES;
use super::readings::{Readings, Rule};
use super::{Table, dates, style};
use crate::dataset::MAX_CLASSES;
use crate::error::{ColumnFault, Fault, NAMED, Odd};
use crate::schema::{Column, Role, TableSchema};
use crate::{DataError, DataOptions, Task};

/// Finds the columns of a trained model in a table and what their texts stand for.
///
/// # Errors
/// [`DataError::NoColumn`], [`DataError::Ragged`], or columns that hold something else than they did.
pub(crate) fn plan(
    table: &mut Table,
    mut other: Option<&mut Table>,
    schema: &TableSchema,
    options: &DataOptions,
) -> Result<Plan, DataError> {
    let (schema, mut targets) = places(table, schema, options)?;
    match other.as_deref_mut() {
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
    let unweighted = match (&schema.weight, weight(table, &schema, options)?) {
        (Some(then), None) if !options.inputs_only => {
            Some(format!("there is no column `{}`, so all rows count alike in the loss", then.name))
        }
        _ => None,
    };
    let words = schema.columns.iter().filter(|c| matches!(c.role, Role::Category { .. })).map(|c| c.index);
    let words: Vec<usize> = words.collect();
    table.make_words(&words, MAX_CATEGORIES, options)?;
    let mut codes = Vec::new();
    let mut seen = Seen::default();
    let mut faults = Vec::new();
    for column in &schema.columns {
        let cells = &table.columns[column.index];
        let code = match &column.role {
            role @ Role::Category { values, .. } => {
                let places = word_codes(table, cells, role);
                let unknown = |t: &&Text| {
                    t.count > 0
                        && !table.marks.has_among_words(&t.text)
                        && values.binary_search_by(|v| v.as_str().cmp(&t.text)).is_err()
                };
                add(&mut seen.unknown, &column.name, cells.texts.iter().filter(unknown));
                Codes::Words(places)
            }
            role => match measured(table, cells, role, &schema, options) {
                Ok((texts, unread)) => {
                    finite(table, column, &texts)?;
                    add(&mut seen.unread, &column.name, unread.into_iter());
                    seen.missing(&column.name, n_missing(table, cells, &texts), &column.role);
                    Codes::Measured(texts)
                }
                Err(fault) => {
                    faults.push(ColumnFault { column: column.name.clone(), target: false, fault });
                    Codes::Measured(Readings::default())
                }
            },
        };
        codes.push(code);
    }
    if !faults.is_empty() {
        return Err(DataError::Columns { faults, path: table.path.clone() });
    }
    let target_table = other.unwrap_or(table);
    let target_texts = target_texts(target_table, &targets, &schema, options)?;
    let notes = std::mem::take(&mut target_table.notes);
    let mut warnings = seen.warnings();
    warnings.extend(unweighted);
    Ok(Plan { schema, codes, targets, target_texts, columns: Vec::new(), notes, warnings })
}

/// The values of the texts of targets that are numbers; classes get words instead.
fn target_texts(
    table: &mut Table,
    targets: &[usize],
    schema: &TableSchema,
    options: &DataOptions,
) -> Result<Vec<Readings>, DataError> {
    if let Task::Classification { .. } = schema.task {
        table.make_words(targets, MAX_CLASSES, options)?;
        return Ok(Vec::new());
    }
    let role = Role::Number { fill: 0.0, indicator: false, offset: 0.0, factor: 1.0 };
    let mut all = Vec::new();
    for &index in targets {
        let cells = &table.columns[index];
        let texts = match measured(table, cells, &role, schema, options) {
            Ok((texts, unread)) if unread.is_empty() || options.inputs_only => texts,
            Ok((_, unread)) => {
                let text = unread[0];
                let place = table.place_of(cells.first_row(text));
                let fault = Fault::NotANumber { value: text.text.to_string(), place };
                return Err(one_fault(table, index, fault));
            }
            Err(_) if options.inputs_only => {
                Readings { listed: vec![f64::NAN; cells.texts.len()], rule: Rule::Listed }
            }
            Err(fault) => return Err(one_fault(table, index, fault)),
        };
        all.push(texts);
    }
    Ok(all)
}

fn one_fault(table: &Table, index: usize, fault: Fault) -> DataError {
    let faults = vec![ColumnFault { column: table.names[index].clone(), target: true, fault }];
    DataError::Columns { faults, path: table.path.clone() }
}

/// The schema with the places that its columns have in this table, and the columns of the targets that it has.
fn places(
    table: &Table,
    schema: &TableSchema,
    options: &DataOptions,
) -> Result<(TableSchema, Vec<usize>), DataError> {
    let mut schema = schema.clone();
    let mut targets = Vec::new();
    let names = table.by_name();
    let place = |name: &str| names.get(name).copied().or_else(|| alike(table, name));
    if is_named(table, &schema) {
        for column in &mut schema.columns {
            column.index = place(&column.name).ok_or_else(|| table.no_column(&column.name))?;
        }
        targets = schema.targets.iter().filter_map(|t| place(&t.name)).collect();
    } else if table.names.len() == schema.width {
        targets = schema.targets.iter().map(|t| t.index).collect();
    } else if table.names.len() == schema.columns.len() {
        schema.columns.iter_mut().enumerate().for_each(|(i, c)| c.index = i);
    } else if let Some(found) = without(&schema, table.names.len(), options) {
        return Ok(found);
    } else {
        let (expected, got) = (schema.width, table.names.len());
        return Err(DataError::Ragged { line: 1, expected, got, path: table.path.clone() });
    }
    Ok((schema, targets))
}

/// The column of a table that weighs its rows for a model that was trained before: the one that the setting names, else
/// that of the training table; none where the table does not have it.
///
/// # Errors
/// [`DataError::NoColumn`] for a setting that names none, where the training table had no weights.
pub(super) fn weight(
    table: &Table,
    schema: &TableSchema,
    options: &DataOptions,
) -> Result<Option<usize>, DataError> {
    let Some(then) = &schema.weight else {
        return options.weight.as_ref().map(|name| table.column(name)).transpose();
    };
    if !is_named(table, schema) {
        return Ok((table.names.len() == schema.width).then_some(then.index));
    }
    let names = table.by_name();
    let asked = options.weight.as_ref().and_then(|name| names.get(&name[..]));
    Ok(asked.or_else(|| names.get(&then.name[..])).copied().or_else(|| alike(table, &then.name)))
}

/// Whether the columns are found by their names.
fn is_named(table: &Table, schema: &TableSchema) -> bool {
    let names = table.by_name();
    table.has_names && (schema.has_names || schema.columns.iter().any(|c| names.contains_key(&c.name[..])))
}

/// The schema for a table without names that lacks the targets, the weights, or both, and the columns of the targets
/// that it has. Where more than one of these may be, the inputs must stand at the same places in all.
fn without(schema: &TableSchema, n: usize, options: &DataOptions) -> Option<(TableSchema, Vec<usize>)> {
    let targets: Vec<usize> = schema.targets.iter().map(|t| t.index).collect();
    let weight = schema.weight.iter().map(|w| w.index);
    let both = targets.iter().copied().chain(weight.clone()).collect();
    let mut found: Option<(TableSchema, Vec<usize>)> = None;
    for lacks in [weight.collect(), targets.clone(), both] {
        let lacks: Vec<usize> = lacks;
        if lacks.is_empty() || n + lacks.len() != schema.width {
            continue;
        }
        let moved = |index: usize| index - lacks.iter().filter(|l| **l < index).count();
        let mut here = schema.clone();
        here.columns.iter_mut().for_each(|c| c.index = moved(c.index));
        let left = targets.iter().filter(|t| !lacks.contains(t)).map(|t| moved(*t)).collect();
        match &found {
            Some((before, _)) if before.columns != here.columns => return None,
            // with targets to compare with, if any are wanted
            Some(_) => {}
            None => found = Some((here, left)),
        }
    }
    found.map(|(schema, targets)| (schema, if options.inputs_only { Vec::new() } else { targets }))
}

/// The only column whose name differs from `name` in nothing but case and blanks at its ends.
fn alike(table: &Table, name: &str) -> Option<usize> {
    let mut all = table.names.iter().enumerate().filter(|(_, n)| is_same(n, name));
    match (all.next(), all.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// The values of the texts of a measured column, and the texts that none was found for.
fn measured<'a>(
    table: &Table,
    cells: &'a Cells,
    role: &Role,
    schema: &TableSchema,
    options: &DataOptions,
) -> Result<(Readings, Vec<&'a Text>), Fault> {
    let then = schema.dialect.decimal.and_then(|d| u8::try_from(d).ok());
    let votes = style::votes(cells);
    let own = style::of_column(&votes, then, options).ok().flatten();
    let decimal = own.or(then).unwrap_or(b'.');
    let thousands = options.thousands.or(schema.dialect.thousands);
    let own_order = options
        .date_order
        .or_else(|| dates::order(cells.texts.iter().filter(|t| t.count > 0).map(|t| &*t.text)));
    let rule = match role {
        Role::Number { .. } => Rule::Number { decimal, thousands },
        Role::Date { order, .. } => Rule::Date(own_order.unwrap_or(*order)),
        Role::Boolean { .. } | Role::Category { .. } => Rule::Listed,
    };
    let read = |text: &str| match role {
        Role::Boolean { names, .. } => {
            names.iter().position(|n| n.eq_ignore_ascii_case(text)).map(|i| i as f64)
        }
        _ => rule.read(text),
    };
    let mut texts = vec![f64::NAN; cells.texts.len()];
    let mut unread = Vec::new();
    for (value, text) in texts.iter_mut().zip(&cells.texts).filter(|(_, t)| t.count > 0) {
        if table.marks.has_among_numbers(&text.text) {
            continue;
        }
        match read(&text.text) {
            Some(x) => *value = x,
            None => unread.push(text),
        }
    }
    let n: usize = unread.iter().map(|t| t.count).sum();
    if n * 2 > cells.len() {
        let kind = if matches!(role, Role::Date { .. }) { "dates" } else { "numbers" };
        let odd = |t: &&Text| {
            let row = cells.first_row(t);
            Odd { value: t.text.to_string(), count: t.count, place: table.place_of(row), row }
        };
        let (known, distinct) = (cells.len(), unread.iter().map(|t| t.distinct).sum());
        return Err(Fault::Mixed { kind, n, known, distinct, odd: unread.iter().take(3).map(odd).collect() });
    }
    Ok((Readings { listed: texts, rule }, unread))
}

/// A number that is infinite, or becomes so as an input, is an error.
fn finite(table: &Table, column: &Column, texts: &Readings) -> Result<(), DataError> {
    let Role::Number { offset, factor, .. } = column.role else { return Ok(()) };
    for (row, value) in table.columns[column.index].values(texts, &table.marks).enumerate() {
        if !value.is_nan() && (((value - offset) * factor) as f32).is_infinite() {
            let (column, path) = (column.name.clone(), table.path.clone());
            return Err(DataError::NotFinite { target: false, value, row, column, path });
        }
    }
    Ok(())
}

fn n_missing(table: &Table, cells: &Cells, texts: &[f64]) -> usize {
    let marked = |t: &(&Text, &f64)| t.1.is_nan() && table.marks.has_among_numbers(&t.0.text);
    cells.texts.iter().zip(texts).filter(marked).map(|(t, _)| t.count).sum()
}

/// What a new table holds that the training table did not, by column.
#[derive(Default)]
struct Seen {
    unknown: Counted,
    unread: Counted,
    missing: BTreeMap<String, usize>,
}

/// By column, how many values there are, and which different ones.
type Counted = BTreeMap<String, (usize, Examples)>;

/// The first of different texts, and how many there are.
#[derive(Default)]
struct Examples {
    first: Vec<String>,
    n: usize,
}

impl Examples {
    fn add(&mut self, text: &Text) {
        if self.first.len() < NAMED {
            self.first.push(format!("`{}`", text.text));
        }
        self.n += text.distinct;
    }

    fn shown(&self) -> String {
        crate::error::first_of(&self.first, self.n)
    }
}

fn add<'a>(counted: &mut Counted, column: &str, texts: impl Iterator<Item = &'a Text>) {
    for text in texts {
        let (n, examples) = counted.entry(column.into()).or_default();
        *n += text.count;
        examples.add(text);
    }
}

impl Seen {
    /// Missing values that the training table had none of.
    fn missing(&mut self, column: &str, n: usize, role: &Role) {
        let known = matches!(
            role,
            Role::Number { indicator: true, .. }
                | Role::Boolean { indicator: true, .. }
                | Role::Date { indicator: true, .. }
        );
        if n > 0 && !known {
            self.missing.insert(column.into(), n);
        }
    }

    fn warnings(self) -> Vec<String> {
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let mut out = Vec::new();
        for (column, (n, examples)) in self.unknown {
            let shown = examples.shown();
            out.push(format!(
                "column `{column}` has {n} value{} that the training table did not have: {shown}",
                s(n)
            ));
        }
        for (column, (n, examples)) in self.unread {
            let shown = examples.shown();
            out.push(format!(
                "column `{column}` has {n} value{} that cannot be read and count as missing: {shown}",
                s(n)
            ));
        }
        for (column, n) in self.missing {
            out.push(format!(
                "column `{column}` lacks {n} value{}, although the training table lacked none; they become its median",
                s(n)
            ));
        }
        out
    }
}
