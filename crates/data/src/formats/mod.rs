//! File formats; each is one file here and one name in the list below.

use std::path::Path;

#[cfg(feature = "table")]
use super::tables::Table;
use super::{DataError, DataOptions, Dataset};

/// A file format.
pub struct Format {
    /// Short name.
    pub name: &'static str,
    /// Endings of file names, lower case, without `.gz`, `.zst` and `.zip`.
    pub endings: &'static [&'static str],
    /// What it is, one line.
    pub summary: &'static str,
    /// Settings of `data` that it has and not every format, in groups that several formats share.
    pub options: &'static [&'static [&'static str]],
    pub(crate) reader: Reader,
}

/// How files of a format are read.
#[derive(Clone, Copy)]
pub(crate) enum Reader {
    /// As a data set.
    Set(fn(&Path, &DataOptions) -> Result<Dataset, DataError>),
    /// Their bytes as a table, of which all tables make a data set in one way.
    #[cfg(feature = "table")]
    Table(fn(Vec<u8>, &Path, &DataOptions) -> Result<Table, DataError>),
}

impl Format {
    /// Whether it has a setting of `data` that not every format has.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|group| group.contains(&option))
    }

    /// Whether its files are tables.
    pub(crate) fn is_table(&self) -> bool {
        !matches!(self.reader, Reader::Set(_))
    }

    /// Reads a file.
    pub(crate) fn open(&self, path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
        match self.reader {
            Reader::Set(open) => open(path, options),
            #[cfg(feature = "table")]
            Reader::Table(_) => table::open(path, options),
        }
    }
}

macro_rules! formats {
    ($($(#[$feature:meta])? $name:ident),* $(,)?) => {
        $($(#[$feature])? pub(crate) mod $name;)*
        /// All formats.
        pub const ALL: &[Format] = &[$($(#[$feature])? $name::FORMAT),*];
    };
}

mod arrays;
#[cfg_attr(not(feature = "copies"), allow(dead_code))]
mod streamed;
formats! {
    idx,
    cifar,
    #[cfg(feature = "images")] images,
    npy,
    #[cfg(feature = "npz")] npz,
    #[cfg(feature = "table")] table,
    #[cfg(feature = "table")] arff,
    #[cfg(feature = "table")] json,
    #[cfg(feature = "excel")] excel,
    #[cfg(feature = "parquet")] parquet,
    #[cfg(feature = "arrow")] arrow,
    #[cfg(feature = "zip")] zip,
}

/// What this build of the library leaves out: the feature, and endings of file names that it would read.
const LEFT_OUT: &[(&str, &[&str])] = &[
    #[cfg(not(feature = "images"))]
    ("images", &[".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"]),
    #[cfg(not(feature = "npz"))]
    ("npz", &[".npz"]),
    #[cfg(not(feature = "table"))]
    ("table", &[".csv", ".tsv", ".tab", ".data", ".dat", ".txt", ".arff", ".jsonl", ".ndjson", ".json"]),
    #[cfg(not(feature = "excel"))]
    ("excel", &[".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"]),
    #[cfg(not(feature = "parquet"))]
    ("parquet", &[".parquet", ".pq"]),
    #[cfg(not(feature = "arrow"))]
    ("arrow", &[".arrow", ".arrows", ".feather", ".ipc"]),
    #[cfg(not(feature = "zip"))]
    ("zip", &[".zip"]),
    #[cfg(not(feature = "zstd"))]
    ("zstd", &[".zst"]),
];

/// Endings of compressed files, which stand behind those of formats.
const PACKED: &[&str] = &[".gz", ".zst", ".zip"];

/// A file's name in lower case without the ending of a compressed one.
fn unpacked(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    Some(PACKED.iter().find_map(|e| name.strip_suffix(e)).map(String::from).unwrap_or(name))
}

/// Why a file of no known ending cannot be read.
pub(crate) fn unknown(path: &Path) -> DataError {
    let full = path.to_string_lossy().to_lowercase();
    let names = [unpacked(path).unwrap_or_default(), full];
    let ends = |e: &&str| names.iter().any(|n| n.ends_with(*e));
    match LEFT_OUT.iter().find(|(_, endings)| endings.iter().any(ends)) {
        Some((feature, _)) => DataError::LeftOut { what: path.display().to_string(), feature },
        None => DataError::UnknownFormat { path: path.into() },
    }
}

/// The format that a file's name tells, the ending of a compressed file left aside.
pub fn by_name(path: &Path) -> Option<&'static Format> {
    let full = path.file_name()?.to_string_lossy().to_lowercase();
    let of = |name: &str| ALL.iter().find(|f| f.endings.iter().any(|e| name.ends_with(e)));
    of(&unpacked(path)?).or_else(|| of(&full))
}

/// First bytes of binary files that are tables, with the name of the format.
#[cfg(feature = "table")]
const MAGIC: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    // a stream begins with the mark of its first message
    (b"\xff\xff\xff\xff", "arrow"),
];

/// What a zip holds that is a workbook.
#[cfg(feature = "table")]
const WORKBOOK: &[&[u8]] = &[b"xl/workbook.", b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"];

/// Whether files of a format hold a file of another one.
#[cfg(feature = "table")]
pub(crate) fn is_container(name: &str) -> bool {
    name == "zip"
}

/// The format that the content of a table tells: of a binary file by its first bytes, of a text where the name
/// leaves it open.
///
/// # Errors
/// [`DataError::LeftOut`] for a format that this build leaves out.
#[cfg(feature = "table")]
pub(crate) fn by_content(
    bytes: &[u8],
    named: Option<&'static Format>,
) -> Result<Option<&'static Format>, DataError> {
    let of = |name: &'static str| {
        let format = ALL.iter().find(|f| f.name == name);
        format.map(Some).ok_or(DataError::LeftOut { what: name.into(), feature: name })
    };
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let is_book = *name == "zip" && WORKBOOK.iter().any(|w| memchr::memmem::find(bytes, w).is_some());
        return of(if is_book { "excel" } else { name });
    }
    // a text in spite of a name such as `.xls`
    let is_text = !bytes[..bytes.len().min(4096)].contains(&0)
        || bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff]);
    let open = named.is_none_or(|n| !matches!(n.name, "arff" | "json"));
    if !is_text || !open {
        return Ok(None);
    }
    if arff::is_arff(bytes) {
        return of("arff");
    }
    if json::is_json(bytes) {
        return of("json");
    }
    of("table")
}

/// A folder of `.npy` files as a data set; `None` if it has none.
pub(crate) fn arrays_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    arrays::open_folder(folder, options)
}
