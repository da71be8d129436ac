//! Decoded images in a file of rows in the cache: used only if its sources are the same, and block by block, as they
//! are looked at.
//!
//! The file's manifest says which sources it was made of. A source is the same if its name, length and time of change
//! are; where the time differs, and for files that could not be read, its hash decides.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::load::{self, Form, Loaded, Take};
use super::options::Wanted;
use super::picture::N_FACTS;
use super::tree::{ImageFile, Tree};
use crate::cache::MIN_BYTES;
use crate::rows::{self, RowsFile, RowsWriter};
use crate::{CacheError, DataError, DataOptions, own, read};

/// Of the manifest and of how images are decoded.
const VERSION: u32 = 3;

/// What the pixels were made of and how.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest<'a> {
    version: u32,
    wanted: Wanted,
    form: Form,
    skipped: Vec<(usize, String)>,
    facts: [usize; N_FACTS],
    #[serde(borrow)]
    sources: Vec<Source<'a>>,
}

/// One file: name, length, time of change, and hash of its content in hexadecimal digits.
#[derive(Debug, Serialize, Deserialize)]
struct Source<'a>(#[serde(borrow)] Cow<'a, str>, u64, u64, #[serde(borrow)] Cow<'a, str>);

/// Why a cache file is of no use.
enum Useless {
    /// There is none.
    Absent,
    /// Some number of sources are not those of then.
    OutOfDate(usize),
    /// It is not what was written.
    Damaged,
}

/// Pixels of the files that could be read.
pub(super) enum Pixels {
    Held(Vec<u8>),
    Kept(RowsFile),
}

/// The decoded images of a tree, from the cache where that is possible, with a remark where it should have been.
///
/// # Errors
/// Those of decoding; what is wrong with the cache is one only where images are larger than they may be in memory.
pub(super) fn load(
    tree: &Tree,
    wanted: &Wanted,
    options: &DataOptions,
) -> Result<(Loaded, Pixels, Option<String>), DataError> {
    let file = options.cache.as_ref().map(|folder| folder.join(name(tree, wanted)));
    let opened = file.as_ref().map_or(Err(Useless::Absent), |file| open(file, tree, wanted));
    let note = match opened {
        Ok((loaded, pixels, same_times)) => {
            if let (false, Some(file)) = (same_times, &file) {
                // a failure is of no consequence: hashes decide at the next start again
                let _ = restamp(file, &pixels, tree, wanted, &loaded);
            }
            return Ok((loaded, Pixels::Kept(pixels), None));
        }
        Err(Useless::Absent) => None,
        Err(Useless::Damaged) => Some("the cache of decoded images was damaged: decoded again".to_string()),
        Err(Useless::OutOfDate(1)) => {
            Some("the cache of decoded images was out of date (1 file changed): decoded again".into())
        }
        Err(Useless::OutOfDate(n)) => {
            Some(format!("the cache of decoded images was out of date ({n} files changed): decoded again"))
        }
    };
    let (loaded, pixels) = decode(file.as_deref(), tree, wanted, options)?;
    Ok((loaded, pixels, note))
}

/// Decodes all images, to the cache where they are worth it, or larger than they may be in memory.
fn decode(
    file: Option<&Path>,
    tree: &Tree,
    wanted: &Wanted,
    options: &DataOptions,
) -> Result<(Loaded, Pixels), DataError> {
    let mut to = Place { tree, options, file, deep: false, n: 0, streams: false, at: At::Nowhere };
    let done = load::load(tree, wanted, &mut to).and_then(|loaded| match to.at {
        At::Nowhere => Ok((loaded, Pixels::Held(Vec::new()))),
        At::Memory(pixels) => Ok((loaded, Pixels::Held(pixels))),
        At::File(writer) => {
            let path = file.unwrap_or(Path::new(""));
            let file = finish(writer, path, tree, wanted, &loaded)?;
            Ok((loaded, Pixels::Kept(file)))
        }
    });
    match done {
        // a full or read-only disk is no reason to do without what memory holds
        Err(DataError::Cache(CacheError::Write { .. })) if !to.streams && file.is_some() => {
            decode(None, tree, wanted, options)
        }
        done => done,
    }
}

/// Where pixels go.
struct Place<'a> {
    tree: &'a Tree,
    options: &'a DataOptions,
    file: Option<&'a Path>,
    deep: bool,
    /// images so far
    n: usize,
    /// whether they are larger than they may be in memory
    streams: bool,
    at: At,
}

enum At {
    Nowhere,
    Memory(Vec<u8>),
    File(RowsWriter),
}

impl Take for Place<'_> {
    fn begin(&mut self, form: Form) -> Result<(), DataError> {
        let bytes = self.tree.files.len().saturating_mul(form.size());
        (self.deep, self.n, self.streams) = (form.deep, 0, self.options.streamed(bytes).is_some());
        let path = || self.tree.root.clone();
        self.at = match self.file {
            Some(file) if self.streams || bytes >= MIN_BYTES => {
                At::File(RowsWriter::create(file, rows_of(form))?)
            }
            _ if self.streams => return Err(CacheError::NoFolder { path: path() }.into()),
            _ => {
                read::room(bytes, &path())?;
                At::Memory(Vec::with_capacity(bytes))
            }
        };
        Ok(())
    }

    fn pixels(&mut self, pixels: &[u8]) -> Result<(), DataError> {
        match &mut self.at {
            At::Nowhere => {}
            At::Memory(all) => all.extend_from_slice(pixels),
            At::File(writer) if self.deep => {
                let numbers: Vec<f32> =
                    pixels.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                let width = writer.form().width.max(1);
                let allowed =
                    |x: f32| x.is_finite() || x.is_nan() && self.options.allow_missing == Some(true);
                if let Some(i) = numbers.iter().position(|x| !allowed(*x)) {
                    let (row, column, value) =
                        (writer.len() + i / width, (i % width).to_string(), numbers[i].into());
                    let path = self.tree.root.clone();
                    return Err(DataError::NotFinite { target: false, value, row, column, path });
                }
                writer.numbers(&numbers, &[])?;
            }
            At::File(writer) => writer.bytes(pixels, &[])?,
        }
        Ok(())
    }
}

/// Images as rows.
fn rows_of(form: Form) -> rows::Form {
    rows::Form { bytes: !form.deep, width: form.shape.iter().product(), n_targets: 0 }
}

/// Writes what the pixels were made of behind them, and opens the file.
fn finish(
    writer: RowsWriter,
    path: &Path,
    tree: &Tree,
    wanted: &Wanted,
    loaded: &Loaded,
) -> Result<RowsFile, DataError> {
    let failed = |error| CacheError::Write { path: path.into(), error };
    let source = |(f, hash): (&'_ ImageFile, &load::Hash)| {
        Source(source_name(f).into_owned().into(), f.len, f.changed, hex(hash).into())
    };
    let manifest = serde_json::to_vec(&Manifest {
        version: VERSION,
        wanted: *wanted,
        form: loaded.form,
        skipped: loaded.skipped.clone(),
        facts: loaded.facts,
        sources: tree.files.iter().zip(&loaded.hashes).map(source).collect(),
    });
    writer.finish(&manifest.map_err(|error| failed(io::Error::other(error)))?)?;
    let file = own::open(path).map_err(failed)?;
    let opened = RowsFile::new(file, path);
    Ok(opened.map_err(|_| failed(io::Error::other("what was written cannot be read")))?.0)
}

/// Writes a file anew, since its sources have other times than it says.
fn restamp(
    path: &Path,
    pixels: &RowsFile,
    tree: &Tree,
    wanted: &Wanted,
    loaded: &Loaded,
) -> Result<(), DataError> {
    let mut writer = RowsWriter::create(path, pixels.form())?;
    writer.copy(pixels)?;
    finish(writer, path, tree, wanted, loaded).map(|_| ())
}

/// One file for each folder and way of reading it.
fn name(tree: &Tree, wanted: &Wanted) -> String {
    let root = fs::canonicalize(&tree.root).unwrap_or_else(|_| tree.root.clone());
    let mut hash = Sha256::new();
    hash.update(root.to_string_lossy().as_bytes());
    hash.update(serde_json::to_vec(wanted).unwrap_or_default());
    // One file, and the images of a folder without classes, are other sources than the folder with them.
    hash.update([u8::from(tree.classes.is_empty())]);
    tree.files
        .iter()
        .filter(|_| tree.classes.is_empty())
        .for_each(|f| hash.update(source_name(f).as_bytes()));
    format!("images-{}.bin", hex(&hash.finalize()[..8]))
}

/// Opens a cache file; tells whether the times of its sources are those of then, too.
fn open(path: &Path, tree: &Tree, wanted: &Wanted) -> Result<(Loaded, RowsFile, bool), Useless> {
    let file = own::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::Other => Useless::Damaged,
        _ => Useless::Absent,
    })?;
    let (file, manifest) = RowsFile::new(file, path).map_err(|useless| match useless {
        rows::Useless::Absent => Useless::Absent,
        rows::Useless::Damaged => Useless::Damaged,
    })?;
    // written by another version, which may have decoded in another way
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| Useless::Absent)?;
    if manifest.version != VERSION {
        return Err(Useless::Absent);
    }
    let n = manifest.sources.len().checked_sub(manifest.skipped.len());
    if manifest.wanted != *wanted || n != Some(file.len()) || rows_of(manifest.form) != file.form() {
        return Err(Useless::Damaged);
    }
    let same_times = compare(&manifest, tree)?;
    let hashes =
        manifest.sources.iter().map(|s| unhex(&s.3)).collect::<Option<_>>().ok_or(Useless::Damaged)?;
    let Manifest { form, skipped, facts, .. } = manifest;
    Ok((Loaded { form, skipped, facts, hashes }, file, same_times))
}

/// Whether the sources are those of the manifest; gives whether their times are, too.
fn compare(manifest: &Manifest, tree: &Tree) -> Result<bool, Useless> {
    let mut bytes = Vec::new();
    let mut same_hash = |file: &ImageFile, source: &Source| {
        let _ = load::read(&tree.root.join(&file.path), &mut bytes);
        hex(&load::hash(&bytes)) == source.3
    };
    let same_place =
        |file: &ImageFile, source: &Source| source_name(file) == source.0 && file.len == source.1;
    let pairs = || tree.files.iter().zip(&manifest.sources);
    if tree.files.len() != manifest.sources.len() || !pairs().all(|(f, s)| same_place(f, s)) {
        return Err(Useless::OutOfDate(n_changed(manifest, tree)));
    }
    let (mut n_changed, mut same_times) = (0, true);
    let mut skipped = manifest.skipped.iter().map(|(i, _)| *i).peekable();
    for (i, (file, source)) in pairs().enumerate() {
        let same_time = file.changed == source.2;
        let suspect = skipped.next_if_eq(&i).is_some() || !same_time;
        n_changed += usize::from(suspect && !same_hash(file, source));
        same_times &= same_time;
    }
    if n_changed == 0 { Ok(same_times) } else { Err(Useless::OutOfDate(n_changed)) }
}

/// Files that are new, gone, or of another length or time.
fn n_changed(manifest: &Manifest, tree: &Tree) -> usize {
    let mut then: HashMap<&str, (u64, u64)> = manifest.sources.iter().map(|s| (&*s.0, (s.1, s.2))).collect();
    let now = tree.files.iter().map(|f| (source_name(f), (f.len, f.changed)));
    let changed = now.filter(|(name, state)| then.remove(&name[..]) != Some(*state)).count();
    changed + then.len()
}

fn source_name(file: &ImageFile) -> Cow<'_, str> {
    file.path.to_string_lossy()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<load::Hash> {
    let digits: Vec<u8> =
        (0..text.len() / 2).map_while(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    digits.try_into().ok()
}
