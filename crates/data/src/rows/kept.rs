//! Rows of sources that are kept: taken from the cache where its file was made of the same sources in the same way,
//! else written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{RowsFile, RowsWriter, Useless};
use crate::{CacheError, DataError, own, read};

/// A file that rows were made of: its name, length and time of change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceFile(pub String, pub u64, pub u64);

impl SourceFile {
    /// A file as it is now.
    ///
    /// # Errors
    /// [`DataError::Read`] and the like.
    pub fn of(path: &Path) -> Result<SourceFile, DataError> {
        let metadata = fs::metadata(path).map_err(|error| read::failed(path, error))?;
        Ok(SourceFile(absolute(path).to_string_lossy().into_owned(), metadata.len(), changed(&metadata)))
    }
}

/// When a file was changed, in nanoseconds since 1970; 0 where that is not known.
pub(crate) fn changed(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// What is to be kept.
pub(crate) struct Kept<'a> {
    /// The cache folder.
    pub folder: &'a Path,
    /// All that the rows depend on besides the content of their sources: the format with the version of how it is read,
    /// and settings. Names of sources are part of it by themselves.
    pub key: String,
    /// The files that the rows are made of.
    pub sources: Vec<SourceFile>,
}

/// What follows the rows: what tells them from others, and what their maker has to say.
#[derive(Serialize, Deserialize)]
struct Manifest<M> {
    key: String,
    sources: Vec<SourceFile>,
    told: M,
}

/// The rows of some sources with what their maker told of them, and a note where the cache was of no use. `write`
/// begins a file of this name, writes the rows, and gives the writer with what there is to tell.
///
/// # Errors
/// Those of writing; what is wrong with a file of the cache is none.
pub(crate) fn kept<M: Serialize + DeserializeOwned>(
    what: Kept,
    write: impl FnOnce(&Path) -> Result<(RowsWriter, M), DataError>,
) -> Result<(RowsFile, M, Option<String>), DataError> {
    let path = what.folder.join(name(&what));
    let note = match open::<M>(&path) {
        Ok((file, manifest)) if manifest.key == what.key && manifest.sources == what.sources => {
            return Ok((file, manifest.told, None));
        }
        Ok((_, manifest)) if manifest.key == what.key => {
            Some("the cache of rows was out of date: written again".to_owned())
        }
        Ok(_) | Err(Useless::Absent) => None,
        Err(Useless::Damaged) => Some("the cache of rows was damaged: written again".to_owned()),
    };
    let (writer, told) = write(&path)?;
    let manifest = Manifest { key: what.key, sources: what.sources, told };
    let bytes = serde_json::to_vec(&manifest)
        .map_err(|error| CacheError::Write { path: path.clone(), error: io::Error::other(error) })?;
    writer.finish(&bytes)?;
    let (file, manifest) = open::<M>(&path).map_err(|_| {
        let error = io::Error::other("what was written cannot be read");
        CacheError::Write { path: path.clone(), error }
    })?;
    Ok((file, manifest.told, note))
}

/// One file for each list of sources and way of reading them.
fn name(what: &Kept) -> String {
    let mut names = crc32fast::Hasher::new();
    what.sources.iter().for_each(|source| names.update(source.0.as_bytes()));
    format!("rows-{:08x}{:08x}.bin", names.finalize(), crc32fast::hash(what.key.as_bytes()))
}

/// Opens a file of the cache with its manifest.
fn open<M: DeserializeOwned>(path: &Path) -> Result<(RowsFile, Manifest<M>), Useless> {
    let file = own::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::Other => Useless::Damaged,
        _ => Useless::Absent,
    })?;
    let (file, manifest) = RowsFile::new(file, path)?;
    // of another version of its maker
    let manifest = serde_json::from_slice(&manifest).map_err(|_| Useless::Absent)?;
    Ok((file, manifest))
}
