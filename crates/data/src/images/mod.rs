//! Folders of images as data sets: found, decoded, brought to one size and colour, and kept decoded in the cache.

mod cached;
mod jpeg;
mod load;
mod options;
mod picture;
mod resize;
mod tree;

use std::ops::Range;
use std::path::Path;

use self::load::Loaded;
use self::options::Wanted;
pub(crate) use self::tree::Tree;
use super::error::first;
use super::{DataError, DataOptions, Dataset, Origin, Task, Values};

/// Opens one image, or those that lie in a folder itself, without classes; there must be some.
pub(crate) fn open_unlabelled(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    if !options.inputs_only {
        return Err(DataError::NoClassFolders { path: path.into() });
    }
    open_tree(Tree::unlabelled(path)?, path, options)
}

/// Opens the images that were found below `path`.
pub(crate) fn open_tree(tree: Tree, path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let wanted = Wanted::new(options)?;
    let n = tree.classes.len();
    if let Some(told) = options.classes.filter(|told| n > 0 && *told != n) {
        let expected = format!("{n}, the number of class folders");
        return Err(DataError::BadOption { option: "classes", value: told.to_string(), expected });
    }
    let (loaded, note) = cached::load(&tree, &wanted, options.cache.as_deref())?;
    Ok(dataset(tree, loaded, note, path, options))
}

/// Puts together what the tree and the decoded images tell.
fn dataset(tree: Tree, loaded: Loaded, note: Option<String>, path: &Path, options: &DataOptions) -> Dataset {
    let mut notes = tree.notes.clone();
    notes.extend(simplified(&loaded));
    notes.extend(note);
    let mut warnings = Vec::from_iter(unreadable(&tree, &loaded));
    let mut skipped = loaded.skipped.iter().map(|(i, _)| *i).peekable();
    let kept = tree.files.iter().enumerate().filter(|(i, _)| skipped.next_if_eq(i).is_none());
    let kept: Vec<_> = kept.map(|(_, file)| file).collect();
    let classes = Classes::new(&tree, kept.iter().map(|f| f.class), !options.known_classes.is_empty());
    warnings.extend(classes.warning());
    let part = |part: usize| -> Option<Range<usize>> {
        let from = kept.partition_point(|f| f.part < part);
        let until = kept.partition_point(|f| f.part <= part);
        (from < until).then_some(from..until)
    };
    let (fixed_valid, fixed_test) = (part(1), part(2));
    for (index, name, found) in [(1, "validation", &fixed_valid), (2, "test", &fixed_test)] {
        if found.is_none() && tree.files.iter().any(|f| f.part == index) {
            warnings.push(format!("no image of the {name} folder can be read: another part has to serve"));
        }
    }
    let unknown = tree.classes.is_empty();
    Dataset {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        input_shape: loaded.shape.to_vec(),
        inputs: Values::U8(loaded.pixels),
        targets: kept.iter().map(|f| if unknown { f32::NAN } else { classes.index[f.class] }).collect(),
        task: Task::Classification { classes: classes.names },
        features: Vec::new(),
        origin: Origin { source: path.display().to_string(), licence: String::new() },
        fixed_valid,
        fixed_test,
        missing: Vec::new(),
        groups: None,
        times: None,
        schema: None,
        columns: Vec::new(),
        notes,
        warnings,
    }
}

/// The classes that have samples.
struct Classes {
    names: Vec<String>,
    /// Of each class folder, its index among `names`.
    index: Vec<f32>,
    /// Folders none of whose images could be read.
    lost: Vec<String>,
}

impl Classes {
    /// Classes of a model are `fixed`; others stay only if they have samples.
    fn new(tree: &Tree, of_samples: impl Iterator<Item = usize>, fixed: bool) -> Classes {
        let mut used = vec![fixed; tree.classes.len()];
        of_samples.for_each(|class| used.iter_mut().skip(class).take(1).for_each(|u| *u = true));
        let has_files = |class: usize| tree.files.iter().any(|f| f.class == class);
        let mut classes = Classes { names: vec![], index: vec![], lost: vec![] };
        for (class, (name, used)) in tree.classes.iter().zip(used).enumerate() {
            classes.index.push(classes.names.len() as f32);
            match used {
                true => classes.names.push(name.clone()),
                false if has_files(class) => classes.lost.push(name.clone()),
                false => {}
            }
        }
        classes
    }

    fn warning(&self) -> Option<String> {
        let some = !self.lost.is_empty();
        some.then(|| format!("classes of which no image can be read, left out: {}", first(&self.lost)))
    }
}

/// What was left out.
fn unreadable(tree: &Tree, loaded: &Loaded) -> Option<String> {
    let (n, of) = (loaded.skipped.len(), tree.files.len());
    let files = || first(&named(tree, &loaded.skipped));
    (n > 0).then(|| format!("{n} of {of} images cannot be read, left out: {}", files()))
}

/// What was simplified.
fn simplified(loaded: &Loaded) -> Vec<String> {
    let mut remarks = Vec::new();
    let words = [
        ("has several pictures: the first is taken", "have several pictures: the first is taken"),
        ("of 16 bits reduced to 8", "of 16 bits reduced to 8"),
        ("with transparent parts: laid on white", "with transparent parts: laid on white"),
    ];
    for (n, (one, many)) in loaded.simplified.iter().zip(words) {
        match n {
            0 => {}
            1 => remarks.push(format!("1 image {one}")),
            n => remarks.push(format!("{n} images {many}")),
        }
    }
    remarks
}

/// Files with what is wrong with them: `cat/1.png (empty)`.
fn named(tree: &Tree, skipped: &[(usize, String)]) -> Vec<String> {
    skipped.iter().map(|(i, reason)| format!("{} ({reason})", tree.files[*i].path.display())).collect()
}
