//! Whole-file writes that either happen or do not: temporary file beside the target, fsync, rename, fsync of the
//! folder.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Action, RecordError, Result};

/// The end of the name of an unfinished file.
const UNFINISHED: &str = ".partial";

/// Replaces `path` by what `write` writes, or leaves it as it was.
///
/// A kill or a power cut at any moment leaves the old or the new file, whole. On an error the temporary file is
/// taken away. Folders must exist.
///
/// # Errors
/// [`RecordError::DiskFull`], [`RecordError::Denied`], or [`RecordError::Io`] with the path of the target.
///
/// # Cost
/// Two fsyncs: milliseconds, so once per epoch rather than once per step.
///
/// ```
/// let path = std::env::temp_dir().join("thalweg-doc-atomic.txt");
/// record::write_atomic(&path, |w| w.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"whole");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), record::RecordError>(())
/// ```
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    // A temporary file that is not renamed goes when it is dropped; of a kill's, `remove_temporaries` takes care.
    let done = temporary(path).and_then(|temp| fill(temp, write)).and_then(|temp| {
        temp.persist(path).map_err(io::Error::from)?;
        sync_folder(path)
    });
    done.map_err(|source| RecordError::io(Action::Write, path, source))
}

/// Takes away temporary files that a killed process left in `folder`. Only for whoever holds the run's lock.
///
/// # Errors
/// [`RecordError::Denied`] or [`RecordError::Io`]; a folder that does not exist holds nothing.
pub fn remove_temporaries(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(RecordError::io(Action::Read, folder, e)),
    };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(|e| RecordError::io(Action::Remove, &entry.path(), e))?;
        }
    }
    Ok(())
}

/// True for names that [`write_atomic`] gives to unfinished files.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

/// `.NAME.RANDOM.partial` beside the target: the same file system, never shared by two writers, and made exclusively,
/// so that nobody can have put a link there. Who may read the file is what the user's mask says, as for any other.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(path))
}

fn fill(
    temp: NamedTempFile,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut out = BufWriter::with_capacity(1 << 16, temp);
    write(&mut out)?;
    let temp = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    temp.as_file().sync_all()?;
    Ok(temp)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the rename itself survive a power cut; folders cannot be opened on Windows, where rename is enough.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// The names that earlier versions gave to unfinished files could be guessed, and led where a link there said.
    #[test]
    fn a_link_under_a_name_that_can_be_guessed_leads_nowhere() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        fs::write(at("victim"), "precious").unwrap();
        for serial in 0..64 {
            let guess = format!(".out.txt.{}-{serial}.partial", std::process::id());
            symlink(at("victim"), at(&guess)).unwrap();
        }
        write_atomic(&at("out.txt"), |w| w.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(at("victim")).unwrap(), b"precious");
        assert_eq!(fs::read(at("out.txt")).unwrap(), b"whole");
    }

    #[test]
    fn a_file_may_be_read_by_whoever_may_read_others() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        fs::write(at("usual"), "").unwrap();
        write_atomic(&at("ours"), |w| w.write_all(b"whole")).unwrap();
        assert_eq!(mode("ours"), mode("usual"));
        write_atomic(&at("failed"), |_| Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2);
    }
}
