//! Reading whole files, decompressed where they are gzip, with errors that name the file.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::OnceLock;

use super::DataError;
#[cfg(feature = "gzip")]
use super::gzip::Gunzip;
use settings::nearest;

/// All bytes of a file as it is on disk.
///
/// # Errors
/// [`DataError::UnknownSource`] if it does not exist, [`DataError::Empty`], or [`DataError::Read`].
pub(crate) fn raw(path: &Path) -> Result<Vec<u8>, DataError> {
    if is_stdin(path) {
        return stdin();
    }
    let metadata = std::fs::metadata(path).map_err(|error| failed(path, error))?;
    if !metadata.is_file() {
        return Err(DataError::Read { path: path.into(), error: not_a_file() });
    }
    let bytes = std::fs::read(path).map_err(|error| failed(path, error))?;
    if bytes.is_empty() { Err(DataError::Empty { path: path.into() }) } else { Ok(bytes) }
}

/// Whether a path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// All of standard input. It can be read once, so it is kept for whoever asks again.
fn stdin() -> Result<Vec<u8>, DataError> {
    static ALL: OnceLock<Vec<u8>> = OnceLock::new();
    let mut input = std::io::stdin().lock();
    if let Some(all) = ALL.get() {
        return Ok(all.clone());
    }
    if input.is_terminal() {
        return Err(crate::FilesError::Terminal.into());
    }
    let mut all = Vec::new();
    input.read_to_end(&mut all).map_err(|error| DataError::Read { path: "-".into(), error })?;
    match ALL.get_or_init(|| all) {
        all if all.is_empty() => Err(DataError::Empty { path: "-".into() }),
        all => Ok(all.clone()),
    }
}

/// All bytes of a file, decompressed if it is gzip or Zstandard.
///
/// # Errors
/// As [`raw`], and [`DataError::Truncated`] or [`DataError::Damaged`] of the compressed file.
pub(crate) fn decoded(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = raw(path)?;
    let out = match &bytes[..] {
        [0x1f, 0x8b, ..] => gunzip(&bytes, path)?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => unzstd(&bytes, path)?,
        _ => return Ok(bytes),
    };
    if out.is_empty() { Err(DataError::Empty { path: path.into() }) } else { Ok(out) }
}

#[cfg_attr(not(feature = "gzip"), allow(unused_variables))]
fn gunzip(bytes: &[u8], path: &Path) -> Result<Vec<u8>, DataError> {
    #[cfg(feature = "gzip")]
    return Gunzip::new(path, bytes).read_to_end();
    #[cfg(not(feature = "gzip"))]
    Err(no_gzip(path))
}

#[cfg_attr(not(feature = "zstd"), allow(unused_variables))]
fn unzstd(bytes: &[u8], path: &Path) -> Result<Vec<u8>, DataError> {
    #[cfg(feature = "zstd")]
    return crate::zstd::decoded(bytes, path);
    #[cfg(not(feature = "zstd"))]
    Err(DataError::LeftOut { what: path.display().to_string(), feature: "zstd" })
}

/// Why a gzip file cannot be read.
#[cfg(not(feature = "gzip"))]
pub(crate) fn no_gzip(path: &Path) -> DataError {
    DataError::LeftOut { what: path.display().to_string(), feature: "gzip" }
}

/// Whether this many bytes can be had for what `path` holds: a later allocation that fails would end the program.
///
/// # Errors
/// [`CacheError::TooMuchMemory`](crate::CacheError::TooMuchMemory).
pub(crate) fn room(bytes: usize, path: &Path) -> Result<(), DataError> {
    // Given back before zeros are asked for: those are pages that are not there until they are written.
    let enough = Vec::<u8>::new().try_reserve_exact(bytes).is_ok();
    if enough { Ok(()) } else { Err(crate::CacheError::TooMuchMemory { bytes, path: path.into() }.into()) }
}

/// Whether bytes begin like a gzip file.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// What is wrong with a pipe, a device or a folder where a file is wanted: reading it may never end.
pub(crate) fn not_a_file() -> std::io::Error {
    std::io::Error::other("not a regular file")
}

/// An operating system's error, with the nearest name for a file that does not exist.
pub(crate) fn failed(path: &Path, error: std::io::Error) -> DataError {
    if error.kind() == std::io::ErrorKind::NotFound {
        if path.is_symlink() {
            let error = std::io::Error::other("a link to nothing");
            return DataError::Read { path: path.into(), error };
        }
        let name = path.display().to_string();
        return DataError::UnknownSource { name, nearest: neighbor(path) };
    }
    DataError::Read { path: path.into(), error }
}

/// The file beside a path whose name is closest to it.
fn neighbor(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = names(listed);
    let near = nearest(&path.file_name()?.to_string_lossy(), names.iter().map(String::as_str))?;
    Some(folder.join(near).display().to_string())
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
