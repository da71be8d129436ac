//! From a path to a table: one file of any format, standard input, or several files.

use std::path::Path;

use super::{Table, join};
use crate::formats::{self, Format, Reader};
use crate::{DataError, DataOptions, open, read};

/// Reads what a path names as a table.
///
/// # Errors
/// [`DataError`] of the files.
pub(crate) fn load(path: &Path, options: &DataOptions) -> Result<Table, DataError> {
    match join::files(path)? {
        Some(files) => join::load(path, &files, options),
        None => one(path, options),
    }
}

/// Reads one file, or standard input.
pub(super) fn one(path: &Path, options: &DataOptions) -> Result<Table, DataError> {
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
    // settings of a run may be for training data of another format
    if options.schema.is_none() {
        open::check_unused(options, format.name)?;
    }
    let mut table = reader(bytes, path, options)?;
    let differs = |named: &Format| named.name != format.name && !formats::is_container(format.name);
    if read::is_stdin(path) || named.is_some_and(|n| differs(n) && n.name != "table") {
        table.notes.insert(0, format!("read as format `{}`, because of its content", format.name));
    }
    Ok(table)
}
