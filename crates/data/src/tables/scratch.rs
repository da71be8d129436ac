//! A file for what is too much for memory: written once, read in pieces, and gone with its last user.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::DataError;

/// A file without a name. What goes wrong with it is kept until [`Scratch::check`], which is asked before anything
/// that was read from it is used.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    end: u64,
    failed: Option<io::Error>,
}

impl Scratch {
    /// Makes a file in a folder, or in that of temporary files.
    ///
    /// # Errors
    /// [`DataError::Read`] where it cannot be made.
    pub fn new(folder: Option<&Path>) -> Result<Arc<Scratch>, DataError> {
        let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
        let made = crate::own::create_folder(&folder).and_then(|()| tempfile::tempfile_in(&folder));
        let file = made.map_err(|error| DataError::Read { path: folder.clone(), error })?;
        Ok(Arc::new(Scratch { folder, inner: Mutex::new(Inner { file, end: 0, failed: None }) }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds bytes at the end, and gives their place.
    pub fn append(&self, bytes: &[u8]) -> u64 {
        let mut inner = self.inner();
        let at = inner.end;
        inner.end += bytes.len() as u64;
        inner.attempt(at, |file| file.write_all(bytes));
        at
    }

    /// Adds numbers at the end, and gives their place.
    pub fn append_numbers(&self, numbers: &[f64]) -> u64 {
        let mut bytes = Vec::with_capacity(8 * numbers.len());
        numbers.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
        self.append(&bytes)
    }

    /// Writes a number over another one.
    pub fn replace_number(&self, at: u64, number: f64) {
        self.inner().attempt(at, |file| file.write_all(&number.to_le_bytes()));
    }

    /// Reads `n` bytes from a place; zeros where that fails.
    pub fn read(&self, at: u64, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.inner().attempt(at, |file| file.read_exact(&mut bytes));
        bytes
    }

    /// Reads `n` numbers from a place onto the end of `out`.
    pub fn read_numbers(&self, at: u64, n: usize, out: &mut Vec<f64>) {
        let bytes = self.read(at, 8 * n);
        out.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)));
    }

    /// Whether all went well so far.
    ///
    /// # Errors
    /// [`DataError::Read`] with the first thing that did not.
    pub fn check(&self) -> Result<(), DataError> {
        match self.inner().failed.take() {
            Some(error) => Err(DataError::Read { path: self.folder.clone(), error }),
            None => Ok(()),
        }
    }
}

impl Inner {
    fn attempt(&mut self, at: u64, act: impl FnOnce(&mut File) -> io::Result<()>) {
        let done = self.file.seek(SeekFrom::Start(at)).and_then(|_| act(&mut self.file));
        if let Err(error) = done {
            self.failed.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let scratch = Scratch::new(None).expect("a temporary folder");
        let (words, numbers) = (scratch.append(b"words"), scratch.append_numbers(&[1.5, 2.5]));
        scratch.replace_number(numbers + 8, 3.5);
        let mut read = vec![0.5];
        scratch.read_numbers(numbers, 2, &mut read);
        assert_eq!((scratch.read(words, 5), read), (b"words".to_vec(), vec![0.5, 1.5, 3.5]));
        assert!(scratch.check().is_ok());
        scratch.read(numbers, 100);
        assert!(scratch.check().is_err());
    }
}
