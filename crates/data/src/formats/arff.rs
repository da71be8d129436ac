//! ARFF, and KEEL's files, which are alike: a header that names and types the columns, then comma-separated text.

use std::path::Path;

use super::table::COLUMNS;
use super::{Format, Reader};
use crate::tables::cursor::Cuts;
use crate::tables::sniff::Sniffed;
use crate::tables::text::Text;
use crate::tables::{Table, decode, read};
use crate::{ColumnType, DataError, DataOptions};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "arff",
    endings: &[".arff"],
    summary: "ARFF from Weka and OpenML, and KEEL's `.dat` files like it: `@attribute` lines give names and types of the columns",
    options: &[COLUMNS, &["encoding"]],
    reader: Reader::Table(load),
};

/// What KEEL writes for a missing value.
const MISSING: &str = "<null>";

/// Whether a text begins with `@relation` or `@attribute`, behind comments.
pub(super) fn is_arff(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.take(10_000).find(|l| !l.is_empty() && !l.starts_with(b"%"));
    let begins = |word: &[u8]| {
        first.is_some_and(|l| l.get(..word.len()).is_some_and(|l| l.eq_ignore_ascii_case(word)))
    };
    begins(b"@relation") || begins(b"@attribute")
}

/// What stands above the data.
#[derive(Default)]
struct Header {
    names: Vec<String>,
    declared: Vec<Option<ColumnType>>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// The line of `@data`, from 1.
    data: u64,
}

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let (text, note) = decode::text(bytes, path, options)?;
    let header = Header::read(&text, path)?;
    let mut lines = text.lines().skip(header.data as usize).map(str::trim);
    let first = lines.find(|l| !l.is_empty() && !l.starts_with('%')).unwrap_or_default();
    if first.starts_with('{') {
        return Err(wrong("sparse rows, in braces, are not read".into(), path));
    }
    let quote = if text.lines().skip(header.data as usize).any(|l| l.contains('"')) { b'"' } else { b'\'' };
    let cuts =
        Cuts { separator: b',', quote, comment: "%".into(), escape: true, skip: vec![1..=header.data] };
    let sniffed = Sniffed { cuts, width: header.names.len(), names: None, notes: note.into_iter().collect() };
    let mut missing = options.missing.clone();
    missing.push(MISSING.into());
    let told = DataOptions { header: Some(false), missing, ..options.clone() };
    let mut table = read::cut(Text::Whole(text), sniffed, path, &told)?;
    if table.names.len() != header.names.len() {
        return Err(wrong(
            format!("{} attributes for {} columns", header.names.len(), table.names.len()),
            path,
        ));
    }
    let mut unused = Vec::new();
    if !header.inputs.is_empty() {
        let named = |n: &&String| header.inputs.contains(n) || header.outputs.contains(n);
        unused = header.names.iter().filter(|n| !named(n)).cloned().collect();
    }
    if !unused.is_empty() {
        table.notes.push(format!(
            "columns that the header lists as neither inputs nor outputs are used as inputs: {}",
            unused.join(", ")
        ));
    }
    table.outputs =
        header.names.iter().enumerate().filter(|(_, n)| header.outputs.contains(n)).map(|(i, _)| i).collect();
    table.names = header.names;
    table.declared = header.declared;
    table.has_names = true;
    Ok(table)
}

impl Header {
    fn read(text: &str, path: &Path) -> Result<Header, DataError> {
        let mut header = Header::default();
        for (line, number) in text.lines().map(str::trim).zip(1u64..) {
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            match word.to_ascii_lowercase().as_str() {
                "@attribute" => header.attribute(rest.trim(), number, path)?,
                "@input" | "@inputs" => header.inputs = listed(rest),
                "@output" | "@outputs" => header.outputs = listed(rest),
                "@data" => {
                    header.data = number;
                    break;
                }
                _ => {}
            }
        }
        match (header.data, header.names.len()) {
            (0, _) => Err(wrong("there is no line `@data`".into(), path)),
            (_, 0) => Err(wrong("there is no line `@attribute`".into(), path)),
            _ => Ok(header),
        }
    }

    /// `Age real [29.0, 77.0]`, `'a name' {yes, no}`.
    fn attribute(&mut self, text: &str, line: u64, path: &Path) -> Result<(), DataError> {
        let bad = || wrong(format!("line {line} is not an attribute with a name and a type"), path);
        let quoted = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let (name, kind) = match quoted {
            Some(quote) => text[1..].split_once(quote).ok_or_else(bad)?,
            None => {
                let end = text.find(|c: char| c.is_whitespace() || c == '{').ok_or_else(bad)?;
                text.split_at(end)
            }
        };
        let kind = kind.trim_start().to_ascii_lowercase();
        let begins = |word: &str| kind.starts_with(word);
        let declared = match () {
            () if begins("{") => Some(ColumnType::Category),
            () if begins("real") || begins("numeric") || begins("integer") => Some(ColumnType::Number),
            // dates are told by themselves, in whatever order they are written
            () if begins("string") || begins("date") => None,
            () => {
                return Err(wrong(
                    format!("line {line}: `{name}` has a type that is not read, `{kind}`"),
                    path,
                ));
            }
        };
        self.names.push(name.into());
        self.declared.push(declared);
        Ok(())
    }
}

/// Names with commas between them.
fn listed(text: &str) -> Vec<String> {
    text.split(',')
        .map(|n| n.trim().trim_matches(['\'', '"']).to_string())
        .filter(|n| !n.is_empty())
        .collect()
}

fn wrong(reason: String, path: &Path) -> DataError {
    DataError::Header { format: "arff", reason, path: path.into() }
}
