//! Decoding all files of a tree on all cores, straight to where each sample belongs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::options::Wanted;
use super::picture::{Decoded, N_FACTS, Seen, decode, one_line};
use super::tree::Tree;
use crate::read::not_a_file;
use crate::{Color, Corrupt, DataError};

/// The first 16 bytes of a file's SHA-256.
pub(super) type Hash = [u8; 16];

/// What was seen of the images of a tree while they were decoded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loaded {
    pub form: Form,
    /// Files that could not be read: index, and why.
    pub skipped: Vec<(usize, String)>,
    /// How many files have what, in the order of [`Seen::facts`].
    pub facts: [usize; N_FACTS],
    /// What each file's bytes were.
    pub hashes: Vec<Hash>,
}

/// Takes the pixels of files that can be read, in their order.
pub(super) trait Take {
    /// Forgets all that it has: pixels come from the first file on, in this form.
    fn begin(&mut self, form: Form) -> Result<(), DataError>;
    /// Takes the pixels of the next files.
    fn pixels(&mut self, pixels: &[u8]) -> Result<(), DataError>;
}

/// How the pixels of every file are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// As numbers (f32, little-endian), since bytes would lose levels of some file.
    pub deep: bool,
}

impl Form {
    /// Bytes of one sample of a pixel.
    pub fn bytes_of_sample(self) -> usize {
        if self.deep { size_of::<f32>() } else { 1 }
    }

    /// Bytes of one file's pixels.
    pub fn size(self) -> usize {
        self.shape.iter().product::<usize>() * self.bytes_of_sample()
    }
}

/// What became of one file.
struct Outcome {
    hash: Hash,
    result: Result<Seen, Problem>,
}

enum Problem {
    Unreadable(String),
    /// Of another size, without a size to be brought to.
    Size([usize; 2]),
    /// Colored, when all before were gray.
    Colored,
    /// Of more levels than bytes can tell, when all before were bytes.
    Deep,
}

/// The most files that a thread takes at a time.
const BLOCK: usize = 32;
/// Bytes of pixels that are decoded at a time, at most, but for those of one file.
const AT_A_TIME: usize = 16 << 20;

/// Decodes all files, a few MiB of pixels at a time.
///
/// # Errors
/// [`DataError::SizesDiffer`], [`DataError::MostUnreadable`], [`DataError::BadImage`] if such are not to be skipped,
/// and those of `to`.
pub(super) fn load(tree: &Tree, wanted: &Wanted, to: &mut dyn Take) -> Result<Loaded, DataError> {
    let (example, first) = first_readable(tree, wanted)?;
    let [first_height, first_width, first_channels] = first.image.shape();
    let [height, width] = wanted.size.unwrap_or([first_height, first_width]);
    let channels = match wanted.color {
        Color::Auto => first_channels,
        Color::Gray => 1,
        Color::Rgb => 3,
    };
    let mut form = Form { shape: [height, width, channels], deep: first.image.is_deep() };
    let loaded = loop {
        to.begin(form)?;
        match decode_all(tree, wanted, (form, example), to)? {
            Ok(loaded) => break loaded,
            Err(Problem::Deep) => form.deep = true,
            Err(_) => form.shape[2] = 3,
        }
    };
    check_skipped(tree, wanted, &loaded.skipped)?;
    Ok(loaded)
}

impl Problem {
    /// Whether another form helps.
    fn is_of_form(&self) -> bool {
        matches!(self, Problem::Colored | Problem::Deep)
    }
}

/// The first file that can be read, which says what size and color the others should have.
fn first_readable(tree: &Tree, wanted: &Wanted) -> Result<(usize, Decoded), DataError> {
    let mut skipped = Vec::new();
    let mut bytes = Vec::new();
    for (i, file) in tree.files.iter().enumerate() {
        match read(&tree.root.join(&file.path), &mut bytes).and_then(|()| decode(&bytes)) {
            Ok(decoded) => return Ok((i, decoded)),
            Err(reason) => skipped.push((i, reason)),
        }
        check_strict(tree, wanted, &skipped)?;
    }
    Err(most_unreadable(tree, &skipped))
}

/// Decodes all files in one form, the sizes of which are those of file `example`; a problem that another form solves.
fn decode_all(
    tree: &Tree,
    wanted: &Wanted,
    (form, example): (Form, usize),
    to: &mut dyn Take,
) -> Result<Result<Loaded, Problem>, DataError> {
    let size = form.size();
    let at_a_time = (AT_A_TIME / size.max(1)).clamp(1, tree.files.len());
    let mut pixels = Vec::new();
    let mut loaded = Loaded { form, skipped: vec![], facts: [0; N_FACTS], hashes: vec![] };
    for first in (0..tree.files.len()).step_by(at_a_time) {
        let n = at_a_time.min(tree.files.len() - first);
        pixels.clear();
        pixels.resize(n * size, 0);
        let mut outcomes = decode_some(tree, wanted, (form, first), &mut pixels);
        let of_form = |o: &&mut Option<Outcome>| {
            o.as_ref().is_some_and(|o| o.result.as_ref().is_err_and(Problem::is_of_form))
        };
        if let Some(Outcome { result: Err(problem), .. }) =
            outcomes.iter_mut().find(of_form).and_then(Option::take)
        {
            return Ok(Err(problem));
        }
        let mut gaps = Vec::new();
        for (i, outcome) in (first..).zip(outcomes).filter_map(|(i, o)| Some((i, o?))) {
            loaded.hashes.push(outcome.hash);
            match outcome.result {
                Ok(seen) => {
                    loaded.facts.iter_mut().zip(seen.facts()).for_each(|(n, fact)| *n += usize::from(fact));
                }
                Err(Problem::Size(got)) => {
                    let [first, other] = [example, i].map(|i| tree.root.join(&tree.files[i].path));
                    let expected = [form.shape[0], form.shape[1]];
                    return Err(DataError::SizesDiffer { expected, got, first, other });
                }
                Err(Problem::Unreadable(reason)) => {
                    gaps.push(i - first);
                    loaded.skipped.push((i, reason));
                }
                Err(Problem::Colored | Problem::Deep) => unreachable!("told above"),
            }
        }
        close_gaps(&mut pixels, size, &gaps);
        to.pixels(&pixels)?;
    }
    Ok(Ok(loaded))
}

/// Writes the pixels of the files from `first` on, as many as `pixels` has room for (unreadable ones leave gaps), and
/// tells what became of each file; nothing of files after a problem that ends it all.
fn decode_some(
    tree: &Tree,
    wanted: &Wanted,
    (form, first): (Form, usize),
    pixels: &mut [u8],
) -> Vec<Option<Outcome>> {
    let size = form.size();
    let files = &tree.files[first..first + pixels.len() / size.max(1)];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let block = files.len().div_ceil(4 * threads).clamp(1, BLOCK);
    let mut outcomes: Vec<Option<Outcome>> = files.iter().map(|_| None).collect();
    let work = files.chunks(block).zip(pixels.chunks_mut(block * size)).zip(outcomes.chunks_mut(block));
    let work = Mutex::new(work);
    let next = || work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let stop = AtomicBool::new(false);
    let run = || {
        let mut bytes = Vec::new();
        // Blocks are taken in order and finished, so the first file with a problem is the same for any threads.
        while let Some(((files, pixels), outcomes)) = (!stop.load(Ordering::Relaxed)).then(next).flatten() {
            for ((file, out), outcome) in files.iter().zip(pixels.chunks_exact_mut(size)).zip(outcomes) {
                let done = one(&tree.root.join(&file.path), &mut bytes, wanted, form, out);
                let ends = matches!(done.result, Err(Problem::Size(_) | Problem::Colored | Problem::Deep));
                *outcome = Some(done);
                if ends {
                    stop.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(run)));
        run();
    });
    outcomes
}

/// Reads one file and writes its pixels.
fn one(path: &Path, bytes: &mut Vec<u8>, wanted: &Wanted, form: Form, out: &mut [u8]) -> Outcome {
    let content = read(path, bytes);
    let hash = hash(bytes);
    let result = content.and_then(|()| decode(bytes)).map_err(Problem::Unreadable);
    let result = result.and_then(|Decoded { image, seen }| {
        let [height, width, channels] = form.shape;
        if wanted.color == Color::Auto && image.shape()[2] > channels {
            return Err(Problem::Colored);
        }
        if image.is_deep() && !form.deep {
            return Err(Problem::Deep);
        }
        let mut image = image.with_channels(channels);
        let size = [image.shape()[0], image.shape()[1]];
        if size != [height, width] {
            if wanted.size.is_none() {
                return Err(Problem::Size(size));
            }
            image = image.fit([height, width], wanted.fit);
        }
        image.write(out);
        Ok(seen)
    });
    Outcome { hash, result }
}

/// The hash of a file's content.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(&Sha256::digest(bytes)[..size_of::<Hash>()]);
    hash
}

/// The most bytes of an image file; more are taken for something else.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Reads a file to `bytes`, which is empty if that fails.
pub(super) fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.clear();
    let done = fs::metadata(path).and_then(|metadata| match metadata {
        m if !m.is_file() => Err(not_a_file()),
        m if m.len() > MAX_FILE_BYTES => Err(std::io::Error::other(format!("{} bytes", m.len()))),
        _ => File::open(path)?.take(MAX_FILE_BYTES).read_to_end(bytes),
    });
    done.map(|_| ()).map_err(|error| {
        bytes.clear();
        one_line(&error.to_string())
    })
}

fn check_strict(tree: &Tree, wanted: &Wanted, skipped: &[(usize, String)]) -> Result<(), DataError> {
    match skipped.first() {
        Some((i, reason)) if wanted.corrupt == Corrupt::Error => {
            let path = tree.root.join(&tree.files[*i].path);
            Err(DataError::BadImage { reason: reason.clone(), path })
        }
        _ => Ok(()),
    }
}

/// Few unreadable files are left out; a class folder of nothing else, or most files, are a mistake.
fn check_skipped(tree: &Tree, wanted: &Wanted, skipped: &[(usize, String)]) -> Result<(), DataError> {
    check_strict(tree, wanted, skipped)?;
    check_classes(tree, skipped)?;
    if 2 * skipped.len() > tree.files.len() { Err(most_unreadable(tree, skipped)) } else { Ok(()) }
}

/// A class of which nothing can be read would be gone.
fn check_classes(tree: &Tree, skipped: &[(usize, String)]) -> Result<(), DataError> {
    let folder = |i: usize| (tree.files[i].part, tree.files[i].class);
    let mut counts = BTreeMap::<_, (usize, Vec<usize>)>::new();
    (0..tree.files.len()).for_each(|i| counts.entry(folder(i)).or_default().0 += 1);
    skipped.iter().enumerate().for_each(|(k, (i, _))| counts.entry(folder(*i)).or_default().1.push(k));
    counts.retain(|_, (n, lost)| *n == lost.len());
    if counts.is_empty() || tree.classes.is_empty() {
        return Ok(());
    }
    let name = |(_, class): &(usize, usize), lost: &[usize]| {
        let path = &tree.files[skipped[lost[0]].0].path;
        let ends = path.ancestors().find(|a| a.file_name() == Some(OsStr::new(&tree.classes[*class])));
        ends.unwrap_or(path).to_path_buf()
    };
    let folders = counts.iter().map(|(at, (n, lost))| (name(at, lost), *n)).collect();
    let examples: Vec<_> =
        counts.values().flat_map(|(_, lost)| lost.iter().map(|k| skipped[*k].clone())).collect();
    Err(DataError::ClassUnreadable { folders, files: super::named(tree, &examples), path: tree.root.clone() })
}

fn most_unreadable(tree: &Tree, skipped: &[(usize, String)]) -> DataError {
    let files = super::named(tree, skipped);
    DataError::MostUnreadable { n: skipped.len(), of: tree.files.len(), files, path: tree.root.clone() }
}

/// Moves samples to where the files before them left gaps.
fn close_gaps(pixels: &mut Vec<u8>, size: usize, gaps: &[usize]) {
    let n = pixels.len() / size.max(1);
    let mut to = gaps.first().map_or(n, |i| *i);
    for (gap, i) in gaps.iter().enumerate() {
        let until = gaps.get(gap + 1).map_or(n, |next| *next);
        pixels.copy_within((i + 1) * size..until * size, to * size);
        to += until - i - 1;
    }
    pixels.truncate(to * size);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_closed() {
        for gaps in [vec![], vec![0], vec![4], vec![1, 2], vec![0, 3, 4], vec![0, 1, 2, 3, 4]] {
            let mut pixels: Vec<u8> = (0..10).collect();
            close_gaps(&mut pixels, 2, &gaps);
            let kept = (0..5u8).filter(|i| !gaps.contains(&usize::from(*i)));
            assert_eq!(pixels, kept.flat_map(|i| [2 * i, 2 * i + 1]).collect::<Vec<_>>(), "{gaps:?}");
        }
    }
}
