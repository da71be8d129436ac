//! Archives: one table in a zip, told by its name and content.

use std::io::{Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

use super::{Format, Reader, table};
use crate::tables::{Table, files};
use crate::{DataError, DataOptions, FilesError, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "zip",
    endings: &[".zip"],
    summary: "an archive with one table of any format, or the one that `data.sheet` names",
    options: &[table::COLUMNS, table::MARKS, table::TEXT, &["sheet"]],
    reader: Reader::Table(load),
};

/// The most bytes that deflate can make of one.
const MAX_RATIO: u64 = 1032;

fn load(bytes: Vec<u8>, path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    let file_len = bytes.len() as u64;
    let damaged = |reason: String| DataError::Damaged { reason, path: path.into() };
    let failed = |error: zip::result::ZipError| damaged(error.to_string().to_lowercase());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(failed)?;
    let name = chosen(archive.file_names().filter_map(Result::ok), path, options)?;
    let mut entry = archive.by_name(&name).map_err(failed)?;
    let (len, packed) = (entry.size(), entry.compressed_size());
    if packed > file_len || len > packed.saturating_mul(MAX_RATIO) {
        return Err(damaged(format!(
            "file `{name}` claims {len} bytes in {packed}, more than the archive can hold"
        )));
    }
    read::room(len as usize, path)?;
    let mut out = Vec::with_capacity(len as usize);
    entry.by_ref().take(len + 1).read_to_end(&mut out).map_err(|e| damaged(e.to_string().to_lowercase()))?;
    if out.is_empty() {
        return Err(DataError::Empty { path: path.into() });
    }
    drop(entry);
    if out.starts_with(b"PK\x03\x04")
        && super::by_name(Path::new(&name)).is_none_or(|f| f.name == FORMAT.name)
    {
        return Err(damaged(format!("file `{name}` is an archive within the archive")));
    }
    let options = DataOptions { sheet: None, ..options.clone() };
    files::from_bytes(out, Path::new(&name), path, &options)
}

/// The name of the table in an archive: the only one, or the one that is told.
fn chosen<'a>(
    names: impl Iterator<Item = std::borrow::Cow<'a, str>>,
    path: &Path,
    options: &DataOptions,
) -> Result<String, DataError> {
    let is_own = |n: &str| n.split('/').all(|part| !part.starts_with('.') && part != "__MACOSX");
    let is_table = |n: &str| super::by_name(Path::new(n)).is_some_and(Format::is_table);
    let mut found: Vec<String> = names.filter(|n| is_own(n) && is_table(n)).map(|n| n.to_string()).collect();
    found.sort();
    let by_end =
        |asked: &String| found.iter().find(|f| *f == asked || f.ends_with(&format!("/{asked}"))).cloned();
    let one = match (&options.sheet, &found[..]) {
        (Some(asked), _) => by_end(asked),
        (None, [one]) => Some(one.clone()),
        (None, _) => None,
    };
    let asked = options.sheet.clone();
    one.ok_or_else(|| FilesError::Tables { what: "file", asked, found, path: path.into() }.into())
}
