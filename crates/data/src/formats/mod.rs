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
    /// Reads a file.
    pub open: fn(&Path, &DataOptions) -> Result<Dataset, DataError>,
}

macro_rules! formats {
    ($($name:ident),* $(,)?) => {
        $(pub(crate) mod $name;)*
        /// All formats.
        pub const ALL: &[Format] = &[$($name::FORMAT),*];
    };
}

mod arrays;
formats! { idx, cifar, images, npy, npz, table }

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
