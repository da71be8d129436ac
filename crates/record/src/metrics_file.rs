//! `metrics.csv`: read, append a row at a time, cut back to a step on resume.
//!
//! Every field is a number, so no quoting exists and a CSV crate would add nothing. Numbers are written in the
//! shortest form that reads back to the same bits. A figure that is not finite is an empty field, as it is `null` in
//! JSON: it reads back as not measured. Files of before have `NaN`, `inf` and `-inf`, which still read.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::atomic::write_atomic;
use crate::error::{Action, RecordError, Result, RowProblem};
use crate::metrics::{Metrics, MetricsTable, Row};
use crate::open::append;

const FIXED: [&str; 4] = ["epoch", "step", "seconds", "lr"];

impl MetricsTable {
    /// Reads `path`; a file that does not exist is a run without a finished epoch.
    ///
    /// # Errors
    /// [`RecordError::Row`] with the line; a last line without its end is no error but [`MetricsTable::torn`].
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => parse(&bytes).map_err(|(line, problem)| damaged(path, line, problem)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(RecordError::io(Action::Read, path, e)),
        }
    }

    /// The text of the file.
    pub fn to_csv(&self) -> String {
        let mut out = String::new();
        push_header(&mut out, &self.columns);
        self.rows.iter().for_each(|row| push_row(&mut out, &self.columns, row));
        out
    }
}

/// Appends rows to `metrics.csv`; each row is in the file when [`MetricsWriter::append`] returns.
#[derive(Debug)]
pub struct MetricsWriter {
    path: PathBuf,
    file: File,
    columns: Option<Vec<String>>,
}

impl MetricsWriter {
    /// Goes on with `path`, keeping the rows up to and including `step`; 0 starts afresh.
    ///
    /// A last line cut off by a kill is dropped as well. The file is replaced atomically, then appended to.
    ///
    /// # Errors
    /// Those of [`MetricsTable::read`] and [`write_atomic`].
    pub fn resume(path: &Path, step: u64) -> Result<(Self, MetricsTable)> {
        let mut table = if step == 0 { MetricsTable::default() } else { MetricsTable::read(path)? };
        table.rows.retain(|row| row.step <= step);
        table.torn = false;
        let columns = (!table.rows.is_empty()).then(|| table.columns.clone());
        let text = if columns.is_some() { table.to_csv() } else { String::new() };
        write_atomic(path, |w| w.write_all(text.as_bytes()))?;
        let file = append(path).map_err(|e| RecordError::io(Action::Write, path, e))?;
        Ok((MetricsWriter { path: path.to_path_buf(), file, columns }, table))
    }

    /// Fixes the columns before the first row, for runs whose first row does not measure everything.
    ///
    /// # Errors
    /// [`RecordError::BadName`], [`RecordError::DiskFull`], [`RecordError::Denied`], [`RecordError::Io`].
    /// Where the file has columns already, they stay.
    pub fn declare(&mut self, columns: &[&str]) -> Result<()> {
        if self.columns.is_some() {
            return Ok(());
        }
        check_names(columns)?;
        let columns: Vec<String> = columns.iter().map(|c| c.to_string()).collect();
        let mut line = String::new();
        push_header(&mut line, &columns);
        self.write(&line)?;
        self.columns = Some(columns);
        Ok(())
    }

    /// Appends a row. The first row's metrics become the columns unless they were declared.
    ///
    /// # Errors
    /// [`RecordError::NoColumn`] for a metric that is new; those of [`MetricsWriter::declare`]. After an error the
    /// file ends with the last whole row.
    pub fn append(&mut self, row: &Row) -> Result<()> {
        let names: Vec<&str> = row.metrics.iter().map(|(n, _)| n).collect();
        self.declare(&names)?;
        let columns = self.columns.as_deref().unwrap_or_default();
        if let Some(name) = names.iter().find(|n| !columns.iter().any(|c| c == *n)) {
            let (name, columns) = (name.to_string(), columns.to_vec());
            return Err(RecordError::NoColumn { name, columns, path: self.path.clone() });
        }
        let mut line = String::new();
        push_row(&mut line, columns, row);
        self.write(&line)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        append_whole(&mut self.file, text.as_bytes())
            .map_err(|e| RecordError::io(Action::Write, &self.path, e))
    }
}

/// A file that can be cut back to where it was when an append fails half-way.
trait Cut: Write {
    fn size(&self) -> io::Result<u64>;
    fn cut(&mut self, size: u64) -> io::Result<()>;
}

impl Cut for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn cut(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
}

fn append_whole(file: &mut impl Cut, bytes: &[u8]) -> io::Result<()> {
    let before = file.size()?;
    file.write_all(bytes).inspect_err(|_| {
        // Where even this fails, the reader drops the torn line.
        let _ = file.cut(before);
    })
}

fn check_names(names: &[&str]) -> Result<()> {
    let plain = |c: char| c.is_alphanumeric() || "_-.@/".contains(c);
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() || !name.chars().all(plain) || FIXED.contains(name) || names[..i].contains(name) {
            return Err(RecordError::BadName { name: name.to_string() });
        }
    }
    Ok(())
}

fn push_header(out: &mut String, columns: &[String]) {
    out.push_str(&FIXED.join(","));
    for c in columns {
        out.push(',');
        out.push_str(c);
    }
    out.push('\n');
}

fn push_row(out: &mut String, columns: &[String], row: &Row) {
    // `{:?}` of an f64 is its shortest exact form, with an exponent where that is shorter. Writing to a String cannot
    // fail.
    let _ = write!(out, "{},{},{:?},{:?}", row.epoch, row.step, row.seconds, row.lr);
    for c in columns {
        out.push(',');
        if let Some(v) = row.metrics.get(c).filter(|v| v.is_finite()) {
            let _ = write!(out, "{v:?}");
        }
    }
    out.push('\n');
}

fn parse(bytes: &[u8]) -> std::result::Result<MetricsTable, (usize, RowProblem)> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let torn = whole < bytes.len();
    let mut lines = bytes[..whole].split(|&b| b == b'\n').enumerate();
    let mut table = MetricsTable { torn, ..MetricsTable::default() };
    let Some((_, header)) = lines.next().filter(|(_, l)| !l.is_empty()) else { return Ok(table) };
    table.columns = parse_header(text(header).map_err(|p| (1, p))?).map_err(|p| (1, p))?;
    for (i, line) in lines.filter(|(_, l)| !l.is_empty()) {
        let row = text(line).and_then(|l| parse_row(l, &table.columns));
        table.rows.push(row.map_err(|p| (i + 1, p))?);
    }
    Ok(table)
}

fn text(line: &[u8]) -> std::result::Result<&str, RowProblem> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    std::str::from_utf8(line).map_err(|_| RowProblem::Text)
}

fn parse_header(line: &str) -> std::result::Result<Vec<String>, RowProblem> {
    let fields: Vec<&str> = line.split(',').collect();
    if !fields.starts_with(&FIXED) {
        return Err(RowProblem::Header { got: line.chars().take(60).collect() });
    }
    match fields.iter().enumerate().find(|(i, f)| fields[..*i].contains(f)) {
        Some((_, name)) => Err(RowProblem::Duplicate { name: name.to_string() }),
        None => Ok(fields[FIXED.len()..].iter().map(|f| f.to_string()).collect()),
    }
}

fn parse_row(line: &str, columns: &[String]) -> std::result::Result<Row, RowProblem> {
    let fields: Vec<&str> = line.split(',').collect();
    let expected = FIXED.len() + columns.len();
    if fields.len() != expected {
        return Err(RowProblem::Fields { expected, got: fields.len() });
    }
    let measured = columns.iter().zip(&fields[FIXED.len()..]).filter(|(_, f)| !f.is_empty());
    let metrics: std::result::Result<Metrics, RowProblem> =
        measured.map(|(c, f)| Ok((c.as_str(), number(c, f)?))).collect();
    Ok(Row {
        epoch: number("epoch", fields[0])?,
        step: number("step", fields[1])?,
        seconds: number("seconds", fields[2])?,
        lr: number("lr", fields[3])?,
        metrics: metrics?,
    })
}

fn number<T: std::str::FromStr>(column: &str, field: &str) -> std::result::Result<T, RowProblem> {
    let problem = || RowProblem::Number { column: column.to_string(), got: field.chars().take(40).collect() };
    field.parse().map_err(|_| problem())
}

fn damaged(path: &Path, line: usize, problem: RowProblem) -> RecordError {
    RecordError::Row { path: path.to_path_buf(), line, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for a few more bytes.
    struct SmallDisk {
        data: Vec<u8>,
        room: usize,
    }

    impl Write for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.room - self.data.len());
            self.data.extend_from_slice(&bytes[..n]);
            if n == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(n) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Cut for SmallDisk {
        fn size(&self) -> io::Result<u64> {
            Ok(self.data.len() as u64)
        }
        fn cut(&mut self, size: u64) -> io::Result<()> {
            self.data.truncate(size as usize);
            Ok(())
        }
    }

    #[test]
    fn an_append_that_fails_leaves_whole_rows() {
        let mut disk = SmallDisk { data: Vec::new(), room: 12 };
        append_whole(&mut disk, b"1,2,3\n").unwrap();
        let error = append_whole(&mut disk, b"4,5,6,7,8\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.data, b"1,2,3\n");
    }

    #[test]
    fn damage_is_named_by_line() {
        let check = |text: &str, line: usize, message: &str| {
            let (l, p) = parse(text.as_bytes()).unwrap_err();
            assert_eq!((l, p.to_string().as_str()), (line, message));
        };
        check("a,b\n", 1, "expected columns `epoch,step,seconds,lr,...`, got `a,b`");
        check("epoch,step,seconds,lr,x,x\n", 1, "column `x` occurs twice");
        check("epoch,step,seconds,lr,x\n1,2,3,4\n", 2, "expected 5 fields, got 4");
        check("epoch,step,seconds,lr\n1,2,3,4\n1,-2,3,4\n", 3, "column `step`: expected a number, got `-2`");
        assert_eq!(parse(b"epoch,step,seconds,lr\n\xff\n").unwrap_err(), (2, RowProblem::Text));
    }

    #[test]
    fn a_torn_line_is_dropped() {
        let table = parse(b"epoch,step,seconds,lr,x\n1,2,3,4,5\n2,4,6").unwrap();
        assert!(table.torn && table.rows.len() == 1);
        assert!(parse(b"").unwrap().rows.is_empty());
        assert!(parse(b"epoch,st").unwrap().torn);
    }
}
