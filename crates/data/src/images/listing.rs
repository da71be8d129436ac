//! What lies in a folder and below it: images, folders, and what cannot be followed.

use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::picture::looks_like_image;
use crate::DataError;
use crate::read;

/// Endings of images, read or not: what cannot be read is told where it lies, and the content decides.
const ENDINGS: [&str; 31] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "heic", "heif", "avif",
    "jp2", "j2k", "jxl", "ppm", "pgm", "pbm", "pnm", "dcm", "psd", "exr", "tga", "dng", "cr2", "nef", "arw",
    "orf", "raf",
];

/// The most folders that are looked into: more are no set of images, but somebody's disk.
const MOST: usize = 100_000;

/// A folder with all that matters, hidden names left out.
pub(super) struct Folder {
    /// Below the root.
    pub path: PathBuf,
    pub name: String,
    /// Names of images, sorted.
    pub images: Vec<String>,
    /// Sorted by name.
    pub folders: Vec<Folder>,
    /// Links to nothing or to where they lie, and names that are not text.
    pub odd: Vec<String>,
}

impl Folder {
    /// The folder `path` below `root`, with what lies up to `depth` folders further in, as long as there are not too
    /// many.
    ///
    /// # Errors
    /// [`DataError::Read`] for a folder that cannot be read.
    pub fn read(root: &Path, path: PathBuf, depth: usize) -> Result<Folder, DataError> {
        Folder::read_some(root, path, depth, &mut { MOST })
    }

    fn read_some(root: &Path, path: PathBuf, depth: usize, left: &mut usize) -> Result<Folder, DataError> {
        let whole = root.join(&path);
        let failed = |e| read::failed(&whole, e);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut folder = Folder { name, path, images: vec![], folders: vec![], odd: vec![] };
        let mut names = Vec::new();
        for entry in fs::read_dir(&whole).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                folder.odd.push(entry.file_name().to_string_lossy().into_owned());
                continue;
            };
            let ending = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
            if name.starts_with('.') {
            } else if ending.as_ref().is_some_and(|e| ENDINGS.contains(&&e[..])) {
                folder.images.push(name);
            } else {
                match is_folder(&entry.path(), entry.file_type().map_err(failed)?) {
                    Some(true) => names.push(name),
                    Some(false) if ending.is_none() && begins_as_image(&entry.path()) => {
                        folder.images.push(name)
                    }
                    Some(false) => {}
                    None => folder.odd.push(name),
                }
            }
        }
        names.sort();
        folder.images.sort();
        folder.odd.sort();
        *left = left.saturating_sub(1);
        for name in names.iter().filter(|_| depth > 0) {
            if *left > 0 {
                folder.folders.push(Folder::read_some(root, folder.path.join(name), depth - 1, left)?);
            }
        }
        Ok(folder)
    }

    /// Images here and further in.
    pub fn n_images(&self) -> usize {
        self.images.len() + self.folders.iter().map(Folder::n_images).sum::<usize>()
    }

    /// The folders in it that hold images, there or further in.
    pub fn full(&self) -> Vec<&Folder> {
        self.folders.iter().filter(|f| f.n_images() > 0).collect()
    }

    /// It and all folders further in.
    pub fn all(&self) -> Vec<&Folder> {
        std::iter::once(self).chain(self.folders.iter().flat_map(Folder::all)).collect()
    }

    /// Its path for a message.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// Whether an entry is a folder, or a link to one; nothing for a link that leads nowhere or to a folder around it.
fn is_folder(path: &Path, kind: FileType) -> Option<bool> {
    if !kind.is_symlink() {
        return Some(kind.is_dir());
    }
    let target = fs::canonicalize(path).ok()?;
    let around = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    (!around.is_some_and(|a| a.starts_with(&target))).then(|| target.is_dir())
}

/// Whether a file without an ending is an image by its first bytes.
fn begins_as_image(path: &Path) -> bool {
    let mut start = Vec::new();
    let is_file = fs::metadata(path).is_ok_and(|m| m.is_file());
    let read = is_file.then(|| File::open(path).and_then(|f| f.take(132).read_to_end(&mut start)));
    read.is_some_and(|done| done.is_ok()) && looks_like_image(&start)
}
