//! Which image files a folder holds, of which class and part, in an order that does not depend on the disk.

use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::DataError;
use crate::read;
use settings::nearest;

/// One image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageFile {
    /// Below the root.
    pub path: PathBuf,
    /// 0 training, 1 validation, 2 test.
    pub part: usize,
    /// Index of its class folder.
    pub class: usize,
    /// Bytes.
    pub len: u64,
    /// When it was changed: nanoseconds since 1970, 0 where the disk does not know.
    pub changed: u64,
}

/// The image files below a root: by part, then by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub root: PathBuf,
    /// Names of the class folders, sorted, or in the order of a model.
    pub classes: Vec<String>,
    pub files: Vec<ImageFile>,
    pub notes: Vec<String>,
}

/// Endings of files that are read, lower case.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Endings of images that are not read.
const OTHERS: [&str; 10] = ["gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm", "heic", "avif", "jp2"];
/// Names of the folders of the parts.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["valid", "val", "validation"], &["test", "testing"]];

/// What lies in a folder, hidden names left out.
struct Listing {
    folders: Vec<String>,
    images: Vec<String>,
    /// What is passed over, and why.
    others: Others,
}

/// Names of what is passed over.
#[derive(Default)]
struct Others {
    /// Images of formats that are not read.
    formats: Vec<String>,
    /// Links to nothing, and names that are not text.
    odd: Vec<String>,
}

/// A folder `train`, `valid` or `test`.
struct PartFolder {
    /// 0, 1 or 2.
    index: usize,
    name: String,
    listing: Listing,
}

/// A class folder of one part.
struct ClassFolder {
    part: usize,
    /// Below the root.
    path: PathBuf,
    name: String,
    images: Vec<String>,
}

impl Tree {
    /// The images of `root/CLASS/`, or of `root/train/CLASS/` and the parts beside it; `None` if there are none.
    ///
    /// # Errors
    /// [`DataError::Read`] for a folder that cannot be read, [`DataError::NotAClass`] for a folder that is none of the
    /// `known` classes (unless those are empty).
    pub fn find(root: &Path, known: &[String]) -> Result<Option<Tree>, DataError> {
        let top = Listing::of(root)?;
        let parts = parts(root, &top)?;
        let mut counts = Counts { outside: top.images.len(), ..Counts::default() };
        counts.pass_over(Path::new(""), &top.others);
        let mut folders = Vec::new();
        if parts.is_empty() {
            folders = class_folders(root, (0, Path::new("")), &top, &mut counts)?;
        }
        if !parts.is_empty() {
            let is_part = |f: &&String| parts.iter().any(|p| p.name == **f);
            counts.beside = top.folders.iter().filter(|f| !is_part(f)).cloned().collect();
        }
        for PartFolder { index, name, listing } in &parts {
            counts.outside += listing.images.len();
            counts.pass_over(Path::new(name), &listing.others);
            folders.extend(class_folders(root, (*index, Path::new(name)), listing, &mut counts)?);
        }
        if folders.iter().all(|f| f.images.is_empty()) {
            return Ok(None);
        }
        let (full, empty): (Vec<_>, Vec<_>) = folders.into_iter().partition(|f| !f.images.is_empty());
        counts.empty = empty.iter().map(|f| f.path.display().to_string()).collect();
        let mut tree = Tree { root: root.into(), notes: counts.notes(), ..Tree::default() };
        tree.name_classes(&full.iter().map(|f| &f.name).collect::<Vec<_>>(), known)?;
        for folder in full {
            let class = tree.classes.iter().position(|c| *c == folder.name).unwrap_or(0);
            let images = folder.images.iter().map(|name| folder.path.join(name));
            tree.files.extend(images.map(|path| ImageFile::new(root, path, folder.part, class)));
        }
        tree.files.sort_by(|a, b| (a.part, &a.path).cmp(&(b.part, &b.path)));
        Ok(Some(tree))
    }

    /// Images without classes: one file, or all that lie in a folder itself.
    pub(super) fn unlabelled(path: &Path) -> Result<Tree, DataError> {
        let (root, names) = match (path.is_dir(), path.parent(), path.file_name()) {
            (false, Some(folder), Some(name)) => (folder, vec![PathBuf::from(name)]),
            _ => (path, Listing::of(path)?.images.into_iter().map(PathBuf::from).collect()),
        };
        let files = names.into_iter().map(|n| ImageFile::new(root, n, 0, 0)).collect();
        Ok(Tree { root: root.into(), files, ..Tree::default() })
    }

    /// The classes: those of a model, where it is told, else all names of folders.
    fn name_classes(&mut self, folders: &[&String], known: &[String]) -> Result<(), DataError> {
        if let Some(name) = folders.iter().find(|f| !known.is_empty() && !known.contains(f)) {
            let nearest = nearest(name, known.iter().map(String::as_str));
            let (name, n_classes) = ((*name).clone(), known.len());
            return Err(DataError::NotAClass { name, n_classes, nearest, path: self.root.clone() });
        }
        self.classes = known.to_vec();
        if known.is_empty() {
            self.classes = folders.iter().map(|f| (*f).clone()).collect();
            self.classes.sort();
            self.classes.dedup();
        }
        Ok(())
    }
}

/// What lies in the class folders of a part (its index, its folder below the root).
fn class_folders(
    root: &Path,
    (part, below): (usize, &Path),
    listing: &Listing,
    counts: &mut Counts,
) -> Result<Vec<ClassFolder>, DataError> {
    let mut folders = Vec::new();
    for name in &listing.folders {
        let path = below.join(name);
        let Listing { folders: nested, images, others } = Listing::of(&root.join(&path))?;
        counts.nested += nested.len();
        counts.pass_over(&path, &others);
        folders.push(ClassFolder { part, path, name: name.clone(), images });
    }
    Ok(folders)
}

/// The parts that the root itself has; none without a training part of class folders.
fn parts(root: &Path, top: &Listing) -> Result<Vec<PartFolder>, DataError> {
    let mut found = Vec::new();
    for (index, names) in PARTS.iter().enumerate() {
        let name = names.iter().find_map(|n| top.folders.iter().find(|f| f.eq_ignore_ascii_case(n)));
        if let Some(name) = name {
            let listing = Listing::of(&root.join(name))?;
            // A class may be called `train` as well; then images lie in it, not folders.
            if !listing.folders.is_empty() {
                found.push(PartFolder { index, name: name.clone(), listing });
            }
        }
    }
    Ok(if found.first().is_some_and(|p: &PartFolder| p.index == 0) { found } else { Vec::new() })
}

impl Listing {
    /// What lies in a folder, sorted.
    fn of(folder: &Path) -> Result<Listing, DataError> {
        let failed = |e| read::failed(folder, e);
        let mut listing = Listing { folders: Vec::new(), images: Vec::new(), others: Others::default() };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                listing.others.odd.push(entry.file_name().to_string_lossy().into_owned());
                continue;
            };
            let ending = name.rsplit_once('.').map_or(String::new(), |(_, end)| end.to_lowercase());
            if name.starts_with('.') {
            } else if ENDINGS.contains(&&ending[..]) {
                listing.images.push(name);
            } else if OTHERS.contains(&&ending[..]) {
                listing.others.formats.push(name);
            } else {
                match is_folder(&entry.path(), entry.file_type().map_err(failed)?) {
                    Some(true) => listing.folders.push(name),
                    Some(false) => {}
                    None => listing.others.odd.push(name),
                }
            }
        }
        listing.folders.sort();
        listing.images.sort();
        listing.others.formats.sort();
        listing.others.odd.sort();
        Ok(listing)
    }
}

/// Whether an entry is a folder, or a link to one; nothing for a link that leads nowhere.
fn is_folder(path: &Path, kind: FileType) -> Option<bool> {
    if kind.is_symlink() { fs::metadata(path).ok().map(|m| m.is_dir()) } else { Some(kind.is_dir()) }
}

impl ImageFile {
    /// A file that cannot be looked at is told when it is read.
    fn new(root: &Path, path: PathBuf, part: usize, class: usize) -> ImageFile {
        let metadata = fs::metadata(root.join(&path)).ok();
        let changed = metadata.as_ref().and_then(|m| m.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        let len = metadata.map_or(0, |m| m.len());
        ImageFile { path, part, class, len, changed: changed.map_or(0, |d| d.as_nanos() as u64) }
    }
}

/// What is left aside.
#[derive(Default)]
struct Counts {
    /// Images that are in no class folder.
    outside: usize,
    /// Folders in class folders.
    nested: usize,
    /// Class folders without images.
    empty: Vec<String>,
    /// Folders beside those of the parts.
    beside: Vec<String>,
    /// Paths of what is passed over.
    others: Others,
}

impl Counts {
    /// Takes in what a folder below the root has.
    fn pass_over(&mut self, folder: &Path, others: &Others) {
        let path = |name: &String| folder.join(name).display().to_string();
        self.others.formats.extend(others.formats.iter().map(path));
        self.others.odd.extend(others.odd.iter().map(path));
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let lists = [
            ("class folders without images", &self.empty),
            ("folders beside `train`, neither `valid` nor `test`", &self.beside),
            ("images that are neither PNG nor JPEG", &self.others.formats),
            ("links to nothing, and names that are not UTF-8", &self.others.odd),
        ];
        for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            notes.push(format!("{what}, left out: {}", crate::error::first(names)));
        }
        let mut note = |n: usize, one: &str, many: &str| {
            if n > 0 {
                notes.push(if n == 1 { format!("1 {one}") } else { format!("{n} {many}") });
            }
        };
        note(
            self.outside,
            "image lies outside the class folders, left out",
            "images lie outside the class folders, left out",
        );
        note(self.nested, "folder inside a class folder, left out", "folders inside class folders, left out");
        notes
    }
}
