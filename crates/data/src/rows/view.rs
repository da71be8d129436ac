//! Inputs of a data set that lie in a file of rows.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use kernels::cast::floats;
use kernels::fetch::prefetch;

use super::file::RowsFile;
use super::ranks::at_places;
use super::window::Window;
use super::{blocks_in_group, rows_in_block};
use crate::gather::AHEAD;
use crate::{DataError, Values};

/// Inputs that lie in a file of the cache, bytes or f32, read where they are wanted. Equal if their content is.
#[derive(Clone)]
pub struct Rows {
    file: Arc<RowsFile>,
    /// none where the file is looked at through the system's memory
    window: Option<Arc<RwLock<Window>>>,
    /// of each input what stands for it where it is missing
    fills: Option<Arc<[f32]>>,
}

thread_local! {
    /// A row, or a block, that is not held. Grows at a thread's first one.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Rows {
    /// The rows of a file, of which a group of blocks is held in memory: what a run that may take `memory` bytes has
    /// for them.
    pub(crate) fn streamed(file: RowsFile, memory: usize) -> Rows {
        let window = Window::new(&file, blocks_in_group(file.form().record(), memory));
        Rows { window: Some(Arc::new(RwLock::new(window))), file: Arc::new(file), fills: None }
    }

    /// The rows of a file that the system holds in memory as far as it likes.
    #[cfg(feature = "images")]
    pub(crate) fn mapped(file: RowsFile) -> Rows {
        let file = file.mapped();
        if file.is_mapped() {
            return Rows { file: Arc::new(file), window: None, fills: None };
        }
        let all = file.len() * file.form().record();
        Rows::streamed(file, all.saturating_mul(super::GROUP_SHARE))
    }

    /// The same with values, of inputs by their place, where one is missing.
    pub(crate) fn filled(&self, fills: &[(usize, f64)]) -> Rows {
        let mut all = self.fills.as_ref().map_or_else(|| vec![f32::NAN; self.width()], |f| f.to_vec());
        fills.iter().for_each(|(place, fill)| all[*place] = *fill as f32);
        Rows { fills: Some(all.into()), ..self.clone() }
    }

    /// For each input of which values are missing, the median of those of `train` that are known (the lower one of
    /// two), or their mean; nothing where none is. Cost: a few passes over the file.
    ///
    /// # Errors
    /// As for reading rows.
    pub(crate) fn fitted_fills(
        &self,
        train: &[u32],
        by_median: bool,
    ) -> Result<Vec<(usize, f64)>, DataError> {
        let mut missing = vec![0; self.width()];
        self.count_missing(&mut missing)?;
        let columns: Vec<usize> = (0..missing.len()).filter(|column| missing[*column] > 0).collect();
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let number = |bytes: &[u8], column: usize| {
            bytes.as_chunks::<4>().0.get(column).map_or(f32::NAN, |b| f32::from_le_bytes(*b))
        };
        if by_median {
            let middle = |n: usize| vec![(n - 1) / 2];
            let found = at_places(&columns, middle, |visit| {
                self.pass(train, |_, bytes| visit(&|column| number(bytes, column)))
            })?;
            let known = columns.into_iter().zip(found);
            return Ok(known
                .filter_map(|(column, found)| Some((column, f64::from(*found.first()?))))
                .collect());
        }
        let mut sums = vec![(0.0f64, 0usize); columns.len()];
        self.pass(train, |_, bytes| {
            for ((sum, n), column) in sums.iter_mut().zip(&columns) {
                let x = number(bytes, *column);
                if !x.is_nan() {
                    (*sum, *n) = (*sum + f64::from(x), *n + 1);
                }
            }
        })?;
        let known = columns.into_iter().zip(sums).filter(|(_, (_, n))| *n > 0);
        Ok(known.map(|(column, (sum, n))| (column, sum / n as f64)).collect())
    }

    pub(crate) fn file(&self) -> &RowsFile {
        &self.file
    }

    /// Whether these are values in memory, by their checksum.
    pub(crate) fn hold(&self, held: &Values) -> bool {
        let mut crc = crc32fast::Hasher::new();
        let len = match held {
            Values::U8(bytes) => {
                crc.update(bytes);
                bytes.len()
            }
            Values::F32(values) => {
                values.iter().for_each(|x| crc.update(&x.to_le_bytes()));
                size_of_val(&values[..])
            }
            Values::Rows(_) => return false,
        };
        let same_kind = matches!(held, Values::U8(_)) == self.are_bytes();
        same_kind && len == self.n_bytes() && crc.finalize() == self.file.inputs_crc().finalize()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.file.form().width
    }

    /// Whether numbers are bytes, where `b` stands for `b / 255`; else they are f32.
    pub fn are_bytes(&self) -> bool {
        self.file.form().bytes
    }

    /// Whether at most a group of blocks is in memory, rather than what the system likes to hold.
    pub fn are_streamed(&self) -> bool {
        self.window.is_some()
    }

    /// Inputs that are missing.
    pub(crate) fn n_missing(&self) -> u64 {
        self.file.n_missing()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Blocks of the file.
    pub fn n_blocks(&self) -> usize {
        self.file.n_blocks()
    }

    /// Bytes of all inputs.
    pub fn n_bytes(&self) -> usize {
        self.len() * self.file.form().record()
    }

    /// Bytes that are in memory at most, where rows are streamed.
    pub fn held_bytes(&self) -> usize {
        let Some(window) = &self.window else { return 0 };
        let most = window.read().unwrap_or_else(PoisonError::into_inner).most();
        let record = self.file.form().record();
        most.min(self.n_blocks()) * rows_in_block(record) * record
    }

    /// Says which rows are read next, in any order: their blocks are held, as many as there is room for, and the system
    /// reads those of `later` ahead. Only a matter of speed: rows of which nothing was said are read all the same.
    ///
    /// # Errors
    /// [`CacheError::Block`](crate::CacheError::Block), [`DataError::Read`].
    pub fn make_ready(&self, rows: &[u32], later: &[u32]) -> Result<(), DataError> {
        let Some(window) = &self.window else { return Ok(()) };
        window.write().unwrap_or_else(PoisonError::into_inner).hold(&self.file, rows)?;
        let of = self.file.rows_in_block() as u32;
        let mut wanted = vec![false; if later.is_empty() { 0 } else { self.n_blocks() }];
        later.iter().for_each(|row| wanted[(row / of) as usize] = true);
        let blocks = wanted.iter().zip(0..).filter(|(wanted, _)| **wanted).map(|(_, block)| block);
        self.file.will_need(&blocks.collect::<Vec<u32>>());
        Ok(())
    }

    /// Calls `f` with the place of each row among `rows` and its bytes as they lie in the file.
    ///
    /// # Errors
    /// [`CacheError::Block`](crate::CacheError::Block), [`DataError::Read`].
    ///
    /// # Panics
    /// If a row is not below [`Rows::len`].
    pub(crate) fn each(&self, rows: &[u32], mut f: impl FnMut(usize, &[u8])) -> Result<(), DataError> {
        let (record, of) = (self.file.form().record(), self.file.rows_in_block());
        let window = self.window.as_ref().map(|w| w.read().unwrap_or_else(PoisonError::into_inner));
        let mut scratch = SCRATCH.take();
        let mut read = None;
        for (place, &row) in rows.iter().enumerate() {
            if let (Some(window), Some(&soon)) = (&window, rows.get(place + AHEAD))
                && let Some(inputs) = window.get(soon as usize / of)
            {
                prefetch(&inputs[soon as usize % of * record..][..record]);
            }
            let (block, within) = (row as usize / of, row as usize % of);
            let here = within * record..(within + 1) * record;
            if let Some(inputs) = self.file.mapped_block(block) {
                f(place, &inputs?[here]);
            } else if let Some(inputs) = window.as_ref().and_then(|w| w.get(block)) {
                f(place, &inputs[here]);
            } else if read == Some(block) {
                f(place, &scratch[here]);
            } else if self.file.is_checked(block) {
                read = None;
                scratch.resize(record, 0);
                self.file.read_row(block, within, &mut scratch)?;
                f(place, &scratch);
            } else {
                scratch.resize(self.file.bytes_of(block), 0);
                self.file.read_block(block, &mut scratch)?;
                read = Some(block);
                f(place, &scratch[here]);
            }
        }
        SCRATCH.set(scratch);
        Ok(())
    }

    /// Calls `f` with the bytes of rows one after another; the blocks are read one by one, and nothing else is held.
    /// For rows in the order of the file.
    ///
    /// # Errors
    /// As for reading rows.
    pub(crate) fn pass(&self, rows: &[u32], mut f: impl FnMut(usize, &[u8])) -> Result<(), DataError> {
        let (record, of) = (self.file.form().record(), self.file.rows_in_block());
        let (mut bytes, mut read) = (Vec::new(), None);
        for (place, &row) in rows.iter().enumerate() {
            let (block, within) = (row as usize / of, row as usize % of);
            let here = within * record..(within + 1) * record;
            if let Some(inputs) = self.file.mapped_block(block) {
                f(place, &inputs?[here]);
                continue;
            }
            if read != Some(block) {
                bytes.resize(self.file.bytes_of(block), 0);
                self.file.read_block(block, &mut bytes)?;
                read = Some(block);
            }
            f(place, &bytes[here]);
        }
        Ok(())
    }

    /// Adds to `counts`, one for each input, how many of its values are missing.
    ///
    /// # Errors
    /// As for reading rows.
    pub(crate) fn count_missing(&self, counts: &mut [usize]) -> Result<(), DataError> {
        if self.file.n_missing() == 0 {
            return Ok(());
        }
        let all: Vec<u32> = (0..self.len() as u32).collect();
        self.pass(&all, |_, bytes| {
            let missing = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b).is_nan());
            counts.iter_mut().zip(missing).for_each(|(n, is)| *n += usize::from(is));
        })
    }

    /// The numbers of a row of f32 where they lie, if they can be looked at there and none is to be filled.
    pub(crate) fn plain<'a>(&self, bytes: &'a [u8]) -> Option<&'a [f32]> {
        if self.fills.is_none() { floats(bytes) } else { None }
    }

    /// The numbers of a row of f32: `bytes` as they lie in the file, missing ones filled.
    pub(crate) fn numbers(&self, bytes: &[u8], out: &mut [f32]) {
        match floats(bytes) {
            Some(numbers) => out.copy_from_slice(numbers),
            None => {
                out.iter_mut().zip(bytes.as_chunks::<4>().0).for_each(|(x, b)| *x = f32::from_le_bytes(*b))
            }
        }
        if let Some(fills) = &self.fills {
            for (x, fill) in out.iter_mut().zip(fills.iter()).filter(|(x, _)| x.is_nan()) {
                *x = *fill;
            }
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Rows");
        shown.field("path", &self.path()).field("len", &self.len()).field("form", &self.file.form());
        shown.field("streamed", &self.are_streamed()).field("fills", &self.fills).finish_non_exhaustive()
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Rows) -> bool {
        self.file.is_like(&other.file) && self.fills == other.fills
    }
}
