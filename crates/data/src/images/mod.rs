//! Folders of images as data sets: found, decoded, brought to one size and color, and kept decoded in the cache.

mod bmp;
mod cached;
mod exif;
mod gif;
mod jpeg;
mod layout;
mod listing;
mod load;
mod options;
mod picture;
mod png;
mod resize;
mod sample;
mod tiff;
mod tree;
mod webp;

use std::ops::Range;
use std::path::Path;

use self::cached::Pixels;
use self::load::{Form, Loaded};
use self::options::Wanted;
use self::picture::N_FACTS;
pub(crate) use self::tree::Tree;
use super::error::first;
use super::read::room;
use super::{DataError, DataOptions, Dataset, Origin, Rows, Task, Values};

/// Opens one image, or those that lie in a folder itself, without classes; there must be some.
pub(crate) fn open_unlabeled(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    if !options.inputs_only {
        return Err(DataError::NoClassFolders { path: path.into() });
    }
    open_tree(Tree::unlabeled(path)?, path, options)
}

/// Opens the images that were found below `path`.
pub(crate) fn open_tree(tree: Tree, path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let wanted = Wanted::new(options)?;
    let n = tree.classes.len();
    if let Some(told) = options.classes.filter(|told| n > 0 && *told != n) {
        let expected = format!("{n}, the number of class folders");
        return Err(DataError::BadOption { option: "classes", value: told.to_string(), expected });
    }
    let (loaded, pixels, note) = cached::load(&tree, &wanted, options)?;
    let mut set = dataset(tree, &loaded, note, path, options)?;
    set.inputs = values(loaded.form, pixels, path, options)?;
    // where any is missing, which numbers of some formats of images can be
    if matches!(&set.inputs, Values::Rows(rows) if rows.n_missing() > 0) {
        let all: Vec<u32> = (0..set.len() as u32).collect();
        set.fill_missing(&all)?;
    }
    Ok(set)
}

/// Puts together what the tree and the decoded images tell.
fn dataset(
    tree: Tree,
    loaded: &Loaded,
    note: Option<String>,
    path: &Path,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    let mut notes = tree.notes.clone();
    notes.extend(facts(loaded));
    notes.extend(note);
    let mut warnings = Vec::from_iter(unreadable(&tree, loaded));
    let mut skipped = loaded.skipped.iter().map(|(i, _)| *i).peekable();
    let kept = tree.files.iter().enumerate().filter(|(i, _)| skipped.next_if_eq(i).is_none());
    let kept: Vec<_> = kept.map(|(_, file)| file).collect();
    let fractions = loaded.facts[N_FACTS - 1];
    if (1..kept.len()).contains(&fractions) {
        let others = kept.len() - fractions;
        warnings.push(format!(
            "two scales: {fractions} images hold numbers with fractions, used as they are, {others} parts of the largest value"
        ));
    }
    if options.known_classes.is_empty() && !options.inputs_only {
        warnings.extend(untrained(&tree));
    }
    let part = |part: usize| -> Option<Range<usize>> {
        let from = kept.partition_point(|f| f.part < part);
        let until = kept.partition_point(|f| f.part <= part);
        (from < until).then_some(from..until)
    };
    let unknown = tree.classes.is_empty();
    Ok(Dataset {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        input_shape: loaded.form.shape.to_vec(),
        inputs: Values::U8(Vec::new()),
        targets: kept.iter().map(|f| if unknown { f32::NAN } else { f.class as f32 }).collect(),
        fixed_valid: part(1),
        fixed_test: part(2),
        task: Task::Classification { classes: tree.classes },
        features: Vec::new(),
        origin: Origin { source: path.display().to_string(), license: String::new() },
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes,
        warnings,
    })
}

/// The pixels as bytes or as numbers.
fn values(form: Form, pixels: Pixels, path: &Path, options: &DataOptions) -> Result<Values, DataError> {
    let pixels = match pixels {
        Pixels::Kept(file) => {
            let memory = options.streamed(file.len() * form.size());
            return Ok(Values::Rows(match memory {
                Some(memory) => Rows::streamed(file, memory),
                None => Rows::mapped(file),
            }));
        }
        Pixels::Held(pixels) => pixels,
    };
    if !form.deep {
        return Ok(Values::U8(pixels));
    }
    room(pixels.len(), path)?;
    Ok(Values::F32(pixels.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
}

/// Classes that only the other parts have.
fn untrained(tree: &Tree) -> Option<String> {
    let trained = |class: usize| tree.files.iter().any(|f| f.part == 0 && f.class == class);
    let lost: Vec<String> =
        (0..tree.classes.len()).filter(|c| !trained(*c)).map(|c| tree.classes[c].clone()).collect();
    (!lost.is_empty()).then(|| format!("classes without images to train on: {}", first(&lost)))
}

/// What was left out.
fn unreadable(tree: &Tree, loaded: &Loaded) -> Option<String> {
    let (n, of) = (loaded.skipped.len(), tree.files.len());
    let files = || first(&named(tree, &loaded.skipped));
    (n > 0).then(|| format!("{n} of {of} images cannot be read and were left out: {}", files()))
}

/// What the files hold that a user would want to know of.
fn facts(loaded: &Loaded) -> Vec<String> {
    let words = [
        ("has several pictures: the first one is used", "have several pictures: the first one is used"),
        (
            "has more than 8 bits: all are kept as numbers from 0 (black) to 1 (the largest value)",
            "have more than 8 bits: all are kept as numbers from 0 (black) to 1 (the largest value)",
        ),
        ("with transparent parts: placed on white", "with transparent parts: placed on white"),
        ("was turned upright, as its tag says", "were turned upright, as their tags say"),
        (
            "has a color profile other than sRGB, which is not applied",
            "have color profiles other than sRGB, which are not applied",
        ),
        ("holds numbers with fractions, used as they are", "hold numbers with fractions, used as they are"),
    ];
    let told = loaded.facts.iter().zip(words).filter(|(n, _)| **n > 0);
    told.map(|(n, (one, many))| if *n == 1 { format!("1 image {one}") } else { format!("{n} images {many}") })
        .collect()
}

/// Files with what is wrong with them: `cat/1.png (empty)`.
fn named(tree: &Tree, skipped: &[(usize, String)]) -> Vec<String> {
    skipped.iter().map(|(i, reason)| format!("{} ({reason})", tree.files[*i].path.display())).collect()
}
