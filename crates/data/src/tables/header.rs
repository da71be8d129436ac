//! Whether the first line of a table holds names: weighed by what stands below it.

use std::collections::HashMap;
use std::path::Path;

use super::cells::{Cell, Column};
use super::missing::Marks;
use super::number;
use super::read::Pass;
use super::{dates, kinds};
use crate::schema::{Column as SchemaColumn, Role};
use crate::{DataError, DataOptions};

/// The names of the columns, and where they come from.
pub(crate) struct Header {
    pub names: Vec<String>,
    pub has_names: bool,
    pub is_first_record: bool,
    /// Names of the classes, where the first line tells them.
    pub classes: Option<Vec<String>>,
}

/// What the first line most probably is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Names,
    Data,
    /// Names, without proof.
    ProbablyNames,
    /// Data, without proof.
    ProbablyData,
}

/// Tells what the first record of a pass is, and makes it a row where it is one.
pub(crate) fn find(
    pass: &mut Pass,
    commented: Option<Vec<String>>,
    options: &DataOptions,
    notes: &mut Vec<String>,
    path: &Path,
) -> Result<Header, DataError> {
    drop_empty_ends(pass, notes);
    let width = pass.columns.len();
    // a comment holds names only where the first record does not
    let commented = commented.filter(|names| names.len() == width && judge(pass) != Verdict::Names);
    let told = options.header.or(commented.is_some().then_some(false));
    if told.is_none()
        && let Some(classes) = counted(&pass.first, width, pass.n_rows)
    {
        let classes = Some(classes).filter(|c| c.len() > 1);
        return Ok(Header { names: numbered(width), has_names: false, is_first_record: true, classes });
    }
    let verdict = match told.or_else(|| known(pass, options)) {
        Some(true) => Verdict::Names,
        Some(false) => Verdict::Data,
        None => judge(pass),
    };
    if matches!(verdict, Verdict::Names | Verdict::ProbablyNames) {
        if verdict == Verdict::ProbablyNames {
            notes.push(format!(
                "the first line is read as names ({}); `data.header=false` makes it a sample",
                some(&pass.first)
            ));
        }
        let names = unique(&pass.first, notes);
        return Ok(Header { names, has_names: true, is_first_record: true, classes: None });
    }
    if verdict == Verdict::ProbablyData && pass.n_rows > 0 {
        notes.push(format!(
            "the first line is read as a sample ({}); `data.header=true` makes it names",
            some(&pass.first)
        ));
    }
    if pass.first.len() != width {
        let (got, path) = (pass.first.len(), path.into());
        return Err(DataError::Ragged { line: 1, expected: width, got, path });
    }
    for (column, field) in pass.columns.iter_mut().zip(&pass.first) {
        column.take_first(|c| c.push_field(field));
    }
    pass.n_rows += 1;
    let has_names = commented.is_some();
    let names = commented.map_or_else(|| numbered(width), |names| unique(&names, notes));
    Ok(Header { names, has_names, is_first_record: false, classes: None })
}

/// Takes away columns without a name and a value at the ends of the table, which separators at the ends of lines make.
fn drop_empty_ends(pass: &mut Pass, notes: &mut Vec<String>) {
    let is_empty = |c: &Column| c.n_numbers == 0 && c.texts.iter().all(|t| t.count == 0 || t.text.is_empty());
    let before = pass.columns.len();
    // one name less than columns was taken for names of rows
    if pass.shifted && pass.columns.last().is_some_and(is_empty) {
        pass.first.remove(0);
        pass.columns.pop();
        pass.shifted = false;
    }
    let nameless = |first: &[String], i: usize| first.get(i).is_some_and(String::is_empty);
    while pass.columns.len() > 1
        && nameless(&pass.first, pass.columns.len() - 1)
        && pass.columns.last().is_some_and(is_empty)
    {
        pass.first.pop();
        pass.columns.pop();
    }
    while pass.columns.len() > 1 && nameless(&pass.first, 0) && pass.columns.first().is_some_and(is_empty) {
        pass.first.remove(0);
        pass.columns.remove(0);
        pass.cut_before += 1;
    }
    if pass.columns.len() < before {
        notes.push("separators at the ends of lines, with nothing after them, are ignored".into());
    }
}

/// `x0`, `x1` and so on.
fn numbered(width: usize) -> Vec<String> {
    (0..width).map(|i| format!("x{i}")).collect()
}

/// The first few fields of a line.
fn some(fields: &[String]) -> String {
    let more = if fields.len() > 3 { ", …" } else { "" };
    fields.iter().take(3).map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ") + more
}

/// A table for a trained model begins with names if it has one of those of that model's columns, or others that
/// cannot be values: words above numbers, none of which is a value that the model knows.
fn known(pass: &Pass, options: &DataOptions) -> Option<bool> {
    let schema = options.schema.as_ref()?;
    let named = schema.columns.iter().any(|c| pass.first.iter().any(|f| is_same(f, &c.name)));
    let is_value = |field: &String| {
        let in_list =
            |c: &SchemaColumn| matches!(&c.role, Role::Category { values, .. } if values.contains(field));
        number::undress(field).is_some()
            || dates::evidence(field).is_some()
            || schema.columns.iter().any(in_list)
    };
    let others = || pass.n_rows > 0 && judge(pass) == Verdict::Names && !pass.first.iter().any(is_value);
    Some(named || others())
}

/// Whether two names of columns are the same but for case and blanks at the ends.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// `569,30,malignant,benign`: the counts must be those of the lines that follow.
fn counted(first: &[String], width: usize, n_rows: usize) -> Option<Vec<String>> {
    let [n, n_inputs, classes @ ..] = first else { return None };
    let (n, n_inputs) = (n.parse::<usize>().ok()?, n_inputs.parse::<usize>().ok()?);
    (n_inputs.checked_add(1)? == width && n == n_rows).then(|| classes.to_vec())
}

/// Weighs the fields of the first line against the columns below them.
fn judge(pass: &Pass) -> Verdict {
    let (first, columns) = (&pass.first, &pass.columns);
    if pass.n_rows == 0 {
        return Verdict::ProbablyNames;
    }
    let marks = Marks::default();
    let is_number = |f: &str| number::undress(f).is_some();
    let is_datum = |f: &str| is_number(f) || dates::evidence(f).is_some();
    let mut evidence = Evidence::default();
    for (field, column) in first.iter().zip(columns) {
        let measured = is_measured(column, field, &marks);
        let recurs = column.texts.iter().any(|t| *t.text == **field);
        if field.is_empty() {
            continue;
        }
        match (measured, is_datum(field)) {
            // `Na` and `None` are names here only beside others
            (true, false) if marks.has_among_numbers(field) => evidence.marks += 1,
            (true, false) => evidence.words_over_numbers += 1,
            (true, true) => evidence.numbers_over_numbers += 1,
            (false, _) if recurs => evidence.recurring += 1,
            (false, false) if repeats(column) => evidence.words_over_few += 1,
            (false, true) => evidence.numbers_over_words += 1,
            (false, false) => evidence.words_over_many += 1,
        }
    }
    evidence.verdict(first, columns)
}

/// Counts of first fields by what they are and what stands below them.
#[derive(Default)]
struct Evidence {
    words_over_numbers: usize,
    numbers_over_numbers: usize,
    /// Marks of missing values over numbers.
    marks: usize,
    /// Fields that are values of their column.
    recurring: usize,
    /// Words over columns of few words, of which they are none.
    words_over_few: usize,
    /// Words over columns whose words hardly repeat.
    words_over_many: usize,
    numbers_over_words: usize,
}

impl Evidence {
    fn verdict(&self, first: &[String], columns: &[Column]) -> Verdict {
        let Evidence { words_over_numbers, numbers_over_numbers, recurring, words_over_few, .. } = *self;
        if words_over_numbers > 0 {
            return Verdict::Names;
        }
        let sequence = is_sequence(first);
        match (numbers_over_numbers, recurring) {
            // `label,400,410,420`: a word that its column never has again
            (1.., 0) if words_over_few > 0 => Verdict::ProbablyNames,
            (2.., 0) if sequence && !rises_alike(columns) => Verdict::ProbablyNames,
            (1.., _) => {
                if self.words_over_many + words_over_few + self.marks > 0 {
                    Verdict::ProbablyData
                } else {
                    Verdict::Data
                }
            }
            (0, 1..) if recurring > words_over_few => Verdict::ProbablyData,
            (0, 1..) => Verdict::ProbablyNames,
            (0, 0) if words_over_few > 0 => Verdict::Names,
            (0, 0) if self.words_over_many > 0 && self.numbers_over_words == 0 => Verdict::ProbablyNames,
            (0, 0) => Verdict::ProbablyData,
        }
    }
}

/// Whether numbers in the first line rise evenly, as the names that programs and instruments give.
fn is_sequence(first: &[String]) -> bool {
    let numbers: Vec<f64> = first.iter().filter_map(|f| number::whole(f)).collect();
    let step = numbers.get(1).copied().unwrap_or(0.0) - numbers.first().copied().unwrap_or(0.0);
    let even = numbers.windows(2).all(|w| ((w[1] - w[0]) - step).abs() <= 1e-6 * step);
    numbers.len() >= 3.min(first.len()) && numbers.len() >= 2 && step > 0.0 && even
}

/// Whether rows rise as evenly as the first line does, so that it is one of them.
fn rises_alike(columns: &[Column]) -> bool {
    let rows = columns.first().map_or(0, Column::len).min(20);
    let number = |c: &Column, i: usize| match c.cell(i) {
        Cell::Number(x) => Some(x.to_string()),
        Cell::Text(_) => None,
    };
    let row = |i: usize| columns.iter().filter_map(|c| number(c, i)).collect::<Vec<_>>();
    (0..rows).filter(|i| is_sequence(&row(*i))).count() * 2 > rows
}

/// Whether all known values are numbers, dates or times.
fn is_measured(column: &Column, first: &str, marks: &Marks) -> bool {
    let words = column.texts.iter().filter(|t| t.count > 0 && !marks.has_among_numbers(&t.text));
    // names that come again where files were joined
    let words = words.filter(|t| *t.text != *first);
    let measured = |text: &str| number::undress(text).is_some() || dates::evidence(text).is_some();
    let mut n = 0;
    words.inspect(|_| n += 1).all(|t| measured(&t.text)) && column.n_numbers + n > 0
}

/// Whether the words of a column repeat: there are few of them.
fn repeats(column: &Column) -> bool {
    let n: usize = column.texts.iter().map(|t| t.count).sum();
    let distinct = column.texts.iter().filter(|t| t.count > 0).map(|t| t.distinct).sum::<usize>();
    distinct * 2 <= n + column.n_numbers || kinds::are_switches(column)
}

/// Names made different from each other and never empty, with a note where one had to change.
pub(crate) fn unique(names: &[String], notes: &mut Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut changed = Vec::new();
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        seen.entry(name.clone()).or_insert(0);
    }
    let mut used: HashMap<&str, usize> = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            // an index column of pandas or R is told by its empty name
            let name = if i == 0 { String::new() } else { free(&format!("x{i}"), &mut seen) };
            out.push(name);
            continue;
        }
        let n = used.entry(name).or_insert(0);
        *n += 1;
        if *n == 1 {
            out.push(name.clone());
        } else {
            let new = free(&format!("{name}.{}", *n - 1), &mut seen);
            changed.push(new.clone());
            out.push(new);
        }
    }
    if !changed.is_empty() {
        notes.push(format!("repeated column names got a suffix: {}", crate::error::first(&changed)));
    }
    out
}

/// A name that no column has yet.
fn free(name: &str, seen: &mut HashMap<String, usize>) -> String {
    let mut name = name.to_string();
    while seen.contains_key(&name) {
        name.push('_');
    }
    seen.insert(name.clone(), 0);
    name
}
