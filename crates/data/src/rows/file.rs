//! A file of rows that is open: its head was checked, its blocks are when they are read.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "images")]
use kernels::mapped::Mapped;

use super::layout::{BadHead, Form, HEAD, Head};
use crate::{CacheError, DataError};

/// An open file of rows.
pub(crate) struct RowsFile {
    file: File,
    path: PathBuf,
    head: Head,
    /// of each block: CRC-32 of its inputs, and of its targets
    sums: Vec<[u32; 2]>,
    /// blocks whose inputs were found to be what was written
    checked: Vec<AtomicBool>,
    /// the whole file, where it is looked at through the system's memory
    #[cfg(feature = "images")]
    map: Option<Mapped>,
}

/// Why a file is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Useless {
    /// There is none, or none of this version.
    Absent,
    /// It is not what was written.
    Damaged,
}

impl RowsFile {
    /// Takes an open file after a look at its head, sums and manifest, which it gives.
    pub fn new(file: File, path: &Path) -> Result<(RowsFile, Vec<u8>), Useless> {
        let damaged = |_| Useless::Damaged;
        let len = file.metadata().map_err(damaged)?.len();
        let mut bytes = [0; HEAD];
        read_at(&file, &mut bytes, 0).map_err(damaged)?;
        let head = Head::from_bytes(&bytes, len).map_err(|bad| match bad {
            BadHead::OtherVersion => Useless::Absent,
            BadHead::Damaged => Useless::Damaged,
        })?;
        let read = |at, len, crc| {
            let mut bytes = vec![0; len];
            read_at(&file, &mut bytes, at).map_err(damaged)?;
            if crc32fast::hash(&bytes) == crc { Ok(bytes) } else { Err(Useless::Damaged) }
        };
        let sums = read(head.sums_at(), 8 * head.n_blocks(), head.sums_crc)?;
        let (words, _) = sums.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        let sums = pairs.iter().map(|pair| pair.map(u32::from_le_bytes)).collect();
        let manifest = read(head.manifest_at(), head.manifest_len, head.manifest_crc)?;
        let rows = RowsFile {
            file,
            path: path.into(),
            head,
            sums,
            checked: (0..head.n_blocks()).map(|_| AtomicBool::new(false)).collect(),
            #[cfg(feature = "images")]
            map: None,
        };
        Ok((rows, manifest))
    }

    /// The same, with the file looked at through the system's memory, of which it takes what nobody else wants; as it
    /// was where the system has no room for addresses.
    #[cfg(feature = "images")]
    pub fn mapped(self) -> RowsFile {
        let map = Mapped::new(&self.file).ok().filter(|map| map.len() as u64 == self.head.file_len());
        RowsFile { map, ..self }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn form(&self) -> Form {
        self.head.form
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.head.n
    }

    pub fn n_missing(&self) -> u64 {
        self.head.n_missing
    }

    pub fn n_blocks(&self) -> usize {
        self.head.n_blocks()
    }

    /// Rows of every block but the last one.
    pub fn rows_in_block(&self) -> usize {
        self.head.rows_in_block
    }

    /// Rows of a block.
    pub fn rows_of(&self, block: usize) -> usize {
        self.head.rows_of(block)
    }

    /// Bytes of a block's inputs.
    pub fn bytes_of(&self, block: usize) -> usize {
        self.head.rows_of(block) * self.head.form.record()
    }

    /// Whether two files hold the same rows.
    pub fn is_like(&self, other: &RowsFile) -> bool {
        let part = |file: &RowsFile| (file.head.form, file.head.n, file.head.rows_in_block);
        part(self) == part(other) && self.sums == other.sums
    }

    /// The CRC-32 of all inputs as they lie in the file, without reading them.
    pub fn inputs_crc(&self) -> crc32fast::Hasher {
        let mut all = crc32fast::Hasher::new();
        for (block, [inputs, _]) in self.sums.iter().enumerate() {
            let len = self.bytes_of(block) as u64;
            all.combine(&crc32fast::Hasher::new_with_initial_len(*inputs, len));
        }
        all
    }

    /// The inputs of a block where the file is looked at through the system's memory; they are checked at the first
    /// look.
    #[cfg(feature = "images")]
    pub fn mapped_block(&self, block: usize) -> Option<Result<&[u8], DataError>> {
        let start = self.head.start_of(block) as usize;
        let inputs = self.map.as_ref()?.get(start..start + self.bytes_of(block))?;
        Some(self.check(block, inputs).map(|()| inputs))
    }

    /// Nothing is looked at in that way.
    #[cfg(not(feature = "images"))]
    #[allow(clippy::unused_self)] // as above
    pub fn mapped_block(&self, _: usize) -> Option<Result<&[u8], DataError>> {
        None
    }

    /// Whether reads go through the system's memory.
    pub fn is_mapped(&self) -> bool {
        #[cfg(feature = "images")]
        return self.map.is_some();
        #[cfg(not(feature = "images"))]
        false
    }

    /// Whether a block was found to be what was written.
    pub fn is_checked(&self, block: usize) -> bool {
        self.checked[block].load(Ordering::Relaxed)
    }

    fn check(&self, block: usize, inputs: &[u8]) -> Result<(), DataError> {
        if self.is_checked(block) {
            return Ok(());
        }
        if crc32fast::hash(inputs) != self.sums[block][0] {
            return Err(self.damaged(block));
        }
        self.checked[block].store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the inputs of a block to `out`, which has their length, and checks them.
    pub fn read_block(&self, block: usize, out: &mut [u8]) -> Result<(), DataError> {
        self.read(block, self.head.start_of(block), out)?;
        if crc32fast::hash(out) != self.sums[block][0] {
            return Err(self.damaged(block));
        }
        self.checked[block].store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the inputs of one row of a block that was checked.
    pub fn read_row(&self, block: usize, within: usize, out: &mut [u8]) -> Result<(), DataError> {
        let at = self.head.start_of(block) + (within * self.head.form.record()) as u64;
        self.read(block, at, out)
    }

    /// All targets, `[n, n_targets]`, which are checked.
    #[allow(dead_code)] // read for tables; arrays and images have theirs elsewhere
    pub fn targets(&self) -> Result<Vec<f32>, DataError> {
        let mut all = Vec::with_capacity(self.head.n * self.head.form.n_targets);
        let mut bytes = Vec::new();
        for block in 0..self.n_blocks() {
            bytes.resize(self.rows_of(block) * self.head.form.target_bytes(), 0);
            self.read(block, self.head.start_of(block) + self.bytes_of(block) as u64, &mut bytes)?;
            if crc32fast::hash(&bytes) != self.sums[block][1] {
                return Err(self.damaged(block));
            }
            all.extend(bytes.as_chunks::<4>().0.iter().map(|y| f32::from_le_bytes(*y)));
        }
        Ok(all)
    }

    fn read(&self, block: usize, at: u64, out: &mut [u8]) -> Result<(), DataError> {
        read_at(&self.file, out, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged(block),
            _ => DataError::Read { path: self.path.clone(), error },
        })
    }

    /// Takes a damaged file away, so that the next start makes it anew, and says which block it was.
    fn damaged(&self, block: usize) -> DataError {
        let deleted = std::fs::remove_file(&self.path).is_ok() || !self.path.exists();
        CacheError::Block { block: block + 1, of: self.n_blocks(), deleted, path: self.path.clone() }.into()
    }

    /// Has the system read blocks ahead, where it can.
    pub fn will_need(&self, blocks: &[u32]) {
        let mut rest = blocks;
        while let Some(first) = rest.first() {
            let run = rest.iter().zip(*first..).take_while(|(block, next)| *block == next).count();
            let start = self.head.start_of(*first as usize);
            let end = self.head.start_of(*first as usize + run - 1)
                + self.bytes_of(*first as usize + run - 1) as u64;
            will_need(&self.file, start, end - start);
            rest = &rest[run..];
        }
    }
}

#[cfg(all(unix, feature = "copies"))]
fn will_need(file: &File, start: u64, len: u64) {
    // an advice: the system may pass over it
    let _ = rustix::fs::fadvise(file, start, std::num::NonZeroU64::new(len), rustix::fs::Advice::WillNeed);
}

#[cfg(not(all(unix, feature = "copies")))]
fn will_need(_: &File, _: u64, _: u64) {}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        match std::os::windows::fs::FileExt::seek_read(file, &mut out[done..], at + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
