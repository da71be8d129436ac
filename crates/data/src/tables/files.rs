//! From a path to a table: one file of any format, standard input, or several files.

use std::path::Path;

use super::read::load_stream;
use super::stream::{self, Limits};
use super::{Table, join};
use crate::formats::{self, Format, Reader};
use crate::{DataError, DataOptions, open, read};

/// Reads what a path names as a table.
///
/// # Errors
/// [`DataError`] of the files.
pub(crate) fn load(path: &Path, options: &DataOptions, limits: Option<Limits>) -> Result<Table, DataError> {
    match join::files(path)? {
        Some(files) => join::load(path, &files, options, limits),
        None => one(path, options, limits),
    }
}

/// Reads one file, or standard input.
pub(super) fn one(path: &Path, options: &DataOptions, limits: Option<Limits>) -> Result<Table, DataError> {
    if let Some(limits) = limits.filter(|_| !read::is_stdin(path)) {
        let begin = stream::begin(path)?;
        let named = formats::by_name(path);
        let format = formats::by_content(&begin, named)?.or(named);
        if let Some(format) = format.filter(|f| f.name == "table") {
            check(options, format)?;
            let mut table = load_stream(path, options, limits)?;
            table.notes.splice(0..0, other_format(named, format, path));
            return Ok(table);
        }
    }
    let bytes = read::decoded(path)?;
    from_bytes(bytes, path, path, options)
}

/// Reads the bytes of a table, whose format `name` tells unless its content tells another.
pub(crate) fn from_bytes(
    bytes: Vec<u8>,
    name: &Path,
    path: &Path,
    options: &DataOptions,
) -> Result<Table, DataError> {
    let named = formats::by_name(name);
    let told = formats::by_content(&bytes, named)?;
    let format = told.or(named).ok_or_else(|| formats::unknown(name))?;
    let Reader::Table(reader) = format.reader else { return Err(formats::unknown(name)) };
    check(options, format)?;
    let mut table = reader(bytes, path, options)?;
    table.notes.splice(0..0, other_format(named, format, path));
    Ok(table)
}

/// Settings of a run may be for training data of another format.
fn check(options: &DataOptions, format: &Format) -> Result<(), DataError> {
    if options.schema.is_none() { open::check_unused(options, format.name) } else { Ok(()) }
}

/// What is said of a format that the name does not tell.
fn other_format(named: Option<&Format>, format: &Format, path: &Path) -> Option<String> {
    let differs = |named: &Format| named.name != format.name && !formats::is_container(format.name);
    let is_other = read::is_stdin(path) || named.is_some_and(|n| differs(n) && n.name != "table");
    is_other.then(|| format!("read as format `{}`, because of its content", format.name))
}
