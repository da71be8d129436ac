//! IDX files, plain and gzip: the format of MNIST and its kin (LeCun, <http://yann.lecun.com/exdb/mnist>).
//!
//! Two zero bytes, the number type, the number of dimensions, the dimensions as big-endian u32, the values.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::npy::Numbers;
use super::streamed::{self, AT_A_TIME, Arrays, Streamed};
use super::{Format, Reader};
#[cfg(feature = "gzip")]
use crate::cache::Slot;
use crate::channels::{Arrangement, arrange};
#[cfg(feature = "gzip")]
use crate::gzip::Gunzip;
use crate::known::Known;
use crate::{DataError, DataOptions, Dataset, Origin, Task, Values, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "idx",
    endings: &[".idx", "-ubyte", ".ubyte", ".idx1", ".idx3"],
    summary: "IDX images and labels (MNIST, Fashion-MNIST), plain or gzip; a folder with the four files, or a file of images",
    options: &[&["target", "channels"]],
    reader: Reader::Set(open),
};

/// Opens a file of inputs with the label file beside it, or that of `data.target`.
fn open(path: &Path, options: &DataOptions) -> Result<Dataset, DataError> {
    let labels = match &options.target[..] {
        [file] => PathBuf::from(file),
        _ => labels_beside(path)?,
    };
    assemble(path, &[(path.into(), labels)], options)
}

/// Opens a folder that holds training images and labels, and test images and labels if there are any.
///
/// `None` if the folder has no such files.
pub(crate) fn open_folder(folder: &Path, options: &DataOptions) -> Option<Result<Dataset, DataError>> {
    let names = files(folder);
    let pair = |parts: &[&str]| {
        let find = |kind| find(&names, parts, kind).map(|name| folder.join(name));
        Some((find("images")?, find("labels")?))
    };
    let mut pairs = vec![pair(&["train"])?];
    if let [target, ..] = &options.target[..] {
        let expected = "nothing for a folder, where every part has its own labels".into();
        return Some(Err(DataError::BadOption { option: "target", value: target.clone(), expected }));
    }
    pairs.extend(pair(&["t10k", "test"]));
    Some(assemble(folder, &pairs, options))
}

/// The files in a folder, and those in folders that have the name of an IDX file, as some archives unpack.
fn files(folder: &Path) -> Vec<String> {
    let is_idx = |name: &str| super::by_name(Path::new(name)).is_some_and(|f| f.name == "idx");
    let open = |name: String| {
        let inside = folder.join(&name);
        match inside.is_dir() && is_idx(&name) {
            true => read::names(&inside).into_iter().map(|file| format!("{name}/{file}")).collect(),
            false => vec![name],
        }
    };
    let mut files: Vec<String> = read::names(folder).into_iter().flat_map(open).collect();
    files.retain(|name| folder.join(name).is_file());
    // a file beside such a folder comes before those inside
    files.sort_by_key(|name| name.contains('/'));
    files
}

/// The first file of IDX's endings that is of one of the `parts` and of the `kind`; plain ones before gzip.
fn find<'a>(names: &'a [String], parts: &[&str], kind: &str) -> Option<&'a String> {
    let fits = |name: &&String| {
        let low = name.to_lowercase();
        let idx = super::by_name(Path::new(name)).is_some_and(|f| f.name == "idx");
        idx && low.contains(kind) && parts.iter().any(|p| low.contains(p))
    };
    let mut found: Vec<&String> = names.iter().filter(fits).collect();
    found.sort_by_key(|n| n.to_lowercase().ends_with(".gz"));
    found.first().copied()
}

/// `train-images-idx3-ubyte.gz` → `train-labels-idx1-ubyte.gz`, gzip or not.
fn labels_beside(path: &Path) -> Result<PathBuf, DataError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let labels = name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
    let other = labels.strip_suffix(".gz").map_or_else(|| format!("{labels}.gz"), str::to_string);
    let both = |at: &Path| [at.with_file_name(&labels), at.with_file_name(&other)];
    // a file in a folder of the same name has its labels beside that folder, or in another of its kind
    let folder = path.parent().filter(|own| !own.as_os_str().is_empty());
    let further =
        folder.iter().flat_map(|own| both(own)).flat_map(|at| both(&at.join("any")).into_iter().chain([at]));
    let found = both(path).into_iter().chain(further).find(|l| l != path && l.is_file());
    match found {
        Some(found) if name.contains("images") => Ok(found),
        _ => Err(DataError::NoTargets { looked_for: format!("`{labels}`"), path: path.into() }),
    }
}

/// One data set of pairs (inputs, labels): training first, then test.
fn assemble(path: &Path, pairs: &[(PathBuf, PathBuf)], options: &DataOptions) -> Result<Dataset, DataError> {
    let cache = options.cache.as_deref();
    let open = |(x, y): &(PathBuf, PathBuf)| Ok((IdxFile::open(x)?, IdxFile::open(y)?));
    let files = pairs.iter().map(open).collect::<Result<Vec<_>, DataError>>()?;
    let arranged = sample_shape(&files, options)?;
    let n: usize = files.iter().map(|(_, y)| y.dims[0]).sum();
    let n_train = files[0].1.dims[0];
    let origin = Origin { source: path.display().to_string(), license: String::new() };
    let bytes: usize = files.iter().map(|(x, _)| x.held_bytes()).fold(0, usize::saturating_add);
    let plain = files.iter().all(|(x, _)| x.is_plain());
    let (streamed, label_parts) = match options.streamed(bytes).filter(|_| plain) {
        Some(memory) => stream(path, files, &arranged, (options, memory))?,
        None => {
            let (values, labels) = decode(files, &arranged, cache)?;
            (Streamed { values, notes: Vec::new(), warnings: Vec::new() }, labels)
        }
    };
    let (mut targets, mut n_classes) = (Vec::with_capacity(n), 0);
    for (part, (_, file)) in label_parts.iter().zip(pairs) {
        n_classes = n_classes.max(check_labels(&part.values, options.classes, file)?);
        targets.extend_from_slice(&part.values);
    }
    let known = Known::by_labels(&label_parts[0].header, &label_parts[0].bytes);
    let classes = match known {
        Some(known) if n_classes <= 10 => known.classes.map(String::from).to_vec(),
        _ => (0..options.classes.unwrap_or(n_classes)).map(|c| c.to_string()).collect(),
    };
    Ok(Dataset {
        name: known.map_or_else(|| stem(path), |k| k.name.into()),
        input_shape: arranged.shape,
        inputs: streamed.values,
        targets,
        task: Task::Classification { classes },
        features: Vec::new(),
        origin: known.map_or(origin, |k| k.origin(path)),
        fixed_valid: None,
        fixed_test: (pairs.len() > 1).then_some(n_train..n),
        missing: Vec::new(),
        groups: None,
        times: None,
        weights: None,
        schema: None,
        columns: Vec::new(),
        notes: streamed.notes,
        warnings: streamed.warnings,
    })
}

/// The name of a file or folder.
fn stem(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Shape of one sample after checking that all parts agree; images become `[h, w, c]`.
fn sample_shape(files: &[(IdxFile, IdxFile)], options: &DataOptions) -> Result<Arrangement, DataError> {
    let first = &files[0].0.dims[1..];
    for (x, y) in files {
        if y.dims.len() != 1 {
            let reason = format!("labels have {} dimensions, expected 1", y.dims.len());
            return Err(DataError::Header { format: "idx", reason, path: y.path.clone() });
        }
        let (inputs, targets) = (x.dims[0], y.dims[0]);
        if inputs != targets {
            let (inputs_path, targets_path) = (x.path.clone(), y.path.clone());
            return Err(DataError::CountMismatch { inputs, targets, inputs_path, targets_path });
        }
        if x.n_bytes == 0 {
            return Err(DataError::NoSamples { path: x.path.clone() });
        }
        if x.dims[1..] != *first || x.kind != files[0].0.kind {
            let (expected, got) = (first.to_vec(), x.dims[1..].to_vec());
            return Err(DataError::ShapeMismatch {
                part: "test".into(),
                expected,
                got,
                path: x.path.clone(),
            });
        }
    }
    arrange(first, true, options.channels, &files[0].0.path)
}

/// Decoded labels.
struct Labels {
    header: Vec<u8>,
    bytes: Vec<u8>,
    values: Vec<f32>,
}

/// The inputs of plain files through the cache, and their labels.
fn stream(
    path: &Path,
    files: Vec<(IdxFile, IdxFile)>,
    arranged: &Arrangement,
    (options, memory): (&DataOptions, usize),
) -> Result<(Streamed, Vec<Labels>), DataError> {
    let (inputs, labels): (Vec<_>, Vec<_>) = files.into_iter().unzip();
    let labels = labels.into_iter().map(Labels::read).collect::<Result<_, _>>()?;
    let arrays = Arrays {
        format: "idx 1",
        source: path,
        files: inputs.iter().map(|x| x.path.clone()).collect(),
        arranged,
        bytes: inputs[0].kind == Kind::U8,
        memory,
    };
    let streamed = streamed::inputs(&arrays, options, |sink| {
        inputs.iter().try_for_each(|x| x.rows(|values| sink.rows(values)))?;
        Ok(Vec::new())
    })?;
    Ok((streamed, labels))
}

impl Labels {
    fn read(file: IdxFile) -> Result<Labels, DataError> {
        let (mut bytes, kind, header) = (vec![0u8; file.n_bytes], file.kind, file.header.clone());
        file.fill(&mut bytes, None)?;
        Ok(Labels { header, values: kind.numbers(&bytes), bytes })
    }
}

/// Decodes all files, each pair's inputs on a thread of its own.
fn decode(
    files: Vec<(IdxFile, IdxFile)>,
    arranged: &Arrangement,
    cache: Option<&Path>,
) -> Result<(Values, Vec<Labels>), DataError> {
    let kind = files[0].0.kind;
    let n_bytes =
        files.iter().fold(0usize, |n, (x, y)| n.saturating_add(x.n_bytes).saturating_add(y.n_bytes));
    // other kinds of numbers become f32 beside the bytes
    read::room(
        n_bytes.saturating_mul(if kind == Kind::U8 { 1 } else { 1 + size_of::<f32>() }),
        &files[0].0.path,
    )?;
    let mut bytes = vec![0u8; files.iter().map(|(x, _)| x.n_bytes).sum()];
    let mut labels = Vec::new();
    std::thread::scope(|scope| {
        let (mut rest, mut threads, mut label_files) = (&mut bytes[..], Vec::new(), Vec::new());
        for (x, y) in files {
            let (part, after) = rest.split_at_mut(x.n_bytes);
            rest = after;
            threads.push(scope.spawn(move || x.fill(part, cache)));
            label_files.push(y);
        }
        for y in label_files {
            labels.push(Labels::read(y)?);
        }
        threads
            .into_iter()
            .try_for_each(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    if kind == Kind::U8 {
        arranged.apply(&mut bytes);
        return Ok((Values::U8(bytes), labels));
    }
    let mut numbers = kind.numbers(&bytes);
    arranged.apply(&mut numbers);
    Ok((Values::F32(numbers), labels))
}

/// Labels must be whole numbers from 0 and below `classes`, where it is told; gives the number of classes.
fn check_labels(labels: &[f32], classes: Option<usize>, path: &Path) -> Result<usize, DataError> {
    let last = classes.map_or(crate::dataset::MAX_CLASSES, |c| c.max(1)) - 1;
    let good = |l: f32| l >= 0.0 && l <= last as f32 && l.fract() == 0.0;
    match labels.iter().position(|l| !good(*l)) {
        Some(row) => {
            Err(DataError::LabelOutOfRange { label: labels[row].into(), row, last, path: path.into() })
        }
        None => Ok(labels.iter().fold(0.0f32, |a, b| a.max(*b)) as usize + 1),
    }
}

/// Types of numbers in IDX.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Kind {
    fn from_code(code: u8) -> Option<(Kind, usize)> {
        Some(match code {
            0x08 => (Kind::U8, 1),
            0x09 => (Kind::I8, 1),
            0x0b => (Kind::I16, 2),
            0x0c => (Kind::I32, 4),
            0x0d => (Kind::F32, 4),
            0x0e => (Kind::F64, 8),
            _ => return None,
        })
    }

    /// Big-endian bytes as numbers.
    fn numbers(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Kind::U8 => bytes.iter().map(|b| f32::from(*b)).collect(),
            Kind::I8 => bytes.iter().map(|b| f32::from(b.cast_signed())).collect(),
            Kind::I16 => words(bytes, |w| f32::from(i16::from_be_bytes(w))),
            Kind::I32 => words(bytes, |w| i32::from_be_bytes(w) as f32),
            Kind::F32 => words(bytes, f32::from_be_bytes),
            Kind::F64 => words(bytes, |w| f64::from_be_bytes(w) as f32),
        }
    }
}

fn words<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|w| number(*w)).collect()
}

/// An IDX file whose header has been read and held against the file's length.
struct IdxFile {
    path: PathBuf,
    content: Content,
    kind: Kind,
    dims: Vec<usize>,
    header: Vec<u8>,
    n_bytes: usize,
}

/// Where the values come from.
enum Content {
    Plain(File),
    #[cfg(feature = "gzip")]
    Gzip(Vec<u8>),
}

/// The most dimensions that are read.
const MAX_DIMS: usize = 8;

impl IdxFile {
    /// Reads the header. No more memory is asked for later than the file's length can account for.
    fn open(path: &Path) -> Result<IdxFile, DataError> {
        let mut file = File::open(path).map_err(|e| read::failed(path, e))?;
        let on_disk = file.metadata().map_err(|e| read::failed(path, e))?.len();
        let mut header = vec![0; 4 + 4 * MAX_DIMS];
        let got = fill_from(&mut file, &mut header).map_err(|e| read::failed(path, e))?;
        if got == 0 {
            return Err(DataError::Empty { path: path.into() });
        }
        let (content, limit);
        if read::is_gzip(&header) {
            (content, limit) = gzip(path, &mut header)?;
        } else {
            header.truncate(got);
            // The length is compared below, before any memory is asked for.
            (content, limit) = (Content::Plain(file), u64::MAX);
        }
        let (kind, dims, n_bytes) = parse_header(path, &header, limit)?;
        header.truncate(4 + 4 * dims.len());
        let idx = IdxFile { path: path.into(), content, kind, dims, header, n_bytes };
        if matches!(idx.content, Content::Plain(_)) {
            idx.check_length(on_disk)?;
        }
        Ok(idx)
    }

    /// Reads the values to `out` (`n_bytes` long).
    #[cfg_attr(not(feature = "gzip"), allow(unused_variables))] // only gzip files have copies in the cache
    fn fill(self, out: &mut [u8], cache: Option<&Path>) -> Result<(), DataError> {
        match &self.content {
            Content::Plain(file) => {
                let mut file = file;
                let start = std::io::SeekFrom::Start(self.header.len() as u64);
                let seek = std::io::Seek::seek(&mut file, start);
                let read = seek.and_then(|_| fill_from(&mut file, out));
                let got = read.map_err(|e| read::failed(&self.path, e))?;
                self.check_length((self.header.len() + got) as u64)
            }
            #[cfg(feature = "gzip")]
            Content::Gzip(bytes) => {
                let mut header = vec![0; self.header.len()];
                let slot = Slot::new(cache, bytes);
                if slot.as_ref().is_some_and(|slot| slot.load(&mut header, out)) {
                    return Ok(());
                }
                let mut gunzip = Gunzip::new(&self.path, bytes);
                let got = gunzip.fill(&mut header)? + gunzip.fill(out)?;
                // Asking for one byte more verifies the trailer, and that there is no more.
                let more = gunzip.read(&mut [0])?;
                self.check_length((got + more) as u64)?;
                if let Some(slot) = slot {
                    slot.store(&header, out);
                }
                Ok(())
            }
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self.content, Content::Plain(_))
    }

    /// Bytes of the values as they are held.
    fn held_bytes(&self) -> usize {
        let n = self.dims.iter().fold(1usize, |n, d| n.saturating_mul(*d));
        n.saturating_mul(if self.kind == Kind::U8 { 1 } else { size_of::<f32>() })
    }

    /// Gives the values of a plain file to `rows`, a few whole rows at a time.
    fn rows(&self, mut rows: impl FnMut(Numbers) -> Result<(), DataError>) -> Result<(), DataError> {
        let failed = |e| read::failed(&self.path, e);
        let mut file = File::open(&self.path).map_err(failed)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(self.header.len() as u64)).map_err(failed)?;
        let row = self.n_bytes / self.dims[0].max(1);
        let at_a_time = (AT_A_TIME / row.max(1)).max(1) * row;
        let mut left = self.n_bytes;
        while left > 0 {
            let mut bytes = vec![0; at_a_time.min(left)];
            left -= bytes.len();
            let got = fill_from(&mut file, &mut bytes).map_err(failed)?;
            if got < bytes.len() {
                return self
                    .check_length((self.header.len() + self.n_bytes - left - bytes.len() + got) as u64);
            }
            rows(if self.kind == Kind::U8 {
                Numbers::U8(bytes)
            } else {
                Numbers::F32(self.kind.numbers(&bytes))
            })?;
        }
        Ok(())
    }

    fn check_length(&self, got: u64) -> Result<(), DataError> {
        let expected = (self.header.len() + self.n_bytes) as u64;
        let (what, path) = ("the idx content".to_string(), self.path.clone());
        match got.cmp(&expected) {
            std::cmp::Ordering::Less => Err(DataError::Truncated { what, expected, got, path }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(DataError::TooLong { what, expected, got, path }),
        }
    }
}

/// The content of a gzip file and the most bytes that it can hold; decodes the header.
#[cfg(feature = "gzip")]
fn gzip(path: &Path, header: &mut Vec<u8>) -> Result<(Content, u64), DataError> {
    let bytes = read::raw(path)?;
    let mut gunzip = Gunzip::new(path, &bytes);
    let limit = gunzip.limit();
    let got = gunzip.fill(header)?;
    header.truncate(got);
    Ok((Content::Gzip(bytes), limit))
}

#[cfg(not(feature = "gzip"))]
fn gzip(path: &Path, _: &mut Vec<u8>) -> Result<(Content, u64), DataError> {
    Err(read::no_gzip(path))
}

/// Type, dimensions and bytes of the values; `limit` is the most that the file can hold.
fn parse_header(path: &Path, header: &[u8], limit: u64) -> Result<(Kind, Vec<usize>, usize), DataError> {
    let magic = || {
        let got = header.iter().take(4).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        let expected = "00 00, a type 08 to 0e and the number of dimensions".into();
        DataError::WrongMagic { format: "idx", expected, got, path: path.into() }
    };
    let &[0, 0, code, n_dims, ref rest @ ..] = header else { return Err(magic()) };
    let (kind, size) = Kind::from_code(code).ok_or_else(magic)?;
    let n_dims = usize::from(n_dims);
    if n_dims == 0 || n_dims > MAX_DIMS {
        return Err(magic());
    }
    if rest.len() < 4 * n_dims {
        let (expected, got) = (4 + 4 * n_dims as u64, header.len() as u64);
        return Err(DataError::Truncated { what: "the idx header".into(), expected, got, path: path.into() });
    }
    let dims: Vec<usize> =
        rest.as_chunks::<4>().0[..n_dims].iter().map(|d| u32::from_be_bytes(*d) as usize).collect();
    let n_bytes = dims.iter().try_fold(size, |n, d| n.checked_mul(*d));
    match n_bytes.filter(|n| *n as u64 <= limit) {
        Some(n_bytes) => Ok((kind, dims, n_bytes)),
        None => {
            let reason = format!("dimensions {dims:?} are more than the file can hold");
            Err(DataError::Header { format: "idx", reason, path: path.into() })
        }
    }
}

/// Reads until `out` is full or the file ends.
fn fill_from(file: &mut impl Read, out: &mut [u8]) -> std::io::Result<usize> {
    let mut at = 0;
    while at < out.len() {
        match file.read(&mut out[at..]) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(at)
}
