//! A file's content as a slice: mapped into memory, read when it is touched, shared with other processes.

use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file's content, read-only.
///
/// Map only files that nobody changes in place: a file that loses pages while it is mapped ends the program with a
/// bus error, and one that is written to changes under the reader. Files of a cache that are written under a temporary
/// name, renamed when they are whole and never touched again are safe; removing or replacing such a file leaves the
/// mapping with the old content.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps the whole file. Pages are read when they are first touched.
    ///
    /// # Errors
    /// The operating system's, such as for a folder, or where there is no room for addresses.
    pub fn new(file: &File) -> io::Result<Mapped> {
        // SAFETY: the mapping is private to reading and keeps the file alive. What `Mmap` asks beyond that, that the
        // file is not changed in place, cannot be checked; it is the documented condition above, and the one caller
        // (the cache of decoded images) only ever renames finished files to names that it maps.
        let map = unsafe { memmap2::Mmap::map(file) }?;
        Ok(Mapped(map))
    }
}

impl Deref for Mapped {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_through_its_mapping() {
        let path = std::env::temp_dir().join(format!("thalweg-mapped-{}", std::process::id()));
        let content: Vec<u8> = (0..10_000u32).map(|i| (i * i % 251) as u8).collect();
        std::fs::write(&path, &content).expect("a temporary folder");
        let map = Mapped::new(&File::open(&path).expect("written above")).expect("a file");
        std::fs::remove_file(&path).expect("written above");
        assert_eq!(*map, content[..]);
        assert!(Mapped::new(&File::open(std::env::temp_dir()).expect("a folder")).is_err());
    }
}
