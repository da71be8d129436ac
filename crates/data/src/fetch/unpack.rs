//! Unpacks an archive: only the files that are expected, only if nothing in it reaches outside, all of them or none.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::digest;
use super::part::failed;
use super::{FetchError, Member};

/// What an archive may hold besides the expected files, in bytes.
const BESIDES: u64 = 16 << 20;

/// Ends of the names of folders that are being filled, or were when a process was killed.
const UNFINISHED: [&str; 2] = [".partial", ".old"];

/// Takes `members` out of `archive` and puts them into the folder `into`, which replaces one of that name.
///
/// Everything is written to a folder beside `into` that this process made for itself, and renamed at the end. The
/// archive is locked meanwhile: whoever comes second is told so, or finds the work done. An archive with an absolute
/// path, a `..`, a link or a device is refused as a whole.
///
/// # Errors
/// [`FetchError::Archive`] names the entry and why it is refused; others tell what the disk refused.
pub fn unpack(archive: &Path, members: &[Member], into: &Path) -> Result<(), FetchError> {
    let file = match File::open(archive) {
        Err(e) if e.kind() == ErrorKind::NotFound && present(into, members)? == Some(true) => return Ok(()),
        opened => opened.map_err(|e| failed("read", archive, e))?,
    };
    let alone = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => return Err(FetchError::Busy { path: archive.into() }),
        // A file system without locks is no reason to refuse.
        Err(TryLockError::Error(_)) => false,
    };
    if present(into, members)? == Some(true) {
        return Ok(());
    }
    let name = format!(".{}.", into.file_name().unwrap_or_default().to_string_lossy());
    let parent = into.parent().unwrap_or(Path::new("."));
    if alone {
        sweep(parent, &name);
    }
    let folder = tempfile::Builder::new().prefix(&name).suffix(UNFINISHED[0]).tempdir_in(parent);
    let folder = folder.map_err(|e| failed("write", parent, e))?;
    let (new, old) = (folder.path().join("new"), folder.path().join("old"));
    fs::create_dir(&new).map_err(|e| failed("write", &new, e))?;
    take_out(&file, archive, members, into, &new)?;
    replace(&new, &old, into)?;
    let path = folder.path().to_owned();
    folder.close().map_err(|e| failed("remove", &path, e))
}

/// Removes what processes that were killed left beside the folder. What cannot be removed is in nobody's way.
fn sweep(parent: &Path, start: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let rest = name.strip_prefix(start.trim_end_matches('.'));
        if rest.is_some_and(|rest| rest.starts_with('.') && UNFINISHED.iter().any(|end| rest.ends_with(end)))
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn take_out(
    file: &File,
    path: &Path,
    members: &[Member],
    into: &Path,
    temporary: &Path,
) -> Result<(), FetchError> {
    let refuse =
        |entry: &str, reason: String| FetchError::Archive { entry: entry.into(), reason, path: path.into() };
    let damaged = |error: io::Error| refuse("", format!("cannot be read: {error}"));
    let folder = into.file_name().map(Path::new).unwrap_or(Path::new(""));
    let most = members.iter().map(|m| m.size.most() + 1024).sum::<u64>() + BESIDES;
    let mut archive = Archive::new(GzDecoder::new(io::BufReader::new(file)).take(most));
    let mut missing: BTreeSet<&str> = members.iter().map(|m| m.name).collect();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let Some(name) = safe_name(&entry).map_err(|(entry, reason)| refuse(&entry, reason.into()))? else {
            continue;
        };
        let Some(member) = members.iter().find(|m| folder.join(m.name) == name) else { continue };
        let shown = name.display().to_string();
        if !missing.remove(member.name) {
            return Err(refuse(&shown, "is there twice".into()));
        }
        if !member.size.fits(entry.size()) {
            let (got, most) = (entry.size(), member.size.most());
            return Err(refuse(&shown, format!("has {got} bytes, expected {most}")));
        }
        let target = temporary.join(member.name);
        let mut out = File::create_new(&target).map_err(|e| failed("write", &target, e))?;
        let written = io::copy(&mut entry, &mut out).and_then(|n| out.sync_all().map(|()| n));
        let written = written.map_err(|e| failed("unpack to", &target, e))?;
        if written != entry.size() {
            return Err(refuse(&shown, format!("ends too early, after {written} bytes")));
        }
    }
    missing
        .first()
        .map_or(Ok(()), |name| Err(refuse(&folder.join(name).display().to_string(), "is missing".into())))
}

/// The path of a plain file, `None` for a folder or a comment, or why the entry is refused.
fn safe_name(entry: &Entry<impl Read>) -> Result<Option<PathBuf>, (String, &'static str)> {
    let bytes = entry.path_bytes();
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let path = match entry.path() {
        Ok(path) => path.into_owned(),
        Err(_) => return Err((shown, "is not a path on this system")),
    };
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => return Err((shown, "leads out of its folder")),
            Component::RootDir | Component::Prefix(_) => return Err((shown, "is an absolute path")),
        }
    }
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => Ok(Some(clean)),
        EntryType::Directory | EntryType::XGlobalHeader => Ok(None),
        EntryType::Symlink | EntryType::Link => Err((shown, "is a link")),
        _ => Err((shown, "is neither a file nor a folder")),
    }
}

/// Puts the new folder in the place of the one that is there, which becomes `old`.
fn replace(new: &Path, old: &Path, into: &Path) -> Result<(), FetchError> {
    if fs::symlink_metadata(into).is_ok() {
        fs::rename(into, old).map_err(|e| failed("replace", into, e))?;
    }
    fs::rename(new, into).map_err(|error| {
        let _ = fs::rename(old, into);
        failed("write", into, error)
    })
}

/// Whether a folder holds the members, digests included; `None` if there is none.
pub(super) fn present(folder: &Path, members: &[Member]) -> Result<Option<bool>, FetchError> {
    if fs::symlink_metadata(folder).is_err() {
        return Ok(None);
    }
    for member in members {
        let path = folder.join(member.name);
        let Ok(file) = File::open(&path) else { return Ok(Some(false)) };
        let bytes = file.metadata().map_err(|e| failed("read", &path, e))?.len();
        if !member.size.fits(bytes) {
            return Ok(Some(false));
        }
        if let Some(expected) = member.sha256 {
            let (_, got) = digest::of(file).map_err(|e| failed("read", &path, e))?;
            if got != expected {
                return Ok(Some(false));
            }
        }
    }
    Ok(Some(true))
}
