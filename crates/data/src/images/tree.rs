//! Which image files a folder holds, of which class and part, in an order that does not depend on the disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::listing::Folder;
use crate::rows::changed;
use crate::{DataError, DataOptions};
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

/// How many folders deep images may lie: beside a file of data less is looked at.
const DEPTHS: [usize; 2] = [3, 6];

impl Tree {
    /// The images of `root/CLASS/`, or of `root/train/CLASS/` and the parts beside it; `None` if there are none. Where
    /// a file of data lies in the root, the folder is not `alone`, and nothing further in is meant.
    ///
    /// # Errors
    /// [`DataError::Read`] for a folder that cannot be read, [`DataError::NotAClass`] for a folder that is none of a
    /// model's classes, and those of [`Layout::find`].
    pub fn find(root: &Path, options: &DataOptions, alone: bool) -> Result<Option<Tree>, DataError> {
        let known = if options.inputs_only { &[][..] } else { &options.known_classes };
        let top = Folder::read(root, PathBuf::new(), DEPTHS[usize::from(alone)])?;
        let Some(layout) = Layout::find(&top, options, alone).map_err(|e| below(root, e))? else {
            return Ok(None);
        };
        let mut tree = Tree { root: root.into(), notes: layout.told(), ..Tree::default() };
        let odd: Vec<String> =
            top.all().iter().flat_map(|f| f.odd.iter().map(|n| shown(&f.path, n))).collect();
        if !odd.is_empty() {
            let names = crate::error::first(&odd);
            tree.notes.push(format!("broken links, and names that are not UTF-8, were left out: {names}"));
        }
        tree.name_classes(&layout.classes.iter().map(|(_, f)| &f.name).collect::<Vec<_>>(), known)?;
        for (part, folder) in &layout.classes {
            let class = tree.classes.iter().position(|c| *c == folder.name).unwrap_or(0);
            let images = folder.all().into_iter().flat_map(|f| f.images.iter().map(|name| f.path.join(name)));
            tree.files.extend(images.map(|path| ImageFile::new(root, path, *part, class)));
        }
        tree.files.sort_by(|a, b| (a.part, &a.path).cmp(&(b.part, &b.path)));
        Ok(Some(tree))
    }

    /// Images without classes: one file, or all that lie in a folder itself.
    pub(super) fn unlabeled(path: &Path) -> Result<Tree, DataError> {
        let (root, names) = match (path.is_dir(), path.parent(), path.file_name()) {
            (false, Some(folder), Some(name)) => (folder, vec![PathBuf::from(name)]),
            _ => {
                let images = Folder::read(path, PathBuf::new(), 0)?.images;
                (path, images.into_iter().map(PathBuf::from).collect())
            }
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

/// An error about folders, with the root before them.
fn below(root: &Path, error: DataError) -> DataError {
    match error {
        DataError::PartsWithoutClasses { parts, path } => {
            DataError::PartsWithoutClasses { parts, path: joined(root, &path) }
        }
        DataError::ClassesFurtherIn { found, path } => {
            DataError::ClassesFurtherIn { found, path: joined(root, &path) }
        }
        other => other,
    }
}

/// A path below the root, without a separator where it is the root itself.
fn joined(root: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { root.into() } else { root.join(path) }
}

fn shown(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

impl ImageFile {
    /// A file that cannot be looked at is told when it is read.
    fn new(root: &Path, path: PathBuf, part: usize, class: usize) -> ImageFile {
        let metadata = fs::metadata(root.join(&path)).ok();
        let (len, changed) = metadata.map_or((0, 0), |m| (m.len(), changed(&m)));
        ImageFile { path, part, class, len, changed }
    }
}
