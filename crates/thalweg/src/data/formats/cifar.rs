//! CIFAR-10 and CIFAR-100 in the binary version of their authors (Krizhevsky 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>).
//!
//! A record is one label (CIFAR-10) or a coarse and a fine one (CIFAR-100), a byte each, and 3072 bytes of pixels: the red, the
//! green and the blue plane of 32 x 32.

use std::path::{Path, PathBuf};

use super::Format;
use crate::data::channels::interleave;
use crate::data::{DataError, DataOptions, Dataset, Labels, Origin, Task, Values, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "cifar",
    endings: &[".bin"],
    summary: "CIFAR-10 and CIFAR-100, binary version: the folder (data_batch_*.bin and test_batch.bin, or train.bin and test.bin) or one file",
    open,
};

/// Bytes of an image.
const PIXELS: usize = 3 * 32 * 32;

/// Where both come from.
const SOURCE: &str = "Krizhevsky (2009), Learning multiple layers of features from tiny images";

/// Classes of CIFAR-10.
const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// One of the two sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cifar10,
    Cifar100,
}

impl Kind {
    fn n_labels(self) -> usize {
        if self == Kind::Cifar10 { 1 } else { 2 }
    }

    fn record(self) -> usize {
        self.n_labels() + PIXELS
    }

    /// From the file of names beside the data, else what is known.
    fn class_names(self, folder: &Path, fine: bool) -> Vec<String> {
        let (file, n) = match (self, fine) {
            (Kind::Cifar10, _) => ("batches.meta.txt", 10),
            (Kind::Cifar100, true) => ("fine_label_names.txt", 100),
            (Kind::Cifar100, false) => ("coarse_label_names.txt", 20),
        };
        let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        let names: Vec<String> =
            text.lines().map(str::trim).filter(|l| !l.is_empty()).map(String::from).collect();
        match self {
            _ if names.len() == n => names,
            Kind::Cifar10 => NAMES.map(String::from).to_vec(),
            Kind::Cifar100 => (0..n).map(|c| c.to_string()).collect(),
        }
    }

    /// By the length of a file, where only one fits.
    fn of(len: usize) -> Option<Kind> {
        let fits = |kind: &Kind| len.is_multiple_of(kind.record());
        let mut fitting = [Kind::Cifar10, Kind::Cifar100].into_iter().filter(fits);
        fitting.next().filter(|_| fitting.next().is_none())
    }
}

/// Opens one file.
fn open(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let bytes = read::decoded(path)?;
    let named_like_100 = ["train.bin", "test.bin"].iter().any(|n| path.to_string_lossy().contains(n))
        && !path.to_string_lossy().contains("batch");
    let guess = if named_like_100 { Kind::Cifar100 } else { Kind::Cifar10 };
    let kind = Kind::of(bytes.len()).unwrap_or(guess);
    assemble(path, kind, vec![(path.into(), bytes)], 0, options)
}

/// Opens a folder of the original names, each also with `.gz`; `None` if there are none.
pub(crate) fn open_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let names = read::names(folder);
    let plain = |name: &str| name.strip_suffix(".gz").unwrap_or(name).to_string();
    let find = |wanted: &str| names.iter().find(|n| plain(n) == wanted).map(|n| folder.join(n));
    let is_batch = |n: &String| n.starts_with("data_batch_") && plain(n).ends_with(".bin");
    let mut train: Vec<PathBuf> = names.iter().filter(|n| is_batch(n)).map(|n| folder.join(n)).collect();
    let (kind, test) = match train.is_empty() {
        false => (Kind::Cifar10, find("test_batch.bin")),
        true => {
            train.push(find("train.bin")?);
            (Kind::Cifar100, find("test.bin"))
        }
    };
    let n_test = usize::from(test.is_some());
    let files = train.into_iter().chain(test).map(|path| {
        let bytes = read::decoded(&path)?;
        Ok((path, bytes))
    });
    Some(files.collect::<Result<_, _>>().and_then(|files| assemble(folder, kind, files, n_test, options)))
}

/// One data set of files, of which the last `n_test` are the test part.
fn assemble(
    path: &Path,
    kind: Kind,
    files: Vec<(PathBuf, Vec<u8>)>,
    n_test: usize,
    options: &DataOptions,
) -> Result<Dataset, DataError> {
    let fine = options.labels == Labels::Fine;
    if kind == Kind::Cifar10 && !fine {
        let expected = "fine, since CIFAR-10 has one label for each image".into();
        return Err(DataError::BadOption { option: "labels", value: "coarse".into(), expected });
    }
    let record = kind.record();
    let n: usize = files.iter().map(|(_, bytes)| bytes.len() / record).sum();
    let (mut pixels, mut targets) = (vec![0; n * PIXELS], Vec::with_capacity(n));
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let classes = kind.class_names(folder, fine);
    let last = options.classes.unwrap_or(classes.len()).max(1) - 1;
    let place = if kind == Kind::Cifar100 && fine { 1 } else { 0 };
    let n_files = files.len();
    let mut n_train = 0;
    for (i, (file, bytes)) in files.into_iter().enumerate() {
        let got = (bytes.len() % record) as u64;
        if got > 0 {
            let what = "the last image".into();
            return Err(DataError::Truncated { what, expected: record as u64, got, path: file });
        }
        for (row, record) in bytes.chunks_exact(record).enumerate() {
            let label = record[place];
            if usize::from(label) > last {
                return Err(DataError::LabelOutOfRange { label: label.into(), row, last, path: file });
            }
            let at = targets.len() * PIXELS;
            interleave(&record[kind.n_labels()..], 3, &mut pixels[at..at + PIXELS]);
            targets.push(f32::from(label));
        }
        if i < n_files - n_test {
            n_train = targets.len();
        }
    }
    Ok(Dataset {
        name: if kind == Kind::Cifar10 { "CIFAR-10" } else { "CIFAR-100" }.into(),
        input_shape: vec![32, 32, 3],
        inputs: Values::U8(pixels.into()),
        targets,
        task: Task::Classification { classes },
        features: Vec::new(),
        origin: Origin { source: format!("{SOURCE}; {}", path.display()), licence: String::new() },
        fixed_valid: None,
        fixed_test: (n_test > 0).then_some(n_train..n),
        missing: Vec::new(),
        schema: None,
        notes: Vec::new(),
    })
}
