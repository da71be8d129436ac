//! Decoded copies of large files, so that the second start does not decode again.
//!
//! A gzip file's copy is named by the CRC-32 and length of the compressed file and by the CRC-32 and length of the
//! content that the gzip trailer promises. It is used only if its content has that checksum, so it cannot be stale or
//! damaged, and only if this user wrote it: the folder may lie where others write, too. Decoded images are kept by
//! `images/cached.rs`, in the same folder. It may be deleted at any time.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::own;

/// Files below this many bytes decode faster than a copy is worth.
pub(crate) const MIN_BYTES: usize = 1 << 20;

/// After this time a part of a file is taken for left behind.
const STALE: Duration = Duration::from_secs(3600);

/// A place for the decoded content of one gzip file.
pub(crate) struct Slot {
    file: PathBuf,
    crc: u32,
    len: u64,
}

impl Slot {
    /// The slot for a gzip file of one member, or `None` if it is small or no folder is given.
    pub fn new(folder: Option<&Path>, gzip: &[u8]) -> Option<Slot> {
        let folder = folder.filter(|_| gzip.len() >= MIN_BYTES)?;
        let [.., c0, c1, c2, c3, l0, l1, l2, l3] = *gzip else { return None };
        let (crc, len) = (u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([l0, l1, l2, l3]));
        let source = crc32fast::hash(gzip);
        let name = format!("{source:08x}-{}-{crc:08x}-{len}.raw", gzip.len());
        Some(Slot { file: folder.join(name), crc, len: len.into() })
    }

    /// Reads the copy to `head` and `body`; false if there is none that is whole.
    pub fn load(&self, head: &mut [u8], body: &mut [u8]) -> bool {
        let Ok(mut file) = own::open(&self.file) else { return false };
        let fits = file.metadata().is_ok_and(|m| m.len() == self.len)
            && self.len == (head.len() + body.len()) as u64;
        let whole = fits && file.read_exact(head).is_ok() && file.read_exact(body).is_ok();
        if whole && self.check(head, body) {
            return true;
        }
        // Damaged or of another shape: useless either way, and made anew by the caller.
        let _ = fs::remove_file(&self.file);
        false
    }

    /// Keeps a copy. Failing to (a full or read-only disk) loses nothing, so it is not reported.
    pub fn store(&self, head: &[u8], body: &[u8]) {
        let _ = publish(&self.file, &[head, body]);
    }

    fn check(&self, head: &[u8], body: &[u8]) -> bool {
        let mut crc = crc32fast::Hasher::new();
        crc.update(head);
        crc.update(body);
        crc.finalize() == self.crc
    }
}

/// Writes a file under another name and renames it when it is whole, so that nobody sees a part of it, whoever else
/// writes the same at the same time. Gives the file that was written, which only this user may read.
pub(crate) fn publish(path: &Path, parts: &[&[u8]]) -> std::io::Result<fs::File> {
    let mut file = part_of(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    let file = file.persist(path)?;
    sweep(path);
    Ok(file)
}

/// A part of a file, under another name in its folder.
pub(crate) fn part_of(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    own::create_folder(folder)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    tempfile::Builder::new().prefix(&format!("{stem}.")).suffix(".tmp").tempfile_in(folder)
}

/// Removes what processes that were killed left of a file: parts that nobody has written to for an hour.
pub(crate) fn sweep(path: &Path) {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else { return };
    let start = format!("{}.", stem.to_string_lossy());
    let is_left = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        name.starts_with(&start) && name.ends_with(".tmp") && age().is_some_and(|a| a > STALE)
    };
    let left = fs::read_dir(folder).into_iter().flatten().flatten().filter(is_left);
    left.for_each(|entry| drop(fs::remove_file(entry.path())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_used_only_if_it_is_whole() {
        let here = tempfile::tempdir().expect("a temporary folder");
        let folder = here.path().join("cache");
        let content = b"headbody of the file";
        let mut gzip = vec![7u8; MIN_BYTES];
        gzip.extend(crc32fast::hash(content).to_le_bytes());
        gzip.extend((content.len() as u32).to_le_bytes());
        assert!(Slot::new(None, &gzip).is_none() && Slot::new(Some(&folder), &gzip[..100]).is_none());
        let slot = Slot::new(Some(&folder), &gzip).expect("a slot");
        let (mut head, mut body) = ([0; 4], [0; 16]);
        assert!(!slot.load(&mut head, &mut body));
        slot.store(&content[..4], &content[4..]);
        assert!(slot.load(&mut head, &mut body) && &head == b"head" && body == content[4..]);
        let mut damaged = content.to_vec();
        damaged[9] ^= 1;
        fs::write(&slot.file, &damaged).expect("a writable folder");
        assert!(!slot.load(&mut head, &mut body) && !slot.file.exists());
    }

    /// A link in the place of a copy is neither read nor written through.
    #[cfg(unix)]
    #[test]
    fn a_link_in_the_cache_leads_nowhere() {
        let here = tempfile::tempdir().expect("a temporary folder");
        let (folder, victim) = (here.path().join("cache"), here.path().join("victim"));
        let content = b"headbody of the file";
        let mut gzip = vec![7u8; MIN_BYTES];
        gzip.extend(crc32fast::hash(content).to_le_bytes());
        gzip.extend((content.len() as u32).to_le_bytes());
        let slot = Slot::new(Some(&folder), &gzip).expect("a slot");
        let (mut head, mut body) = ([0; 4], [0; 16]);
        fs::create_dir(&folder).expect("a writable folder");
        fs::write(&victim, content).expect("a writable folder");
        std::os::unix::fs::symlink(&victim, &slot.file).expect("a link");
        assert!(!slot.load(&mut head, &mut body), "a file elsewhere was taken for the copy");
        slot.store(b"HEAD", &content[4..]);
        assert_eq!(fs::read(&victim).expect("still there"), content);
        assert!(fs::symlink_metadata(&slot.file).is_ok_and(|found| found.is_file()));
    }
}
