//! First pass over a table: number of rows, and what each column holds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};

use super::dialect::{self, Dialect, Header};
use crate::{DataError, DataOptions, read};
use settings::nearest;

/// The most different values that a column of text may have as an input.
pub(crate) const MAX_CATEGORIES: usize = 256;

/// Rows by which the first line is judged.
const LOOK: usize = 1000;

/// A table in memory as text, with what the first pass found.
pub(crate) struct Table {
    pub path: PathBuf,
    pub names: Vec<String>,
    pub columns: Vec<ColumnScan>,
    pub n_rows: usize,
    /// Names of the classes, where the first line tells them.
    pub classes: Option<Vec<String>>,
    pub has_names: bool,
    text: String,
    dialect: Dialect,
}

/// What a column holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnScan {
    pub n_missing: usize,
    pub n_numbers: usize,
    pub sum: f64,
    /// Whether all numbers are whole.
    pub whole: bool,
    /// The first field that is not a number, with its line.
    pub text: Option<(String, u64)>,
    pub n_text: usize,
    /// Different values, as far as [`MAX_CATEGORIES`] + 1.
    pub distinct: BTreeSet<String>,
}

impl ColumnScan {
    /// Whether every known value is a number.
    pub fn is_number(&self) -> bool {
        self.n_text == 0
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.n_numbers.max(1) as f64
    }

    fn add(&mut self, field: &str, line: u64) {
        if is_missing(field) {
            self.n_missing += 1;
            return;
        }
        if self.distinct.len() <= MAX_CATEGORIES && !self.distinct.contains(field) {
            self.distinct.insert(field.to_string());
        }
        match number(field) {
            Some(x) => {
                self.whole = (self.n_numbers == 0 || self.whole) && x.fract() == 0.0;
                self.n_numbers += 1;
                self.sum += x;
            }
            None => {
                self.n_text += 1;
                self.text.get_or_insert_with(|| (field.to_string(), line));
            }
        }
    }
}

/// Whether a field stands for a missing value: empty, `?`, and `NA`, `N/A`, `NaN`, `null` in any case.
pub(crate) fn is_missing(field: &str) -> bool {
    field.len() <= 4 && ["", "?", "na", "n/a", "nan", "null"].iter().any(|m| field.eq_ignore_ascii_case(m))
}

/// A field as a number; infinities are numbers here and an error later.
pub(crate) fn number(field: &str) -> Option<f64> {
    field.parse().ok()
}

impl Table {
    /// Reads a file and looks at every field.
    pub fn load(path: &Path, options: &DataOptions) -> Result<Table, DataError> {
        let bytes = read::decoded(path)?;
        let text = to_text(bytes, path)?;
        let separator = dialect::separator(&text, options)?;
        let text = if separator == b' ' { single_blanks(&text) } else { text };
        let dialect = Dialect { separator, header: Header::None };
        let mut table = Table {
            path: path.into(),
            names: Vec::new(),
            columns: Vec::new(),
            n_rows: 0,
            classes: None,
            has_names: false,
            text,
            dialect,
        };
        table.find_header(options)?;
        table.scan()?;
        Ok(table)
    }

    /// Calls `visit` with row, line and trimmed fields of every row of data.
    pub fn each(
        &self,
        mut visit: impl FnMut(usize, u64, &mut dyn Iterator<Item = &str>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let width = self.columns.len();
        let skip = usize::from(self.dialect.header != Header::None);
        let mut row = 0;
        self.records(|index, line, record| {
            if index < skip {
                return Ok(true);
            }
            if record.len() != width {
                let path = self.path.clone();
                return Err(DataError::Ragged { line, expected: width, got: record.len(), path });
            }
            visit(row, line, &mut record.iter().map(str::trim))?;
            row += 1;
            Ok(true)
        })
    }

    /// The column that an option names: a name, or an index from 0 (from the end if negative).
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        let by_name = self.names.iter().position(|n| n == name);
        let n = self.names.len();
        let by_index = || match name.parse::<i64>().ok()? {
            i if i < 0 => n.checked_sub(i.unsigned_abs() as usize),
            i => Some(i as usize).filter(|i| *i < n),
        };
        by_name.or_else(by_index).ok_or_else(|| DataError::NoColumn {
            name: name.to_string(),
            nearest: nearest(name, self.names.iter().map(String::as_str)),
            columns: self.names.clone(),
            path: self.path.clone(),
        })
    }

    fn count_rows(&self) -> usize {
        let mut n_rows = 0;
        // An error in the text comes again in the first pass, which reports it.
        let _ = self.records(|index, _, _| {
            n_rows = index + 1;
            Ok(true)
        });
        n_rows
    }

    /// The line on which a record begins; its position is before the empty lines that precede it.
    fn line_of(&self, position: &csv::Position) -> u64 {
        let rest = self.text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
        let empty = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n');
        position.line() + empty.count() as u64
    }

    fn find_header(&mut self, options: &DataOptions) -> Result<(), DataError> {
        let mut rows = Vec::new();
        self.records(|_, _, record| {
            rows.push(record.iter().map(|f| f.trim().to_string()).collect::<Vec<_>>());
            Ok(rows.len() < LOOK)
        })?;
        let header = dialect::header(&rows, || self.count_rows(), options.header);
        let first = if header == Header::None { 0 } else { 1 };
        let width = match &header {
            Header::Names(names) => names.len(),
            _ => rows.get(first).map_or(0, Vec::len),
        };
        if rows.len() <= first {
            return Err(DataError::NoSamples { path: self.path.clone() });
        }
        self.names = match &header {
            Header::Names(names) => unique(names),
            _ => (0..width).map(|i| format!("x{i}")).collect(),
        };
        self.has_names = matches!(header, Header::Names(_));
        if let Header::Counted(classes) = &header {
            self.classes = Some(classes.clone()).filter(|c| c.len() > 1);
        }
        self.columns = vec![ColumnScan::default(); width];
        self.dialect.header = header;
        Ok(())
    }

    fn scan(&mut self) -> Result<(), DataError> {
        let (mut columns, mut n_rows) = (self.columns.clone(), 0);
        self.each(|row, line, fields| {
            n_rows = row + 1;
            fields.zip(&mut columns).for_each(|(field, column)| column.add(field, line));
            Ok(())
        })?;
        (self.columns, self.n_rows) = (columns, n_rows);
        Ok(())
    }

    /// Calls `visit` with index, line and record of every line that is not empty, until it says false.
    fn records(
        &self,
        mut visit: impl FnMut(usize, u64, &StringRecord) -> Result<bool, DataError>,
    ) -> Result<(), DataError> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.dialect.separator)
            .from_reader(self.text.as_bytes());
        let mut record = StringRecord::new();
        let mut index = 0;
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    return Err(DataError::Damaged { reason: error.to_string(), path: self.path.clone() });
                }
            }
            let line = record.position().map_or(0, |p| self.line_of(p));
            if !visit(index, line, &record)? {
                return Ok(());
            }
            index += 1;
        }
    }
}

/// UTF-8, without its byte order mark; other bytes are read as Latin-1, and zeros mean that it is no text.
fn to_text(bytes: Vec<u8>, path: &Path) -> Result<String, DataError> {
    if bytes[..bytes.len().min(4096)].contains(&0) {
        let got = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        return Err(DataError::WrongMagic {
            format: "table",
            expected: "text".into(),
            got,
            path: path.into(),
        });
    }
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}

/// Runs of blanks become one blank, those at the ends of lines none; the number of lines stays.
fn single_blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        for (i, word) in line.split_ascii_whitespace().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
        out.push('\n');
    }
    out
}

/// Names made different from each other and never empty.
fn unique(names: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let taken = name.is_empty() || out.contains(name);
        out.push(if taken { format!("{name}_{i}") } else { name.clone() });
    }
    out
}
