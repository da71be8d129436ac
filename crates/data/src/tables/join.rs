//! Several files as one table: the same columns by name, rows in the order of the files.

use std::path::{Path, PathBuf};

use super::cells::{Column, Seen};
use super::kinds::MAX_CATEGORIES;
use super::missing::Marks;
use super::read::Source;
use super::stream::Limits;
use super::{Table, files, number, style};
use crate::{DataError, DataOptions, FilesError, Place};

/// The files that a path stands for: a pattern such as `logs/*.csv`, or names with commas between them; `None` for a
/// path that is one file or none.
///
/// # Errors
/// [`FilesError::NoMatch`] for a pattern that no file has.
pub(crate) fn files(path: &Path) -> Result<Option<Vec<PathBuf>>, DataError> {
    let Some(text) = path.to_str().filter(|_| !path.exists()) else { return Ok(None) };
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    let is_list = names.len() > 1 && names.iter().any(|n| is_pattern(n) || Path::new(n).exists());
    if !is_list && !is_pattern(text) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for name in if is_list { names } else { vec![text] } {
        if is_pattern(name) && !Path::new(name).exists() {
            all.extend(matches(name)?);
        } else {
            all.push(PathBuf::from(name));
        }
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = all.iter().find(|f| !seen.insert((*f).clone())) {
        return Err(FilesError::Twice { path: twice.clone() }.into());
    }
    Ok(Some(all))
}

/// Whether a name stands for other names.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The files that a pattern stands for, sorted.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, DataError> {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let bad = |problem: &str| {
        DataError::Files(FilesError::NoMatch { problem: problem.into(), path: pattern.into() })
    };
    let found = glob::glob_with(pattern, options).map_err(|e| bad(e.msg))?;
    let mut files: Vec<PathBuf> = found.flatten().filter(|f| f.is_file()).collect();
    files.sort();
    if files.is_empty() { Err(bad("no file has such a name")) } else { Ok(files) }
}

/// One of several files that are a table.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    path: PathBuf,
    n_rows: usize,
    source: Option<Source>,
    row_numbers: Vec<u32>,
    /// The place that each column of the table has in this file.
    order: Vec<usize>,
}

/// Reads files and joins them.
///
/// # Errors
/// [`DataError`] of a file, or [`FilesError::ColumnsDiffer`].
pub(crate) fn load(
    path: &Path,
    files: &[PathBuf],
    options: &DataOptions,
    limits: Option<Limits>,
) -> Result<Table, DataError> {
    let mut all = Vec::new();
    // the lists of all parts are in memory together
    let limits = limits.map(|l| Limits { texts: l.texts / files.len(), ..l });
    for file in files {
        let table = files::one(file, options, limits)?;
        let order = all
            .first()
            .map_or_else(|| Ok((0..table.names.len()).collect()), |(first, _)| order(first, &table))?;
        all.push((table, order));
    }
    let Some((first, _)) = all.first() else { return Err(DataError::NoSamples { path: path.into() }) };
    let shown: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    let mut notes = vec![format!("{} files are one table: {}", files.len(), crate::error::first(&shown))];
    for note in all.iter().flat_map(|(table, _)| &table.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let worded = first.columns.iter().filter(|c| !c.texts.is_empty()).count();
    let joined = |i| joined(&all, i, worded, options);
    let columns: Vec<Column> = (0..first.names.len()).map(joined).collect();
    let mut marks = Marks::new(&options.missing);
    columns.iter().for_each(|c| marks.learn(c));
    let votes: Vec<_> = columns.iter().map(style::votes).collect();
    Ok(Table {
        path: path.into(),
        names: first.names.clone(),
        n_rows: all.iter().map(|(t, _)| t.n_rows).sum(),
        has_names: first.has_names,
        classes: first.classes.clone(),
        marks,
        mark: style::table_mark(&votes).or(first.mark),
        notes,
        source: None,
        declared: first.declared.clone(),
        outputs: first.outputs.clone(),
        row_numbers: Vec::new(),
        columns,
        parts: all.into_iter().map(|(table, order)| Part::of(table, order)).collect(),
    })
}

/// For each column of the first table its place in another one.
fn order(first: &Table, other: &Table) -> Result<Vec<usize>, DataError> {
    let differ = |column: &str, lacks: bool| {
        let (path, beside) = (other.path.clone(), first.path.clone());
        FilesError::ColumnsDiffer { column: column.into(), lacks, beside, path }.into()
    };
    if !first.has_names && !other.has_names {
        return match (first.names.len(), other.names.len()) {
            (a, b) if a == b => Ok((0..a).collect()),
            (a, b) if b < a => Err(differ(&first.names[b], true)),
            (a, _) => Err(differ(&other.names[a], false)),
        };
    }
    let names = other.by_name();
    let place = |name: &String| names.get(name.as_str()).copied().ok_or_else(|| differ(name, true));
    let order = first.names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let known = first.by_name();
    match other.names.iter().find(|n| !known.contains_key(n.as_str())) {
        Some(name) => Err(differ(name, false)),
        None => Ok(order),
    }
}

/// The cells of one column in all files. Numbers with another decimal mark than the first file's are
/// read by their own.
fn joined(all: &[(Table, Vec<usize>)], index: usize, worded: usize, options: &DataOptions) -> Column {
    let own = |(table, order): &(Table, Vec<usize>)| order[index].min(table.columns.len() - 1);
    let first = &all[0].0.columns[own(&all[0])];
    let mark = first.decimal;
    let mut out = first.like(worded);
    for part in all {
        let column = &part.0.columns[own(part)];
        let other =
            column.decimal != mark || part.0.mark.zip(all[0].0.mark).is_some_and(|(own, first)| own != first);
        let value = |text: &str| {
            number::undress(text)
                .filter(|d| d.sign.is_none())?
                .value(part.0.mark.unwrap_or(column.decimal), None)
        };
        let values: Vec<Option<f64>> =
            column.texts.iter().map(|t| if other { value(&t.text) } else { None }).collect();
        column.each(|seen| {
            match seen {
                Seen::Number(x) => out.push_number(x),
                Seen::Text(code) => match values[code as usize] {
                    Some(x) => out.push_number(x),
                    None => out.push_text(&column.texts[code as usize].text),
                },
                Seen::Loose(text) => match Some(text).filter(|_| other).and_then(value) {
                    Some(x) => out.push_number(x),
                    None => out.push_text(text),
                },
            }
            out.spare();
        });
        out.canonical &= column.canonical && values.iter().all(Option::is_none);
        if column.decimal == mark {
            out.sure_marks += column.sure_marks;
            out.either_marks += column.either_marks;
        }
    }
    out.finish();
    out.gather("", MAX_CATEGORIES, false, options);
    out
}

impl Part {
    fn of(table: Table, order: Vec<usize>) -> Part {
        let Table { path, n_rows, source, row_numbers, .. } = table;
        Part { path, n_rows, source, row_numbers, order }
    }
}

/// Where a row of several files stands.
pub(super) fn place_of(parts: &[Part], mut row: usize) -> Option<Place> {
    for part in parts {
        if row < part.n_rows {
            let place = super::place(part.source.as_ref(), &part.row_numbers, row);
            return Some(Place::In(Box::new(place), part.path.display().to_string()));
        }
        row -= part.n_rows;
    }
    None
}

/// Adds the cells of columns of several files as words: as they are written, where they come from texts.
pub(super) fn words(table: &Table, columns: &[usize], all: &mut [Column]) -> Result<(), DataError> {
    let mut first = 0;
    for part in &table.parts {
        let mut row = 0;
        match &part.source {
            Some(source) => source.each_row(|fields| {
                if row < part.n_rows {
                    for (words, index) in all.iter_mut().zip(columns) {
                        words.push_text(fields.get(part.order[*index]).map_or("", |f| f));
                        words.spare();
                    }
                }
                row += 1;
            })?,
            None => {
                for (words, index) in all.iter_mut().zip(columns) {
                    let column = &table.columns[*index];
                    (first..first + part.n_rows).for_each(|row| words.push_word(column, row));
                }
            }
        }
        first += part.n_rows;
    }
    Ok(())
}
