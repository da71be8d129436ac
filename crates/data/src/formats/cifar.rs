//! CIFAR-10 and CIFAR-100 in the binary version of their authors: Krizhevsky (2009), Learning multiple layers of
//! features from tiny images, <https://www.cs.toronto.edu/~kriz/cifar.html>.
//!
//! A record is one label (CIFAR-10) or a coarse and a fine one (CIFAR-100), a byte each, and 3072 bytes of pixels: the
//! red, the green and the blue plane of 32 x 32.

use std::path::{Path, PathBuf};

use super::{Format, Reader};
use crate::channels::interleave;
use crate::{DataError, DataOptions, Dataset, Labels, Origin, Task, Values, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "cifar",
    endings: &[".bin"],
    summary: "CIFAR-10 and CIFAR-100, binary version: the folder (data_batch_*.bin and test_batch.bin, or train.bin and \
              test.bin) or one file",
    options: &[&["labels"]],
    reader: Reader::Set(open),
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

/// The files of a set, decompressed.
struct Source<'a> {
    /// What was opened.
    path: &'a Path,
    kind: Kind,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// How many of them, at the end, are the test part.
    n_test: usize,
}

/// Opens one file.
fn open(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let bytes = read::decoded(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let guess = if name.contains("batch") { Kind::Cifar10 } else { Kind::Cifar100 };
    let kind = Kind::of(bytes.len()).unwrap_or(guess);
    Source { path, kind, files: vec![(path.into(), bytes)], n_test: 0 }.into_set(options)
}

/// Opens a folder of the original names, each also with `.gz`; `None` if there are none.
pub(crate) fn open_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let names = read::names(folder);
    let plain = |name: &str| name.strip_suffix(".gz").unwrap_or(name).to_string();
    let find = |wanted: &str| names.iter().find(|n| plain(n) == wanted).map(|n| folder.join(n));
    let is_batch = |n: &String| n.starts_with("data_batch_") && plain(n).ends_with(".bin");
    let mut paths: Vec<PathBuf> = names.iter().filter(|n| is_batch(n)).map(|n| folder.join(n)).collect();
    let (kind, test) = match paths.is_empty() {
        false => (Kind::Cifar10, find("test_batch.bin")),
        true => {
            paths.push(find("train.bin")?);
            (Kind::Cifar100, find("test.bin"))
        }
    };
    let n_test = usize::from(test.is_some());
    let read = |path: PathBuf| read::decoded(&path).map(|bytes| (path, bytes));
    let files = paths.into_iter().chain(test).map(read).collect::<Result<_, _>>();
    Some(files.and_then(|files| Source { path: folder, kind, files, n_test }.into_set(options)))
}

impl Source<'_> {
    fn into_set(self, options: &DataOptions) -> Result<Dataset, DataError> {
        let Source { path, kind, files, n_test } = self;
        let fine = options.labels == Labels::Fine;
        if kind == Kind::Cifar10 && !fine {
            let expected = "fine, because CIFAR-10 has one label for each image".into();
            return Err(DataError::BadOption { option: "labels", value: "coarse".into(), expected });
        }
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let mut classes = kind.class_names(folder, fine);
        classes.extend((classes.len()..options.classes.unwrap_or(0)).map(|c| c.to_string()));
        let n: usize = files.iter().map(|(_, bytes)| bytes.len() / kind.record()).sum();
        read::room(n * PIXELS, path)?;
        let (mut pixels, mut targets) = (vec![0; n * PIXELS], Vec::with_capacity(n));
        let (n_files, mut n_train) = (files.len(), 0);
        let mut rest = &mut pixels[..];
        for (i, (file, bytes)) in files.into_iter().enumerate() {
            let place = usize::from(kind == Kind::Cifar100 && fine);
            targets.extend(labels(&file, &bytes, (kind, place), options.classes.unwrap_or(classes.len()))?);
            let records = bytes.chunks_exact(kind.record());
            let (part, after) = rest.split_at_mut(records.len() * PIXELS);
            let planes = records.map(|record| &record[kind.n_labels()..]);
            planes.zip(part.chunks_exact_mut(PIXELS)).for_each(|(planes, out)| interleave(planes, 3, out));
            rest = after;
            if i < n_files - n_test {
                n_train = targets.len();
            }
        }
        let name = if kind == Kind::Cifar10 { "CIFAR-10" } else { "CIFAR-100" };
        Ok(Dataset {
            name: name.into(),
            input_shape: vec![32, 32, 3],
            inputs: Values::U8(pixels),
            targets,
            task: Task::Classification { classes },
            features: Vec::new(),
            origin: Origin { source: format!("{SOURCE}; {}", path.display()), license: String::new() },
            fixed_valid: None,
            fixed_test: (n_test > 0).then_some(n_train..n),
            missing: Vec::new(),
            groups: None,
            times: None,
            weights: None,
            schema: None,
            columns: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

/// The labels of a file's records: those at `place` in each.
fn labels(
    file: &Path,
    bytes: &[u8],
    (kind, place): (Kind, usize),
    n_classes: usize,
) -> Result<Vec<f32>, DataError> {
    let (expected, got) = (kind.record() as u64, (bytes.len() % kind.record()) as u64);
    if got > 0 {
        return Err(DataError::Truncated { what: "the last image".into(), expected, got, path: file.into() });
    }
    let labels: Vec<u8> = bytes.chunks_exact(kind.record()).map(|record| record[place]).collect();
    let last = n_classes.max(1) - 1;
    match labels.iter().position(|l| usize::from(*l) > last) {
        None => Ok(labels.into_iter().map(f32::from).collect()),
        Some(row) => {
            Err(DataError::LabelOutOfRange { label: labels[row].into(), row, last, path: file.into() })
        }
    }
}
