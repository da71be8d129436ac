//! Decoded images in one file of the cache, mapped at the next start: used only if it is whole and its sources are the
//! same.
//!
//! The file: `MAGIC`, five little-endian words of 8 bytes (length and CRC-32 of the manifest; place, length and CRC-32
//! of the pixels), the manifest as JSON, the pixels from a multiple of 4096 on. A source is the same if its name,
//! length and time of change are; where the time differs, and for files that could not be read, its hash decides.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use kernels::mapped::Mapped;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::load::{self, Form, Loaded};
use super::options::Wanted;
use super::picture::N_FACTS;
use super::tree::{ImageFile, Tree};
use crate::cache::{MIN_BYTES, publish};
use crate::own;
use crate::{Bytes, DataError};

/// Ends with the version of the file and of how images are decoded.
const MAGIC: &[u8; 24] = b"thalweg decoded images 2";
const WORDS: usize = 5;
const HEAD: usize = MAGIC.len() + 8 * WORDS;
/// Pixels begin at a multiple of this.
const PAGE: usize = 4096;

/// What the pixels were made of and how.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    wanted: Wanted,
    form: Form,
    skipped: Vec<(usize, String)>,
    facts: [usize; N_FACTS],
    sources: Vec<Source>,
}

/// One file: name, length, time of change, and hash of its content in hexadecimal digits.
#[derive(Debug, Serialize, Deserialize)]
struct Source(String, u64, u64, String);

/// Why a cache file is of no use.
enum Useless {
    /// There is none.
    Absent,
    /// Some number of sources are not those of then.
    OutOfDate(usize),
    /// It is not what was written.
    Damaged,
}

/// The decoded images of a tree, from the cache where that is possible, with a remark where it should have been.
///
/// # Errors
/// Those of decoding; what is wrong with the cache is none.
pub(super) fn load(
    tree: &Tree,
    wanted: &Wanted,
    folder: Option<&Path>,
) -> Result<(Loaded, Option<String>), DataError> {
    let Some(folder) = folder else { return Ok((load::load(tree, wanted)?, None)) };
    let file = folder.join(name(tree, wanted));
    let note = match open(&file, tree, wanted) {
        Ok((loaded, true)) => return Ok((loaded, None)),
        Ok((loaded, false)) => return Ok((store(&file, tree, wanted, loaded), None)),
        Err(Useless::Absent) => None,
        Err(Useless::Damaged) => Some("the cache of decoded images was damaged: decoded again".to_string()),
        Err(Useless::OutOfDate(1)) => {
            Some("the cache of decoded images was out of date (1 file changed): decoded again".into())
        }
        Err(Useless::OutOfDate(n)) => {
            Some(format!("the cache of decoded images was out of date ({n} files changed): decoded again"))
        }
    };
    let _ = fs::remove_file(&file);
    Ok((store(&file, tree, wanted, load::load(tree, wanted)?), note))
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

/// Maps a cache file after checking all of it; tells whether the times of its sources are those of then, too.
fn open(path: &Path, tree: &Tree, wanted: &Wanted) -> Result<(Loaded, bool), Useless> {
    let file = own::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::Other => Useless::Damaged,
        _ => Useless::Absent,
    })?;
    let map = Mapped::new(&file).map_err(|_| Useless::Damaged)?;
    // written by another version, which may have decoded in another way
    if map.len() > MAGIC.len() && map.starts_with(&MAGIC[..23]) && !map.starts_with(MAGIC) {
        return Err(Useless::Absent);
    }
    let (manifest, place) = check(&map).ok_or(Useless::Damaged)?;
    if manifest.wanted != *wanted {
        return Err(Useless::Damaged);
    }
    let same_times = compare(&manifest, tree)?;
    let hashes =
        manifest.sources.iter().map(|s| unhex(&s.3)).collect::<Option<_>>().ok_or(Useless::Damaged)?;
    let Manifest { form, skipped, facts, .. } = manifest;
    Ok((Loaded { form, pixels: Bytes::mapped(map, place), skipped, facts, hashes }, same_times))
}

/// The manifest and the place of the pixels, if lengths and checksums are right and fit together.
fn check(content: &[u8]) -> Option<(Manifest, usize)> {
    let words = content.strip_prefix(MAGIC)?.get(..8 * WORDS)?;
    let word = |i: usize| words.as_chunks::<8>().0.get(i).map(|w| u64::from_le_bytes(*w) as usize);
    let manifest = content.get(HEAD..)?.get(..word(0)?)?;
    let place = word(2)?;
    let pixels = content.get(place..).filter(|p| Some(p.len()) == word(3))?;
    let right =
        crc32fast::hash(manifest) as usize == word(1)? && crc32fast::hash(pixels) as usize == word(4)?;
    let manifest: Manifest = serde_json::from_slice(manifest).ok().filter(|_| right)?;
    let n = manifest.sources.len().checked_sub(manifest.skipped.len())?;
    let sides = manifest.form.shape.iter().copied();
    let size = sides.chain([manifest.form.bytes_of_sample()]).try_fold(n, usize::checked_mul)?;
    (size == pixels.len()).then_some((manifest, place))
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
    let mut then: HashMap<&str, (u64, u64)> =
        manifest.sources.iter().map(|s| (&s.0[..], (s.1, s.2))).collect();
    let now = tree.files.iter().map(|f| (source_name(f), (f.len, f.changed)));
    let changed = now.filter(|(name, state)| then.remove(&name[..]) != Some(*state)).count();
    changed + then.len()
}

/// Keeps the decoded images, and gives them from the file that was written; as they are where they are few or that
/// fails.
fn store(path: &Path, tree: &Tree, wanted: &Wanted, loaded: Loaded) -> Loaded {
    if loaded.pixels.len() < MIN_BYTES {
        return loaded;
    }
    match write(path, tree, wanted, &loaded) {
        Some(pixels) => Loaded { pixels, ..loaded },
        None => loaded,
    }
}

fn write(path: &Path, tree: &Tree, wanted: &Wanted, loaded: &Loaded) -> Option<Bytes> {
    let source = |(f, hash): (&ImageFile, &load::Hash)| Source(source_name(f), f.len, f.changed, hex(hash));
    let manifest = serde_json::to_vec(&Manifest {
        wanted: *wanted,
        form: loaded.form,
        skipped: loaded.skipped.clone(),
        facts: loaded.facts,
        sources: tree.files.iter().zip(&loaded.hashes).map(source).collect(),
    });
    let manifest = manifest.ok()?;
    let place = (HEAD + manifest.len()).next_multiple_of(PAGE);
    let gap = vec![0; place - HEAD - manifest.len()];
    let sums = [&manifest[..], &loaded.pixels].map(|part| crc32fast::hash(part) as usize);
    let words =
        [manifest.len(), sums[0], place, loaded.pixels.len(), sums[1]].map(|w| (w as u64).to_le_bytes());
    let file = publish(path, &[MAGIC, words.as_flattened(), &manifest, &gap, &loaded.pixels]).ok()?;
    Some(Bytes::mapped(Mapped::new(&file).ok()?, place)).filter(|pixels| pixels.len() == loaded.pixels.len())
}

fn source_name(file: &ImageFile) -> String {
    file.path.to_string_lossy().into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<load::Hash> {
    let digits: Vec<u8> =
        (0..text.len() / 2).map_while(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    digits.try_into().ok()
}
