//! The plan for a table that is seen for the first time: a role for each column.

use super::cells::{Cell, Column as Cells, Text};
use super::encode::{Codes, Plan};
use super::kinds::{Found, Kind, MAX_CATEGORIES};
use super::moments::Known;
use super::read::Source;
use super::readings::Readings;
use super::roles::{self, Roles};
use super::{Table, dates, precision, remarks};
use crate::columns::ColumnRole;
use crate::dataset::MAX_CLASSES;
use crate::schema::{Column, DatePart, Dialect, Role, TableSchema, TargetColumn, WeightColumn};
use crate::{DataError, DataOptions, DateOrder, Task};

/// Finds what each column holds and is for.
///
/// # Errors
/// [`DataError`] of columns that are used.
pub(super) fn plan(
    table: &mut Table,
    mut other: Option<&mut Table>,
    options: &DataOptions,
) -> Result<Plan, DataError> {
    let roles = Roles::find(table, other.is_none(), options)?;
    let mut notes = std::mem::take(&mut table.notes);
    notes.extend(roles.notes.iter().cloned());
    if table.names.len() == 1 && other.is_none() {
        return Err(no_inputs(table, &roles));
    }
    if !roles.faults.is_empty() {
        return Err(DataError::Columns { faults: roles.faults, path: table.path.clone() });
    }
    let (task, targets, target_texts) = match other.as_deref_mut() {
        Some(other) => {
            let theirs = Roles::find(other, true, &of_targets(other, options))?;
            if !theirs.faults.is_empty() {
                return Err(DataError::Columns { faults: theirs.faults, path: other.path.clone() });
            }
            task_of(other, &theirs.targets, &theirs.found, options, &mut notes)?
        }
        None => task_of(table, &roles.targets, &roles.found, options, &mut notes)?,
    };
    let own = other.is_none();
    if own
        && options.target.is_empty()
        && table.outputs.is_empty()
        && let [target] = targets[..]
    {
        notes.push(format!(
            "the target is the last column, `{}`; `data.target=NAME` chooses another",
            table.names[target]
        ));
    }
    notes.extend(cut_note(options));
    notes.extend(weight_note(table, &roles));
    let inputs: Vec<usize> = roles.of(ColumnRole::Input).collect();
    let words: Vec<usize> = inputs.iter().copied().filter(|i| is_words(&roles.found[*i])).collect();
    table.make_words(&words, MAX_CATEGORIES, options)?;
    let (mut columns, mut codes, mut rare) = (Vec::new(), Vec::new(), Vec::new());
    for index in inputs {
        let Some(found) = &roles.found[index] else { continue };
        let (role, code) = role(table, index, found, options, &mut rare)?;
        columns.push(Column { name: table.names[index].clone(), index, role });
        codes.push(code);
    }
    if columns.is_empty() {
        return Err(no_inputs(table, &roles));
    }
    notes.extend(rare);
    notes.extend(missing_note(&columns, &roles.found));
    let named = targets.iter().filter(|_| own);
    let target =
        |index: &usize| TargetColumn { name: table.names[*index].clone(), index: *index, offset: 0.0 };
    let schema = TableSchema {
        width: table.names.len(),
        targets: named.map(target).collect(),
        weight: weight_of(&roles).map(|index| WeightColumn { name: table.names[index].clone(), index }),
        columns,
        task,
        has_names: table.has_names,
        dialect: dialect(table, options),
    };
    let widths = schema.columns.iter().map(|c| (c.index, c.role.width())).collect();
    let columns = roles.columns(table, &widths);
    let mut warnings = precision::warnings(table, &schema, &codes);
    warnings.extend(remarks::warnings(table, &roles, &schema.task));
    Ok(Plan { schema, codes, targets, target_texts, columns, notes, warnings })
}

/// How a file of targets alone is read.
fn of_targets(table: &Table, options: &DataOptions) -> DataOptions {
    let (types, drop) = (Default::default(), Vec::new());
    DataOptions { target: table.names.clone(), drop, types, group: None, weight: None, ..options.clone() }
}

/// By what parts are cut, where that is told.
fn cut_note(options: &DataOptions) -> Option<String> {
    let group = options.group.as_ref();
    let by_group =
        group.map(|g| format!("`{g}` decides which rows stay together in one part, and is not an input"));
    let time = options.time.as_ref();
    by_group.or(time.map(|t| {
        format!("`{t}` decides the parts: the latest rows are for testing, those before them for validation")
    }))
}

/// The column that weighs the rows.
fn weight_of(roles: &Roles) -> Option<usize> {
    roles.of(ColumnRole::Weight).next()
}

/// What weights do, where there are any, and what they do not.
fn weight_note(table: &Table, roles: &Roles) -> Option<String> {
    let name = &table.names[weight_of(roles)?];
    Some(format!(
        "`{name}` weighs the rows in every loss, and is not an input; accuracy, R² and other figures, \
         preprocessing and simple models count each row alike"
    ))
}

/// The error of a table in which no column is left, with what there was.
fn no_inputs(table: &Table, roles: &Roles) -> DataError {
    let one = table.source.as_ref().filter(|_| table.names.len() == 1);
    let separator = one.and_then(Source::other_separator);
    DataError::NoInputs { left_out: roles.left_out(table), separator, path: table.path.clone() }
}

/// The task of a table's targets; classes get words for numbers.
type Targets = (Task, Vec<usize>, Vec<Readings>);

fn task_of(
    table: &mut Table,
    targets: &[usize],
    found: &[Option<Found>],
    options: &DataOptions,
    notes: &mut Vec<String>,
) -> Result<Targets, DataError> {
    let mut own = Vec::new();
    let mut task = roles::task(table, targets, found, options, &mut own)?;
    notes.extend(own);
    let mut texts = Vec::new();
    match &mut task {
        Task::Regression { .. } => {
            let values =
                |i: &usize| found[*i].as_ref().and_then(|f| f.kind.texts()).cloned().unwrap_or_default();
            texts = targets.iter().map(values).collect();
        }
        Task::Classification { classes } if classes.is_empty() => {
            table.make_words(targets, most_classes(options), options)?;
            *classes = roles::classes(table, targets[0], options)?;
        }
        Task::Classification { .. } => table.make_words(targets, most_classes(options), options)?,
    }
    Ok((task, targets.to_vec(), texts))
}

/// Texts of a target that are classes by themselves.
fn most_classes(options: &DataOptions) -> usize {
    options.classes.unwrap_or(MAX_CLASSES)
}

fn is_words(found: &Option<Found>) -> bool {
    found.as_ref().is_some_and(|f| f.kind == Kind::Category)
}

/// How the table was written.
fn dialect(table: &Table, options: &DataOptions) -> Dialect {
    let mark = options.decimal.or(table.mark.map(char::from));
    Dialect {
        separator: table.source.as_ref().map(|s| char::from(s.cuts.separator)),
        decimal: mark,
        thousands: options.thousands,
        missing: options.missing.clone(),
        comment: options.comment.clone(),
        encoding: options.encoding.clone(),
    }
}

/// How many values were missing in which columns, and what stands for them.
fn missing_note(columns: &[Column], found: &[Option<Found>]) -> Option<String> {
    let of = |c: &Column| found[c.index].as_ref().map_or(0, |f| f.n_missing);
    let some: Vec<String> =
        columns.iter().filter(|c| of(c) > 0).map(|c| format!("`{}` ({})", c.name, of(c))).collect();
    let n: usize = columns.iter().map(of).sum();
    let s = if n == 1 { "" } else { "s" };
    (n > 0).then(|| {
        format!(
            "{n} missing value{s} in {}: a number becomes the median of its column, with an extra input that says it was missing",
            crate::error::first(&some)
        )
    })
}

/// The role of an input column that is seen for the first time.
fn role(
    table: &Table,
    index: usize,
    found: &Found,
    options: &DataOptions,
    notes: &mut Vec<String>,
) -> Result<(Role, Codes), DataError> {
    let column = &table.columns[index];
    let indicator = found.n_missing > 0;
    if indicator && options.allow_missing == Some(false) {
        let (name, path) = (table.names[index].clone(), table.path.clone());
        let place = table.place_of(first_missing(table, column, &found.kind));
        let n = found.n_missing;
        return Err(DataError::MissingValue { n, place, column: name, target: false, path });
    }
    Ok(match &found.kind {
        Kind::Number { texts } => {
            let known = Known::of(table, column, texts);
            known.check(table, index, false)?;
            let (offset, factor) = known.offset_and_factor();
            let fill = (known.mean - offset) * factor;
            (Role::Number { fill, indicator, offset, factor }, Codes::Measured(texts.clone()))
        }
        Kind::Boolean { texts, names } => {
            let fill = f64::from(u8::from(Known::of(table, column, texts).mean > 0.5));
            (Role::Boolean { names: names.clone(), fill, indicator }, Codes::Measured(texts.clone()))
        }
        Kind::Date { texts, has_date, has_time } => {
            let known = Known::of(table, column, texts);
            let (parts, offset) = date_parts(table, &known, column, texts, *has_date, *has_time);
            let fill = (known.mean - offset) / dates::DAY;
            let order = date_order(column, options);
            (Role::Date { parts, offset, order, fill, indicator }, Codes::Measured(texts.clone()))
        }
        _ => {
            let (values, other) = values(table, column);
            if other > 0 {
                notes.push(format!(
                    "column `{}` has {} different values: {} of them have their own input, the {other} rarest share one",
                    table.names[index],
                    values.len() + other,
                    values.len()
                ));
            }
            let role = Role::Category { values, missing: indicator, other: other > 0 };
            let codes = word_codes(table, column, &role);
            (role, Codes::Words(codes))
        }
    })
}

/// The first row without a value.
fn first_missing(table: &Table, column: &Cells, kind: &Kind) -> usize {
    let texts = kind.texts();
    let missing = |cell: Cell| match cell {
        Cell::Number(x) => table.marks.has_number(x),
        Cell::Text(code) => match texts {
            Some(texts) => texts[code as usize].is_nan(),
            None => table.marks.has_among_words(&column.texts[code as usize].text),
        },
    };
    column.cells().position(missing).unwrap_or(0)
}

/// The order that decides dates which leave it open.
fn date_order(column: &Cells, options: &DataOptions) -> DateOrder {
    let month_first = |t: &Text| dates::evidence(&t.text) == Some(dates::Evidence::MonthFirst);
    let found = if column.texts.iter().any(month_first) { DateOrder::Mdy } else { DateOrder::Dmy };
    options.date_order.unwrap_or(found)
}

/// The values of a category, sorted: all, or the most frequent ones; and how many others there are.
fn values(table: &Table, column: &Cells) -> (Vec<String>, usize) {
    let known = || column.texts.iter().filter(|t| t.count > 0 && !table.marks.has_among_words(&t.text));
    let n: usize = known().map(|t| t.distinct).sum();
    // what stands for several is rarer than the others
    let mut all: Vec<(&str, usize)> =
        known().filter(|t| t.distinct == 1).map(|t| (t.word(), t.count)).collect();
    if n > MAX_CATEGORIES {
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(MAX_CATEGORIES - 1);
    }
    let mut values: Vec<String> = all.into_iter().map(|(text, _)| text.to_string()).collect();
    values.sort();
    let other = n - values.len();
    (values, other)
}

/// The input of each text of a column of words.
pub(crate) fn word_codes(table: &Table, column: &Cells, role: &Role) -> Vec<Option<u32>> {
    let Role::Category { values, missing, other } = role else { return Vec::new() };
    let place = |text: &str| {
        if let Ok(at) = values.binary_search_by(|v| v.as_str().cmp(text)) {
            return Some(at as u32);
        }
        let n = values.len() as u32;
        match table.marks.has_among_words(text) {
            true => missing.then_some(n),
            false => other.then_some(n + u32::from(*missing)),
        }
    };
    column.texts.iter().map(|t| place(t.word())).collect()
}

/// The inputs that a date is worth, and where elapsed time begins.
fn date_parts(
    table: &Table,
    known: &Known,
    column: &Cells,
    texts: &Readings,
    has_date: bool,
    has_time: bool,
) -> (Vec<DatePart>, f64) {
    let mut parts = Vec::new();
    let mut weekdays = [false; 7];
    for seconds in column.values(texts, &table.marks).filter(|x| x.is_finite()) {
        weekdays[(seconds / dates::DAY).floor().rem_euclid(7.0) as usize] = true;
    }
    let days = (known.max - known.min) / dates::DAY;
    if has_date {
        parts.push(DatePart::Elapsed);
    }
    if has_date && days >= 180.0 {
        parts.push(DatePart::Year);
    }
    if has_date && days >= 7.0 && weekdays.iter().filter(|w| **w).count() > 1 {
        parts.push(DatePart::Week);
    }
    if has_time || parts.is_empty() {
        parts.push(DatePart::Day);
    }
    let offset = if has_date && known.n > 0 { (known.min / dates::DAY).floor() * dates::DAY } else { 0.0 };
    (parts, offset)
}
