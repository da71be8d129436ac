//! From a text to columns of cells: one pass, and a second one where the first read decimal marks wrongly.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::cells::Column;
use super::cursor::{Cursor, Cuts, OpenQuote, Stop};
use super::kinds::MAX_CATEGORIES;
use super::missing::Marks;
use super::sniff::{self, Sniffed};
use super::stream::{self, Limits, Stream};
use super::text::Text;
use super::{Table, decode, header, style};
use crate::error::{NAMED, OddLine};
use crate::{CacheError, DataError, DataOptions};

/// Records by which the decimal mark is guessed before the first pass.
const LOOK: usize = 500;

/// A text and how it is cut.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub path: PathBuf,
    pub text: Text,
    pub cuts: Cuts,
    /// Whether the first record holds names.
    pub has_header: bool,
    /// Empty fields before the first column.
    pub cut_before: usize,
}

/// What one pass over a text found.
pub(crate) struct Pass {
    /// The fields of the first record, which may be names.
    pub first: Vec<String>,
    pub columns: Vec<Column>,
    /// Records after the first.
    pub n_rows: usize,
    /// Whether the first record had one name less than there are columns.
    pub shifted: bool,
    /// Empty columns that were taken away before the others.
    pub cut_before: usize,
    pub notes: Vec<String>,
    /// What is in memory, where the table is larger.
    pub shares: Option<Shares>,
}

/// What is in memory of a table that is larger.
pub(crate) struct Shares {
    /// Rows that are sent away together.
    block: usize,
    /// Bytes that lists of texts may take.
    room: usize,
}

/// Reads the bytes of a text.
///
/// # Errors
/// [`DataError`] of the file, and of lines that do not fit the others.
pub(crate) fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let (text, note) = decode::text(bytes, path, options)?;
    sniff_and_cut(Text::Whole(text), note, path, options)
}

/// Reads the text of a file piece by piece.
///
/// # Errors
/// As [`load`], and of a record that is too long.
pub(crate) fn load_stream(path: &Path, options: &DataOptions, limits: Limits) -> Result<Table, DataError> {
    let (text, note) = stream::open(path, options, limits)?;
    let scratch = text.stream().map(|s| s.scratch.clone());
    let table = sniff_and_cut(text, note, path, options);
    scratch.map_or(Ok(()), |s| s.check())?;
    table
}

fn sniff_and_cut(
    text: Text,
    note: Option<String>,
    path: &Path,
    options: &DataOptions,
) -> Result<Table, DataError> {
    let sniffed = sniff::sniff(&text, options)?;
    let mut table = cut(text, sniffed, path, options)?;
    table.notes.splice(0..0, note);
    Ok(table)
}

/// Reads a text of which it is known how it is cut.
///
/// # Errors
/// [`DataError`] of lines that do not fit the others.
pub(crate) fn cut(
    text: Text,
    sniffed: Sniffed,
    path: &Path,
    options: &DataOptions,
) -> Result<Table, DataError> {
    let Sniffed { cuts, width, names, mut notes } = sniffed;
    let text = if cuts.separator == b' ' { text.with_single_blanks() } else { text };
    let mut source = Source { path: path.into(), text, cuts, has_header: false, cut_before: 0 };
    let start = source.pass(width, &vec![b'.'; width], LOOK, options)?;
    let guess = style::decimals(&start.columns, options).unwrap_or_else(|| vec![b'.'; width]);
    let mut pass = source.pass(width, &guess, usize::MAX, options)?;
    if let Some(other) = style::decimals(&pass.columns, options) {
        pass = source.pass(width, &other, usize::MAX, options)?;
    }
    notes.append(&mut pass.notes);
    let found = header::find(&mut pass, names, options, &mut notes, path)?;
    source.has_header = found.is_first_record;
    source.cut_before = pass.cut_before;
    let n_rows = pass.columns.first().map_or(0, Column::len);
    if n_rows == 0 {
        return Err(DataError::NoSamples { path: path.into() });
    }
    let votes: Vec<_> = pass.columns.iter().map(style::votes).collect();
    pass.columns.iter_mut().for_each(Column::finish);
    let mut marks = Marks::new(&options.missing);
    pass.columns.iter().for_each(|c| marks.learn(c));
    Ok(Table {
        path: path.into(),
        names: found.names,
        columns: pass.columns,
        n_rows,
        has_names: found.has_names,
        classes: found.classes,
        mark: style::table_mark(&votes),
        marks,
        notes,
        source: Some(source),
        declared: Vec::new(),
        outputs: Vec::new(),
        row_numbers: Vec::new(),
        parts: Vec::new(),
    })
}

impl Source {
    fn open_quote(&self, quote: OpenQuote) -> DataError {
        DataError::OpenQuote { line: quote.0, closes: None, path: self.path.clone() }
    }

    /// Calls `visit` at each record; it goes behind the record, or gives false to end. Where it meets the end of a
    /// piece of the text within a quote, it is called again with more text.
    fn each_record(
        &self,
        mut visit: impl FnMut(&mut Cursor<'_>) -> Result<bool, Stopped>,
    ) -> Result<(), DataError> {
        let mut windows = self.text.windows()?;
        let mut line = 1;
        let mut open = None;
        loop {
            let (text, is_last) = match (windows.next(), open.take()) {
                (Ok(Some(piece)), _) => piece,
                (Ok(None), _) => return Ok(()),
                // no text of one field is that long
                (Err(DataError::Cache(CacheError::Share { .. })), Some(quote)) => {
                    return Err(self.open_quote(quote));
                }
                (Err(error), _) => return Err(error),
            };
            let mut cursor = Cursor::at_line(text, &self.cuts, line);
            let used = loop {
                let found = cursor.next_record();
                line = cursor.line;
                let used = cursor.used();
                if !found {
                    break used;
                }
                match visit(&mut cursor) {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(Stopped::Quote(quote)) if !is_last => {
                        open = Some(quote);
                        break used;
                    }
                    Err(Stopped::Quote(quote)) => return Err(self.open_quote(quote)),
                    Err(Stopped::Wrong(error)) => return Err(*error),
                }
            };
            windows.used(used);
        }
    }

    /// Reads `limit` records of `width` fields after the first one; the first cell of each column is left free for it.
    fn pass(
        &self,
        width: usize,
        decimals: &[u8],
        limit: usize,
        options: &DataOptions,
    ) -> Result<Pass, DataError> {
        let mut odd = Odd::default();
        let mut pass = None;
        let stream = self.text.stream().filter(|_| limit == usize::MAX);
        let (mut empty, mut extra) = (Empty::default(), 0u64);
        self.each_record(|cursor| {
            let (line, text) = (cursor.line, cursor.rest());
            let Some(pass) = &mut pass else {
                let first = cursor.fields()?.into_iter().map(Cow::into_owned).collect();
                pass = Some(Pass::begin(first, width, decimals, stream, options).unwrap_or_else(
                    |(got, pass)| {
                        odd.add(line, got, text);
                        pass
                    },
                ));
                return Ok(limit > 0);
            };
            let width = pass.columns.len();
            let record = pass.record(cursor)?;
            extra += u64::from(record.extra);
            if record.swallows {
                let (closes, path) = (Some(cursor.line - 1), self.path.clone());
                return Err(DataError::OpenQuote { line, closes, path }.into());
            }
            if record.got != width {
                pass.columns.iter_mut().take(record.got).for_each(Column::pop);
                odd.add(line, record.got, text);
                return Ok(true);
            }
            pass.n_rows += 1;
            empty.count(record.is_empty);
            if pass.shares.as_ref().is_some_and(|s| pass.n_rows.is_multiple_of(s.block)) {
                pass.send();
            }
            Ok(pass.n_rows < limit)
        })?;
        let Some(mut pass) = pass else { return Err(DataError::NoSamples { path: self.path.clone() }) };
        if odd.n > 0 && limit == usize::MAX {
            return Err(odd.error(pass.columns.len(), self));
        }
        if empty.at_end > 0 && limit == usize::MAX && !options.inputs_only {
            pass.n_rows -= empty.at_end;
            pass.columns.iter_mut().for_each(|c| c.truncate(pass.n_rows));
            pass.notes.push(format!("{} without values at the end left out", lines_in_words(empty.at_end)));
        }
        if extra > 0 {
            let n = lines_in_words(extra as usize);
            pass.notes.push(format!("{n} with a separator at the end and nothing after it"));
        }
        if stream.is_some() {
            pass.gather(options);
        }
        Ok(pass)
    }

    /// A character that cuts all of the first lines into the same number of fields, where the separator cuts none.
    pub fn other_separator(&self) -> Option<char> {
        const OTHERS: [char; 9] = [':', '^', '~', '!', '&', '/', '*', '\u{1}', '_'];
        let lines: Vec<&str> = self.text.head().lines().filter(|l| !l.trim().is_empty()).take(LOOK).collect();
        let cuts = |c: &char| {
            let n = lines.first().map_or(0, |l| l.matches(*c).count());
            n > 0 && lines.iter().all(|l| l.matches(*c).count() == n)
        };
        OTHERS.into_iter().find(cuts)
    }

    /// The line of a row; 0 where it cannot be told any more.
    pub fn line_of(&self, row: usize) -> u64 {
        let mut left = row + usize::from(self.has_header);
        let mut line = 0;
        let found = self.each_record(|cursor| {
            if left == 0 {
                line = cursor.line;
                return Ok(false);
            }
            cursor.fields()?;
            left -= 1;
            Ok(true)
        });
        found.map_or(0, |()| line)
    }

    /// Calls `visit` with the fields of each row, as texts.
    ///
    /// # Errors
    /// [`DataError`] of the file of a stream.
    pub fn each_row(&self, mut visit: impl FnMut(&[Cow<'_, str>])) -> Result<(), DataError> {
        let mut skip = self.has_header;
        self.each_record(|cursor| {
            let fields = cursor.fields()?;
            if !std::mem::take(&mut skip) {
                visit(fields.get(self.cut_before..).unwrap_or_default());
            }
            Ok(true)
        })
    }
}

/// Why the way over records ends.
enum Stopped {
    /// The text ends within a quote.
    Quote(OpenQuote),
    Wrong(Box<DataError>),
}

impl From<OpenQuote> for Stopped {
    fn from(quote: OpenQuote) -> Stopped {
        Stopped::Quote(quote)
    }
}

impl From<DataError> for Stopped {
    fn from(error: DataError) -> Stopped {
        Stopped::Wrong(Box::new(error))
    }
}

/// The fields of the first line, and how many columns there are; the number of fields where they do not fit.
///
/// A name less than columns means that rows have names of their own before them, as R writes them.
fn fit(mut first: Vec<String>, width: usize, header: Option<bool>) -> Result<(Vec<String>, usize), usize> {
    match first.len() {
        n if n == width => Ok((first, width)),
        n if n == width + 1 && first.last().is_some_and(String::is_empty) => {
            first.pop();
            Ok((first, width))
        }
        n if n > 2 && first[1].parse() == Ok(width - 1) && first[0].parse::<usize>().is_ok() => {
            Ok((first, width))
        }
        n if n + 1 == width && n > 1 && header != Some(false) => {
            first.insert(0, String::new());
            Ok((first, width))
        }
        n => Err(n),
    }
}

/// What was found of one record.
struct Record {
    got: usize,
    /// Whether a separator stands at the end, with nothing behind it.
    extra: bool,
    is_empty: bool,
    /// Whether a quoted field holds whole records.
    swallows: bool,
}

impl Pass {
    /// A pass whose first record was read; and the number of its fields, where they do not fit.
    fn begin(
        first: Vec<String>,
        width: usize,
        decimals: &[u8],
        stream: Option<&Stream>,
        options: &DataOptions,
    ) -> Result<Pass, (usize, Pass)> {
        let shifted = first.len() + 1 == width;
        let fitting = fit(first, width, options.header);
        let width = fitting.as_ref().map_or(width, |(_, width)| *width);
        let mut columns: Vec<Column> =
            (0..width).map(|i| Column::new(decimals.get(i).copied().unwrap_or(b'.'))).collect();
        let shares = stream.map(|Stream { limits, scratch, .. }| {
            let shares = Shares { block: (limits.block / (8 * width)).max(1), room: limits.texts };
            columns.iter_mut().for_each(|c| c.keep_in(scratch.clone(), shares.block, shares.room));
            shares
        });
        columns.iter_mut().for_each(Column::leave_room);
        let pass = |first| {
            let notes = Vec::new();
            Pass { first, columns, n_rows: 0, shifted, cut_before: 0, notes, shares }
        };
        match fitting {
            Ok((first, _)) => Ok(pass(first)),
            Err(got) => Err((got, pass(Vec::new()))),
        }
    }

    /// Sends cells away, and makes the texts of columns loose that have too many of them.
    fn send(&mut self) {
        self.columns.iter_mut().for_each(Column::send);
        let listed = |c: &&mut Column| !c.is_full();
        let size: usize = self.columns.iter_mut().filter(listed).map(|c| c.text_bytes()).sum();
        if let Some(shares) = self.shares.as_mut().filter(|s| size > s.room) {
            let n = self.columns.iter_mut().filter(listed).filter(|c| c.text_bytes() > 0).count();
            // the largest; what they have stays, so the others have half of the room for more
            let large = self.columns.iter_mut().filter(listed).filter(|c| c.text_bytes() * n >= size);
            large.for_each(Column::fill);
            shares.room /= 2;
        }
    }

    /// Puts loose texts into kinds.
    fn gather(&mut self, options: &DataOptions) {
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.send();
            column.gather(self.first.get(i).map_or("", |f| f), MAX_CATEGORIES, false, options);
        }
    }

    /// Adds the record here to the columns; it fits where it has a field for each of them.
    fn record(&mut self, cursor: &mut Cursor<'_>) -> Result<Record, OpenQuote> {
        let width = self.columns.len();
        let (mut got, mut extra, mut is_empty, mut swallows) = (0, false, true, false);
        let separator = char::from(cursor.separator());
        loop {
            let column = self.columns.get_mut(got);
            let decimal = column.as_ref().map_or(b'.', |c| c.decimal);
            let stop = match cursor.number(decimal) {
                Some((plain, stop)) => {
                    if let Some(column) = column {
                        column.push_plain(&plain);
                    }
                    is_empty = false;
                    stop
                }
                None => {
                    let (text, stop) = match cursor.text() {
                        Ok(read) => read,
                        Err(open) => {
                            self.columns.iter_mut().take(got).for_each(Column::pop);
                            return Err(open);
                        }
                    };
                    is_empty &= text.is_empty();
                    swallows |= matches!(&text, t if t.contains('\n') && has_records(t, separator, width));
                    match column {
                        Some(column) => column.push_field(&text),
                        None if got == width && text.is_empty() && stop == Stop::Record => {
                            extra = true;
                            got -= 1;
                        }
                        None => {}
                    }
                    stop
                }
            };
            got += 1;
            if stop == Stop::Record {
                return Ok(Record { got, extra, is_empty, swallows });
            }
        }
    }
}

/// Whether all whole lines within a field have as many separators as records do.
fn has_records(field: &str, separator: char, width: usize) -> bool {
    let lines: Vec<&str> = field.split('\n').collect();
    let whole = lines.get(1..lines.len() - 1).unwrap_or_default();
    width > 1 && !whole.is_empty() && whole.iter().all(|l| l.matches(separator).count() + 1 == width)
}

/// Rows without a value.
#[derive(Default)]
struct Empty {
    /// How many of them end the table so far.
    at_end: usize,
}

impl Empty {
    fn count(&mut self, is_empty: bool) {
        self.at_end = if is_empty { self.at_end + 1 } else { 0 };
    }
}

/// Lines that have not as many fields as the others.
#[derive(Default)]
struct Odd {
    n: usize,
    lines: Vec<OddLine>,
    last: u64,
}

impl Odd {
    fn add(&mut self, line: u64, fields: usize, text: &str) {
        (self.n, self.last) = (self.n + 1, line);
        if self.lines.len() < NAMED {
            let text = if text.chars().count() > 40 {
                text.chars().take(39).chain(['…']).collect()
            } else {
                text.into()
            };
            self.lines.push(OddLine { line, fields, text });
        }
    }

    fn error(self, expected: usize, source: &Source) -> DataError {
        let (n, lines, path) = (self.n, self.lines, source.path.clone());
        DataError::OddLines { n, lines, last: self.last, expected, path }
    }
}

fn lines_in_words(n: usize) -> String {
    if n == 1 { "1 line".into() } else { format!("{n} lines") }
}
