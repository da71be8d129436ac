//! Writing a file of rows: one block in memory, and a name when all of it is on the disk.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

#[cfg(feature = "images")]
use super::RowsFile;
use super::layout::{Form, HEAD, Head, START};
use crate::{CacheError, DataError, cache};

/// Takes rows one after another. Dropped without [`RowsWriter::finish`], it leaves nothing; killed, a part under
/// another name, which a later writer removes.
pub(crate) struct RowsWriter {
    file: NamedTempFile,
    path: PathBuf,
    form: Form,
    inputs: Vec<u8>,
    targets: Vec<u8>,
    /// little-endian, of the blocks that are written
    sums: Vec<u8>,
    n: usize,
    n_missing: u64,
}

impl RowsWriter {
    /// Begins a file that will be called `path`; its folder is made where there is none.
    ///
    /// # Errors
    /// [`CacheError::Write`], as for all that follows.
    pub fn create(path: &Path, form: Form) -> Result<RowsWriter, DataError> {
        let begin = || {
            let mut file = cache::part_of(path)?;
            file.write_all(&[0; START as usize])?;
            Ok(file)
        };
        let file = begin().map_err(|error| failed(path, error))?;
        let rows = form.rows_in_block();
        Ok(RowsWriter {
            file,
            path: path.into(),
            form,
            inputs: Vec::with_capacity(rows * form.record()),
            targets: Vec::with_capacity(rows * form.target_bytes()),
            sums: Vec::new(),
            n: 0,
            n_missing: 0,
        })
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Adds rows of numbers: inputs `[n, width]`, NaN where one is missing, and targets `[n, n_targets]`.
    ///
    /// # Panics
    /// If the form has bytes, or the lengths are not those of whole rows, as many of the one as of the other.
    pub fn numbers(&mut self, inputs: &[f32], targets: &[f32]) -> Result<(), DataError> {
        assert!(!self.form.bytes, "rows of bytes");
        self.check(inputs.len(), targets.len());
        let (width, n_targets) = (self.form.width.max(1), self.form.n_targets);
        for (i, row) in inputs.chunks_exact(width).enumerate() {
            self.inputs.extend(row.iter().flat_map(|x| x.to_le_bytes()));
            self.n_missing += row.iter().filter(|x| x.is_nan()).count() as u64;
            self.end_row(&targets[i * n_targets..(i + 1) * n_targets])?;
        }
        Ok(())
    }

    /// Adds rows of bytes in the same way.
    ///
    /// # Panics
    /// If the form has numbers, or as above.
    pub fn bytes(&mut self, inputs: &[u8], targets: &[f32]) -> Result<(), DataError> {
        assert!(self.form.bytes, "rows of numbers");
        self.check(inputs.len(), targets.len());
        let n_targets = self.form.n_targets;
        for (i, row) in inputs.chunks_exact(self.form.width.max(1)).enumerate() {
            self.inputs.extend_from_slice(row);
            self.end_row(&targets[i * n_targets..(i + 1) * n_targets])?;
        }
        Ok(())
    }

    /// Adds the rows of another file of the same form, which has no targets.
    ///
    /// # Errors
    /// Those of reading and of writing.
    #[cfg(feature = "images")]
    pub fn copy(&mut self, other: &RowsFile) -> Result<(), DataError> {
        let mut bytes = Vec::new();
        for block in 0..other.n_blocks() {
            bytes.resize(other.bytes_of(block), 0);
            other.read_block(block, &mut bytes)?;
            for row in bytes.chunks_exact(self.form.record().max(1)) {
                self.inputs.extend_from_slice(row);
                self.end_row(&[])?;
            }
        }
        self.n_missing += other.n_missing();
        Ok(())
    }

    /// What each row is.
    #[cfg(feature = "images")]
    pub fn form(&self) -> Form {
        self.form
    }

    fn check(&self, inputs: usize, targets: usize) {
        let n = inputs / self.form.width.max(1);
        assert!(inputs == n * self.form.width && targets == n * self.form.n_targets, "whole rows");
    }

    fn end_row(&mut self, targets: &[f32]) -> Result<(), DataError> {
        self.targets.extend(targets.iter().flat_map(|y| y.to_le_bytes()));
        self.n += 1;
        if self.n.is_multiple_of(self.form.rows_in_block()) { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DataError> {
        for part in [&mut self.inputs, &mut self.targets] {
            self.file.write_all(part).map_err(|error| failed(&self.path, error))?;
            self.sums.extend(crc32fast::hash(part).to_le_bytes());
            part.clear();
        }
        Ok(())
    }

    /// Writes what is left, and what tells the rows from others; gives the file its name when the disk has it.
    pub fn finish(mut self, manifest: &[u8]) -> Result<(), DataError> {
        if !self.inputs.is_empty() || !self.n.is_multiple_of(self.form.rows_in_block()) {
            self.flush()?;
        }
        let head = Head {
            form: self.form,
            rows_in_block: self.form.rows_in_block(),
            n: self.n,
            n_missing: self.n_missing,
            manifest_len: manifest.len(),
            manifest_crc: crc32fast::hash(manifest),
            sums_crc: crc32fast::hash(&self.sums),
        };
        let bytes: [u8; HEAD] = head.to_bytes();
        let mut end = || {
            self.file.write_all(&self.sums)?;
            self.file.write_all(manifest)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&bytes)?;
            self.file.as_file().sync_all()
        };
        end().map_err(|error| failed(&self.path, error))?;
        self.file.persist(&self.path).map_err(|error| failed(&self.path, error.error))?;
        cache::sweep(&self.path);
        Ok(())
    }
}

fn failed(path: &Path, error: std::io::Error) -> DataError {
    CacheError::Write { path: path.into(), error }.into()
}
