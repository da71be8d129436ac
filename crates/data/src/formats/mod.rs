//! File formats; each is one file here and one name in the list below.

use std::path::Path;

use super::{DataError, DataOptions, Dataset};

/// A file format.
pub struct Format {
    /// Short name.
    pub name: &'static str,
    /// Endings of file names, lower case, without `.gz`.
    pub endings: &'static [&'static str],
    /// What it is, one line.
    pub summary: &'static str,
    /// Settings of `data` that it has and not every format.
    pub options: &'static [&'static str],
    /// Reads a file.
    pub open: fn(&Path, &DataOptions) -> Result<Dataset, DataError>,
}

macro_rules! formats {
    ($($(#[$feature:meta])? $name:ident),* $(,)?) => {
        $($(#[$feature])? pub(crate) mod $name;)*
        /// All formats.
        pub const ALL: &[Format] = &[$($(#[$feature])? $name::FORMAT),*];
    };
}

mod arrays;
formats! {
    idx,
    cifar,
    #[cfg(feature = "images")] images,
    npy,
    #[cfg(feature = "npz")] npz,
    #[cfg(feature = "table")] table,
}

/// What this build of the library leaves out: the feature, and endings of file names that it would read.
const LEFT_OUT: &[(&str, &[&str])] = &[
    #[cfg(not(feature = "images"))]
    ("images", &[".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"]),
    #[cfg(not(feature = "npz"))]
    ("npz", &[".npz"]),
    #[cfg(not(feature = "table"))]
    ("table", &[".csv", ".tsv", ".tab", ".data", ".txt"]),
];

/// Why a file of no known ending cannot be read.
pub(crate) fn unknown(path: &Path) -> DataError {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match LEFT_OUT.iter().find(|(_, endings)| endings.iter().any(|e| name.ends_with(e))) {
        Some((feature, _)) => DataError::LeftOut { what: path.display().to_string(), feature },
        None => DataError::UnknownFormat { path: path.into() },
    }
}

/// The format that a file's name tells, `.gz` left aside.
pub fn by_name(path: &Path) -> Option<&'static Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    ALL.iter().find(|f| f.endings.iter().any(|e| name.ends_with(e)))
}

/// A folder of `.npy` files as a data set; `None` if it has none.
pub(crate) fn arrays_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    arrays::open_folder(folder, options)
}
