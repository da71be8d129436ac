//! From cells to a data set: each column by its role, computed in f64 and stored as f32.

use super::cells::{Cell, Column as Cells, unpack};
use super::kinds::{Found, Kind, MAX_CATEGORIES};
use super::read::Source;
use super::roles::{self, Roles};
use super::{Table, again, dates, precision};
use crate::columns::{ColumnInfo, ColumnRole};
use crate::schema::{Column, DatePart, Dialect, Role, TableSchema, TargetColumn};
use crate::{DataError, DataOptions, Dataset, DateOrder, MissingTarget, Origin, Task, Values};

/// Rows that are encoded together, so that they stay in the cache.
const BLOCK: usize = 512;

/// A table with the schema that it is to be encoded by.
pub(crate) struct Plan {
    pub schema: TableSchema,
    /// For each column of the schema the values of its texts, where it is measured, or the places of its texts among the
    /// values, where it is not.
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
    let mut plan = match &options.schema {
        Some(schema) => again::plan(table, other.as_mut(), schema, options)?,
        None => fresh(table, other.as_mut(), options)?,
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
    let Plan { schema, columns, notes, warnings, .. } = plan;
    Ok(Dataset {
        name: table.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        input_shape: vec![schema.n_inputs()],
        inputs: Values::F32(values),
        targets,
        task: schema.task.clone(),
        features: schema.features(),
        origin: Origin { source: table.path.display().to_string(), licence: String::new() },
        fixed_valid: None,
        fixed_test: None,
        missing,
        schema: Some(schema),
        columns,
        notes,
        warnings,
    })
}

/// A plan for a table that is seen for the first time.
fn fresh(table: &mut Table, mut other: Option<&mut Table>, options: &DataOptions) -> Result<Plan, DataError> {
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
            let all: Vec<String> = other.names.clone();
            let told =
                DataOptions { target: all, drop: Vec::new(), types: Default::default(), ..options.clone() };
            let theirs = Roles::find(other, true, &told)?;
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
            "the target is the last column, `{}`; another one: `data.target=NAME`",
            table.names[target]
        ));
    }
    let inputs: Vec<usize> = roles.of(ColumnRole::Input).collect();
    let words: Vec<usize> = inputs.iter().copied().filter(|i| is_words(&roles.found[*i])).collect();
    table.make_words(&words);
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
        columns,
        task,
        has_names: table.has_names,
        dialect: dialect(table, options),
    };
    let widths = schema.columns.iter().map(|c| (c.index, c.role.width())).collect();
    let columns = roles.columns(table, &widths);
    let warnings = precision::warnings(table, &schema, &codes);
    Ok(Plan { schema, codes, targets, target_texts, columns, notes, warnings })
}

/// The error of a table in which no column is left, with what there was.
fn no_inputs(table: &Table, roles: &Roles) -> DataError {
    let one = table.source.as_ref().filter(|_| table.names.len() == 1);
    let separator = one.and_then(Source::other_separator);
    DataError::NoInputs { left_out: roles.left_out(table), separator, path: table.path.clone() }
}

/// The task of a table's targets; classes get words for numbers.
type Targets = (Task, Vec<usize>, Vec<Vec<f64>>);

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
                |i: &usize| found[*i].as_ref().and_then(|f| f.kind.texts()).unwrap_or_default().to_vec();
            texts = targets.iter().map(values).collect();
        }
        Task::Classification { classes } if classes.is_empty() => {
            table.make_words(targets);
            *classes = roles::classes(table, targets[0], options)?;
        }
        Task::Classification { .. } => table.make_words(targets),
    }
    Ok((task, targets.to_vec(), texts))
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
            "{n} missing value{s}, in {}: the column's median stands for a number, and an input tells that it was missing",
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
            let (parts, offset) = date_parts(&known, column, texts, *has_date, *has_time);
            let fill = (known.mean - offset) / dates::DAY;
            let order = date_order(column, options);
            (Role::Date { parts, offset, order, fill, indicator }, Codes::Measured(texts.clone()))
        }
        _ => {
            let (values, other) = values(table, column);
            if other > 0 {
                notes.push(format!(
                    "column `{}` has {} different values: {} of them have an input each, the {other} rarest one together",
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
    let month_first = |t: &super::cells::Text| dates::evidence(&t.text) == Some(dates::Evidence::MonthFirst);
    let found = if column.texts.iter().any(month_first) { DateOrder::Mdy } else { DateOrder::Dmy };
    options.date_order.unwrap_or(found)
}

/// The values of a category, sorted: all, or the most frequent ones; and how many others there are.
fn values(table: &Table, column: &Cells) -> (Vec<String>, usize) {
    let mut all: Vec<(&str, usize)> = column
        .texts
        .iter()
        .filter(|t| t.count > 0 && !table.marks.has_among_words(&t.text))
        .map(|t| (t.word(), t.count))
        .collect();
    let n = all.len();
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

/// What is known of the numbers of a column.
pub(crate) struct Known {
    n: usize,
    mean: f64,
    min: f64,
    max: f64,
    std: f64,
    /// The first row with an infinite value.
    infinite: Option<(usize, f64)>,
}

impl Known {
    pub fn of(table: &Table, column: &Cells, texts: &[f64]) -> Known {
        let mut known =
            Known { n: 0, mean: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, std: 0.0, infinite: None };
        let mut squares = 0.0;
        for (row, cell) in column.cells().enumerate() {
            let x = value(cell, texts, &table.marks);
            if x.is_infinite() {
                known.infinite.get_or_insert((row, x));
            }
            if !x.is_finite() {
                continue;
            }
            known.n += 1;
            // Welford's update keeps its digits far from zero
            let from = x - known.mean;
            known.mean += from / known.n as f64;
            squares += from * (x - known.mean);
            (known.min, known.max) = (known.min.min(x), known.max.max(x));
        }
        known.std = (squares / known.n.max(1) as f64).sqrt();
        known
    }

    /// An infinite value is an error.
    pub fn check(&self, table: &Table, index: usize, target: bool) -> Result<(), DataError> {
        let Some((row, value)) = self.infinite else { return Ok(()) };
        let (column, path) = (table.names[index].clone(), table.path.clone());
        Err(DataError::NotFinite { target, value, row, column, path })
    }

    /// What is taken away before f32 and the factor of the rest: (0, 1), unless values lie so far from zero that f32
    /// would lose what makes them differ, or beyond its range.
    pub fn offset_and_factor(&self) -> (f64, f64) {
        const FAR: f64 = 1024.0;
        const LARGEST: f64 = 1e30;
        let largest = self.min.abs().max(self.max.abs());
        if self.n == 0 || largest == 0.0 {
            return (0.0, 1.0);
        }
        let far = self.std > 0.0 && largest > FAR * self.std && largest >= f64::from(1u32 << 12);
        let offset = match far {
            true if self.std >= 1.0 => self.mean.round(),
            true => self.mean,
            false => 0.0,
        };
        let rest = (self.min - offset).abs().max((self.max - offset).abs());
        let factor = if rest > LARGEST || rest > 0.0 && rest < 1.0 / LARGEST { 1.0 / rest } else { 1.0 };
        (offset, factor)
    }
}

/// The value of a cell of a measured column; NaN where it is missing.
pub(crate) fn value(cell: Cell, texts: &[f64], marks: &super::missing::Marks) -> f64 {
    match cell {
        Cell::Number(x) if marks.has_numbers() && marks.has_number(x) => f64::NAN,
        Cell::Number(x) => x,
        Cell::Text(code) => texts[code as usize],
    }
}

/// The inputs that a date is worth, and where elapsed time begins.
fn date_parts(
    known: &Known,
    column: &Cells,
    texts: &[f64],
    has_date: bool,
    has_time: bool,
) -> (Vec<DatePart>, f64) {
    let mut parts = Vec::new();
    let mut weekdays = [false; 7];
    for cell in column.cells() {
        if let Cell::Text(code) = cell
            && texts[code as usize].is_finite()
        {
            weekdays[(texts[code as usize] / dates::DAY).floor().rem_euclid(7.0) as usize] = true;
        }
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
    fn write(&mut self, row: usize, cell: Cell, role: &Role, codes: &Codes, marks: &super::missing::Marks) {
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

/// Targets of all rows, NaN where the table has none.
fn targets(table: &Table, plan: &mut Plan, options: &DataOptions) -> Result<Vec<f32>, DataError> {
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
                for (row, cell) in column.cells().enumerate() {
                    out[row * width + place] = (value(cell, texts, &table.marks) - offset) as f32;
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
    let index = again::ClassIndex::new(classes, counted);
    for text in &column.texts {
        let unknown = text.count > 0 && !table.marks.has(&text.text);
        let found = if unknown { index.find(text.word()) } else { None };
        if found.is_none() && unknown && !options.inputs_only {
            let row = column.first_row(text);
            if counted {
                let label = super::number::whole(&text.text).unwrap_or(f64::NAN);
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
fn kept_rows(
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
