//! Unpacks an archive: only the files that are expected, only if nothing in it reaches outside, all of them or none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::digest;
use super::part::failed;
use super::{FetchError, Member};

/// What an archive may hold besides the expected files, in bytes.
const BESIDES: u64 = 16 << 20;

/// Takes `members` out of `archive` and puts them into the folder `into`, which replaces one of that name.
///
/// Everything is written to a temporary folder beside `into`, which is renamed at the end. An archive with an absolute
/// path, a `..`, a link or a device is refused as a whole.
///
/// # Errors
/// [`FetchError::Archive`] names the entry and why it is refused; others tell what the disk refused.
pub fn unpack(archive: &Path, members: &[Member], into: &Path) -> Result<(), FetchError> {
    let temporary = beside(into, "partial");
    remove(&temporary)?;
    fs::create_dir_all(&temporary).map_err(|e| failed("write", &temporary, e))?;
    let done = take_out(archive, members, into, &temporary).and_then(|()| replace(&temporary, into));
    if done.is_err() {
        // The first error is the one to tell; what stays is removed by the next attempt.
        let _ = fs::remove_dir_all(&temporary);
    }
    done
}

fn take_out(path: &Path, members: &[Member], into: &Path, temporary: &Path) -> Result<(), FetchError> {
    let refuse =
        |entry: &str, reason: String| FetchError::Archive { entry: entry.into(), reason, path: path.into() };
    let damaged = |error: io::Error| refuse("", format!("cannot be read: {error}"));
    let folder = into.file_name().map(Path::new).unwrap_or(Path::new(""));
    let most = members.iter().map(|m| m.size.most() + 1024).sum::<u64>() + BESIDES;
    let file = File::open(path).map_err(|e| failed("read", path, e))?;
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
            return Err(refuse(&shown, format!("breaks off after {written} bytes")));
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
        Err(_) => return Err((shown, "is no path of this system")),
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

/// Puts the new folder in the place of the old one.
fn replace(new: &Path, into: &Path) -> Result<(), FetchError> {
    let old = beside(into, "old");
    remove(&old)?;
    if fs::symlink_metadata(into).is_ok() {
        fs::rename(into, &old).map_err(|e| failed("replace", into, e))?;
    }
    if let Err(error) = fs::rename(new, into) {
        let _ = fs::rename(&old, into);
        return Err(failed("write", into, error));
    }
    remove(&old)
}

/// `.NAME.ending` beside a folder.
fn beside(folder: &Path, ending: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{ending}"))
}

fn remove(path: &Path) -> Result<(), FetchError> {
    let removed = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(|e| failed("remove", path, e))
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
