//! NPZ archives: named NumPy arrays for inputs and targets, with parts for validation and test if wanted.

use std::fs::File;
use std::path::Path;

use zip::ZipArchive;

use super::npy::{self, Array};
use super::{Format, Reader, arrays};
use crate::{DataError, DataOptions, Dataset, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "npz",
    endings: &[".npz"],
    summary: "named NumPy arrays: x and y (or x_train and y_train), optionally x_valid, y_valid, x_test, y_test",
    options: &[&["target", "task", "channels"]],
    reader: Reader::Set(open),
};

fn open(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let mut file = File::open(path).map_err(|e| read::failed(path, e))?;
    check_magic(&mut file, path)?;
    let file_len = file.metadata().map_err(|e| read::failed(path, e))?.len();
    let mut archive = ZipArchive::new(file).map_err(|e| damaged(path, e))?;
    let files = archive.file_names().filter_map(Result::ok);
    let names: Vec<String> = files.filter_map(|n| n.strip_suffix(".npy").map(String::from)).collect();
    let load = |name: &str| entry(&mut archive, name, file_len, path);
    arrays::from_named(path, &names, load, (options, None))
}

fn check_magic(file: &mut File, path: &Path) -> Result<(), DataError> {
    let mut start = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, 4), &mut start)
        .map_err(|e| read::failed(path, e))?;
    match &start[..] {
        [] => Err(DataError::Empty { path: path.into() }),
        [b'P', b'K', ..] => Ok(()),
        _ => {
            let got = start.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
            let expected = "50 4b 03 04".into();
            Err(DataError::WrongMagic { format: "npz", expected, got, path: path.into() })
        }
    }
}

fn entry(archive: &mut ZipArchive<File>, name: &str, file_len: u64, path: &Path) -> Result<Array, DataError> {
    let mut entry = archive.by_name(&format!("{name}.npy")).map_err(|e| damaged(path, e))?;
    let (len, packed) = (entry.size(), entry.compressed_size());
    if packed > file_len || len > packed.saturating_mul(1032) {
        let reason = format!("array `{name}` claims {len} bytes in {packed}, more than the file can hold");
        return Err(DataError::Damaged { reason, path: path.into() });
    }
    npy::parse(&mut entry, len, path)
}

fn damaged(path: &Path, error: zip::result::ZipError) -> DataError {
    DataError::Damaged { reason: error.to_string().to_lowercase(), path: path.into() }
}
