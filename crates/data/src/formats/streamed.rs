//! Inputs of arrays that are larger than the memory that they may take: their rows go through a file of the cache.

use std::path::{Path, PathBuf};

use super::npy::Numbers;
use crate::channels::Arrangement;
use crate::{DataError, DataOptions, Values};

/// Bytes of a file that are read at a time.
pub(super) const AT_A_TIME: usize = 1 << 18;

/// Arrays of inputs, one behind the other.
pub(super) struct Arrays<'a> {
    /// The format, with the version of how it is read.
    pub format: &'static str,
    /// What was named as the source.
    pub source: &'a Path,
    /// The files, in their order.
    pub files: Vec<PathBuf>,
    pub arranged: &'a Arrangement,
    /// Whether all hold bytes.
    pub bytes: bool,
    /// Bytes that the run may take.
    pub memory: usize,
}

/// Inputs that are streamed, and what was seen of them while they were read.
pub(super) struct Streamed {
    pub values: Values,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
}

/// The inputs of arrays in the cache. `read` gives the values of all files, whole rows of them, and tells warnings; it
/// is not called where the cache has them.
///
/// # Errors
/// Those of reading, [`DataError::NotFinite`], and [`CacheError`](crate::CacheError).
#[cfg(feature = "copies")]
pub(super) fn inputs(
    arrays: &Arrays,
    options: &DataOptions,
    read: impl FnOnce(&mut Sink) -> Result<Vec<String>, DataError>,
) -> Result<Streamed, DataError> {
    use crate::CacheError;
    use crate::rows::{Form, Kept, Rows, RowsWriter, SourceFile, kept};

    let no_folder = || CacheError::NoFolder { path: arrays.source.into() };
    let folder = options.cache.as_deref().ok_or_else(no_folder)?;
    let sources = arrays.files.iter().map(|file| SourceFile::of(file)).collect::<Result<_, _>>()?;
    let allows = options.allow_missing == Some(true);
    let key = format!("{}, {:?}, missing {allows}", arrays.format, arrays.arranged);
    let width = arrays.arranged.shape.iter().product();
    let write = |path: &Path| {
        let writer = RowsWriter::create(path, Form { bytes: arrays.bytes, width, n_targets: 0 })?;
        let mut sink =
            Sink { arrays, writer, allows, width, known: vec![(0.0, 0); if allows { width } else { 0 }] };
        let warnings = read(&mut sink)?;
        let means = sink.known.iter().map(|(sum, n)| sum / (*n).max(1) as f64).enumerate().collect();
        Ok((sink.writer, (warnings, means)))
    };
    let told = kept::<(Vec<String>, Vec<(usize, f64)>)>(Kept { folder, key, sources }, write)?;
    let (file, (warnings, means), note) = told;
    let n_missing = file.n_missing();
    let mut rows = Rows::streamed(file, arrays.memory);
    let mut notes = Vec::from_iter(note);
    if n_missing > 0 {
        notes.push(format!("{n_missing} missing values (NaN): the feature's mean"));
        rows = rows.filled(&means);
    }
    Ok(Streamed { values: Values::Rows(rows), notes, warnings })
}

/// Without the feature nothing is kept in files.
#[cfg(not(feature = "copies"))]
pub(super) fn inputs(
    arrays: &Arrays,
    _: &DataOptions,
    _: impl FnOnce(&mut Sink) -> Result<Vec<String>, DataError>,
) -> Result<Streamed, DataError> {
    Err(DataError::LeftOut { what: arrays.source.display().to_string(), feature: "copies" })
}

/// Takes values, whole rows of them, to the cache.
pub(super) struct Sink<'a> {
    arrays: &'a Arrays<'a>,
    #[cfg(feature = "copies")]
    writer: crate::rows::RowsWriter,
    allows: bool,
    width: usize,
    /// of each input the sum of what is known, and its number; empty where nothing may be missing
    known: Vec<(f64, usize)>,
}

impl Sink<'_> {
    /// Adds rows as the file has them.
    pub fn rows(&mut self, values: Numbers) -> Result<(), DataError> {
        match values {
            Numbers::U8(mut bytes) => {
                self.arrays.arranged.apply(&mut bytes);
                if self.arrays.bytes {
                    return self.bytes(&bytes);
                }
                let unit = |b: &u8| f32::from(*b) * kernels::affine::BYTE_UNIT;
                self.numbers(&bytes.iter().map(unit).collect::<Vec<_>>())
            }
            Numbers::F32(mut numbers) => {
                self.arrays.arranged.apply(&mut numbers);
                self.check(&numbers)?;
                self.numbers(&numbers)
            }
            Numbers::Text(_) => {
                Err(DataError::UnsupportedType { dtype: "text".into(), path: self.arrays.source.into() })
            }
        }
    }

    fn check(&mut self, numbers: &[f32]) -> Result<(), DataError> {
        let wrong = |x: &f32| !(x.is_finite() || x.is_nan() && self.allows);
        if let Some(i) = numbers.iter().position(wrong) {
            let (row, column) = (self.len() + i / self.width, (i % self.width).to_string());
            let (value, path) = (numbers[i].into(), self.arrays.source.into());
            return Err(DataError::NotFinite { target: false, value, row, column, path });
        }
        for row in numbers.chunks_exact(self.width.max(1)) {
            for ((sum, n), x) in self.known.iter_mut().zip(row).filter(|(_, x)| !x.is_nan()) {
                (*sum, *n) = (*sum + f64::from(*x), *n + 1);
            }
        }
        Ok(())
    }

    #[cfg(feature = "copies")]
    fn len(&self) -> usize {
        self.writer.len()
    }

    #[cfg(feature = "copies")]
    fn bytes(&mut self, rows: &[u8]) -> Result<(), DataError> {
        self.writer.bytes(rows, &[])
    }

    #[cfg(feature = "copies")]
    fn numbers(&mut self, rows: &[f32]) -> Result<(), DataError> {
        self.writer.numbers(rows, &[])
    }

    #[cfg(not(feature = "copies"))]
    fn len(&self) -> usize {
        0
    }

    #[cfg(not(feature = "copies"))]
    fn bytes(&mut self, _: &[u8]) -> Result<(), DataError> {
        Ok(())
    }

    #[cfg(not(feature = "copies"))]
    fn numbers(&mut self, _: &[f32]) -> Result<(), DataError> {
        Ok(())
    }
}
