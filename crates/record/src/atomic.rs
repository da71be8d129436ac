//! Whole-file writes that either happen or do not: temporary file beside the target, fsync, rename, fsync of the
//! folder.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Action, RecordError, Result};

static SERIAL: AtomicU64 = AtomicU64::new(0);

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
    let temp = temporary(path);
    let done = fill(&temp, write).and_then(|()| fs::rename(&temp, path)).and_then(|()| sync_folder(path));
    done.map_err(|source| {
        // The first error is the one to tell; a temporary file that cannot be removed is taken away on resume.
        let _ = fs::remove_file(&temp);
        RecordError::io(Action::Write, path, source)
    })
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
fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".partial")
}

/// `.NAME.PID-SERIAL.partial` beside the target: the same file system, and never shared by two writers.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{serial}.partial", std::process::id()))
}

fn fill(temp: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, File::create(temp)?);
    write(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Makes the rename itself survive a power cut; folders cannot be opened on Windows, where rename is enough.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
