//! Weights in safetensors files, with PyTorch's names and layouts.
//!
//! This is the border between memory, where the channels of a convolution's weight lie together, and files, where its
//! axes come in PyTorch's order: what a [`Slot`] says of itself is done here, for every file that is written or read.
//!
//! A file is 8 bytes with the header's length, a JSON header with name, type, shape and place of every tensor, then the
//! tensors' bytes. Files are written in the order of the layout, so equal weights give equal bytes.

use engine::graph::{InFile, Layout, Slot};
use kernels::half::half;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

mod taking;

use taking::Fit;
pub use taking::Taking;

/// Why weights cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened or read.
    #[error("cannot read weights: {}: {}", problem(source), path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not a safetensors file, or a damaged one.
    #[error("not a whole safetensors file of {n_bytes} bytes: {source}: {}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Its size.
        n_bytes: usize,
        /// What is wrong.
        source: SafeTensorError,
    },
    /// Its tensors are not those of the model.
    #[error("weights do not fit the model: {mismatch}: {}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every difference.
        mismatch: Mismatch,
        /// What takes all that fits, where that was asked for and something does.
        cure: Option<Taking>,
    },
    /// No tensor's name begins with the prefix.
    #[error("no tensor's name begins with `{prefix}`: {}", path.display())]
    NoPrefix {
        /// The prefix.
        prefix: String,
        /// First parts of the names there are.
        found: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// A pattern that neither a tensor of the model nor one of the file has.
    #[error("no tensor of the model or the file is called `{pattern}`: {}", path.display())]
    Unmatched {
        /// The pattern.
        pattern: String,
        /// The names there are.
        names: Vec<String>,
        /// The file.
        path: PathBuf,
    },
    /// The patterns leave nothing to take.
    #[error("`init_skip` leaves none of the model's {n_tensors} tensors to take: {}", path.display())]
    NothingTaken {
        /// Tensors of the model.
        n_tensors: usize,
        /// The file.
        path: PathBuf,
    },
    /// It holds a number that is none.
    #[error("`{tensor}` holds {value} at {index:?}: {}", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first such tensor.
        tensor: String,
        /// The place of its first such number, in the file's shape.
        index: Vec<usize>,
        /// The number.
        value: f32,
    },
}

impl WeightsError {
    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            WeightsError::Unreadable { path, .. } if path.is_dir() => {
                let best = path.join("checkpoints").join("best.safetensors");
                match best.is_file() {
                    true => format!("name the file: `init_from={}`", best.display()),
                    false => "name a file of weights in it, as `init_from=FOLDER/FILE.safetensors`".into(),
                }
            }
            WeightsError::Unreadable { .. } => "check the path and its permissions".into(),
            WeightsError::Broken { .. } => {
                "copy the file again; PyTorch's `.pt` files are turned into safetensors by `safetensors.torch.save_file`"
                    .into()
            }
            WeightsError::Mismatch { cure: Some(cure), .. } => {
                format!("to take what fits and leave the rest: {}", cure.words())
            }
            WeightsError::Mismatch { .. } => "use the `model` that the weights were saved from".into(),
            WeightsError::NoPrefix { found, .. } => match &found[..] {
                [] => "leave out `init_prefix`".into(),
                found => format!("names begin with {}", some(found)),
            },
            WeightsError::Unmatched { names, .. } => {
                let one = names.first().map_or("*", String::as_str);
                format!("as in `init_skip={one}`; the names are {}", some(names))
            }
            WeightsError::NothingTaken { .. } => "leave out `init_from`, or skip fewer layers".into(),
            WeightsError::NotFinite { .. } => {
                "use weights from before they diverged, or start without weights: `init_from=none`".into()
            }
        }
    }
}

/// The system's words without its number.
fn problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::NotFound => "there is no such file".into(),
        _ => error.to_string().to_lowercase(),
    }
}

/// Every difference between a file's tensors and those wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// Wanted, and not in the file.
    pub missing: Vec<String>,
    /// In the file, and not wanted.
    pub unexpected: Vec<String>,
    /// Name, shape wanted, shape in the file.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Name and type, where that is not a floating-point number of 16, 32 or 64 bits.
    pub types: Vec<(String, String)>,
}

impl Mismatch {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect();
        let shape = |(name, wanted, got): &(String, Vec<usize>, Vec<usize>)| {
            format!("`{name}` is {got:?}, expected {wanted:?}")
        };
        let kind = |(name, kind): &(String, String)| {
            format!("`{name}` is of type {kind}, expected F16, BF16, F32 or F64")
        };
        let parts: [(&str, Vec<String>); 4] = [
            ("missing ", quoted(&self.missing)),
            ("unexpected ", quoted(&self.unexpected)),
            ("", self.shapes.iter().map(shape).collect()),
            ("", self.types.iter().map(kind).collect()),
        ];
        let filled = parts.iter().filter(|(_, texts)| !texts.is_empty());
        f.write_str(
            &filled.map(|(word, texts)| format!("{word}{}", some(texts))).collect::<Vec<_>>().join("; "),
        )
    }
}

/// The first eight, and how many more there are.
fn some(texts: &[String]) -> String {
    let shown = texts.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    match texts.len() {
        0..=8 => shown,
        n => format!("{shown} and {} more", n - 8),
    }
}

/// What was read besides the numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// Taken off the front of every name, such as `model.`; mostly empty.
    pub prefix: String,
    /// Names of tensors that were converted to f32, with their types.
    pub converted: Vec<(String, String)>,
    /// Names of tensors that are none of a model's and were passed over: PyTorch's `num_batches_tracked` and other
    /// counters, the state of an optimizer, running averages of the weights beside the weights.
    pub ignored: Vec<String>,
    /// How many of the model's tensors were taken.
    pub n_taken: usize,
    /// Names of the model's tensors that keep what they had, since they were to be skipped.
    pub kept: Vec<String>,
    /// Names of tensors in the file that were to be left: skipped, or without the prefix.
    pub left: Vec<String>,
}

/// A safetensors file in memory, its header checked.
#[derive(Debug)]
pub struct WeightsFile {
    path: PathBuf,
    bytes: Vec<u8>,
    metadata: BTreeMap<String, String>,
}

/// The header's field that tells of a training state, and what the names of an optimizer's tensors begin with.
pub(crate) const STATE: &str = "thalweg.state";
pub(crate) const OPTIMIZER: &str = "optimizer.";

impl WeightsFile {
    /// Reads a file and checks its header.
    ///
    /// # Errors
    /// When it cannot be read, or is not a whole safetensors file.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|source| WeightsError::Unreadable { path: path.to_owned(), source })?;
        Self::from_bytes(path, bytes)
    }

    /// Checks the header of a file's content; `path` is for messages.
    ///
    /// # Errors
    /// When it is not a whole safetensors file.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, WeightsError> {
        let n_bytes = bytes.len();
        let broken = |source| WeightsError::Broken { path: path.to_owned(), n_bytes, source };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let metadata = header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        Ok(WeightsFile { path: path.to_owned(), bytes, metadata })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The header's text fields.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Name and shape of every tensor, by name.
    ///
    /// # Errors
    /// None after the file was opened.
    pub fn tensors(&self) -> Result<Vec<(String, Vec<usize>)>, WeightsError> {
        Ok(self.views()?.into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect())
    }

    /// Fills flat vectors from the tensors named in their layouts. On an error they keep their values.
    ///
    /// A prefix that all names in the file share is taken off where no name fits otherwise. Counters
    /// (`num_batches_tracked`) are passed over; so are an optimizer's state and running averages of the
    /// weights, where neither is asked for.
    ///
    /// # Errors
    /// Lists every missing or unexpected tensor and every wrong shape or type; names the first weight that is not
    /// finite.
    pub fn load(&self, sets: &mut [(&Layout, &mut [f32])]) -> Result<Matched, WeightsError> {
        match self.take(sets, &Taking::default()) {
            Err(WeightsError::Mismatch { path, mismatch, .. }) => {
                Err(WeightsError::Mismatch { path, mismatch, cure: None })
            }
            done => done,
        }
    }

    /// The same for a part of the file: what a prefix and patterns of names leave must fit.
    ///
    /// # Errors
    /// As for [`WeightsFile::load`], with what would take all that fits; and when the prefix or a pattern fits no name.
    pub fn take(&self, sets: &mut [(&Layout, &mut [f32])], what: &Taking) -> Result<Matched, WeightsError> {
        let views = self.views()?;
        let slots: Vec<(usize, &Slot)> =
            sets.iter().enumerate().flat_map(|(i, (l, _))| l.slots.iter().map(move |s| (i, s))).collect();
        let Fit { matched, mismatch, copies } = self.fit(&views, &slots, what)?;
        if !mismatch.is_empty() {
            let cure = self.cure(&views, &slots, what, &mismatch, matched.n_taken);
            return Err(WeightsError::Mismatch { path: self.path.clone(), mismatch, cure });
        }
        if matched.n_taken == 0 && !slots.is_empty() {
            return Err(WeightsError::NothingTaken { n_tensors: slots.len(), path: self.path.clone() });
        }
        for (_, slot, data, decode) in copies.iter().filter(|(_, slot, ..)| !slot.name.starts_with(OPTIMIZER))
        {
            self.check_finite(slot, data, *decode)?;
        }
        for (set, slot, data, decode) in copies {
            let mut values = vec![0.0; slot.shape.numel()];
            decode(data, &mut values);
            sets[set].1[slot.range()].copy_from_slice(&from_file(slot, values));
        }
        Ok(matched)
    }

    fn check_finite(&self, slot: &Slot, data: &[u8], decode: Decode) -> Result<(), WeightsError> {
        let mut values = vec![0.0; slot.shape.numel()];
        decode(data, &mut values);
        let Some(mut at) = values.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        let (path, tensor, value) = (self.path.clone(), slot.name.clone(), values[at]);
        let mut index: Vec<usize> = Vec::new();
        for size in slot.file_shape().iter().rev() {
            index.insert(0, at % size);
            at /= size;
        }
        Err(WeightsError::NotFinite { path, tensor, index, value })
    }

    fn views(&self) -> Result<BTreeMap<String, TensorView<'_>>, WeightsError> {
        let broken =
            |source| WeightsError::Broken { path: self.path.clone(), n_bytes: self.bytes.len(), source };
        Ok(SafeTensors::deserialize(&self.bytes).map_err(broken)?.tensors().into_iter().collect())
    }
}

/// Reads a file into flat vectors: [`WeightsFile::open`] and [`WeightsFile::load`].
///
/// # Errors
/// When the file cannot be read, is damaged, or its tensors are not those of the layouts.
pub fn read(path: &Path, sets: &mut [(&Layout, &mut [f32])]) -> Result<Matched, WeightsError> {
    WeightsFile::open(path)?.load(sets)
}

/// The elements of a tensor, from a file's order to that of memory.
fn from_file(slot: &Slot, values: Vec<f32>) -> Vec<f32> {
    match kernel_first(slot) {
        Some([kernel, i, o]) => reversed(&values, [o, i, kernel]),
        None => values,
    }
}

/// The elements of a tensor, from the order of memory to a file's.
fn to_file<'v>(slot: &Slot, values: &'v [f32]) -> Cow<'v, [f32]> {
    match kernel_first(slot) {
        Some(sizes) => reversed(values, sizes).into(),
        None => values.into(),
    }
}

/// The axes in memory of a tensor that lies otherwise in files, those of the kernel as one.
fn kernel_first(slot: &Slot) -> Option<[usize; 3]> {
    match (slot.in_file, &slot.shape[..]) {
        (InFile::Conv1d | InFile::Conv2d, [kernel @ .., i, o]) => Some([kernel.iter().product(), *i, *o]),
        _ => None,
    }
}

/// `[a, b, c]` as `[c, b, a]`.
fn reversed(values: &[f32], [a, b, c]: [usize; 3]) -> Vec<f32> {
    let places = (0..c).flat_map(|k| (0..b).flat_map(move |j| (0..a).map(move |i| (i * b + j) * c + k)));
    places.map(|at| values[at]).collect()
}

type Decode = fn(&[u8], &mut [f32]);

/// How to read a tensor into its slot, or what is wrong with it.
fn compare(slot: &Slot, view: &TensorView<'_>, mismatch: &mut Mismatch) -> Option<Decode> {
    let wanted = slot.file_shape();
    if view.shape() != &wanted[..] {
        mismatch.shapes.push((slot.name.clone(), wanted.to_vec(), view.shape().to_vec()));
        return None;
    }
    match view.dtype() {
        Dtype::F32 => Some(|data, out| decode(data, out, f32::from_le_bytes)),
        Dtype::F64 => Some(|data, out| decode(data, out, |b| f64::from_le_bytes(b) as f32)),
        Dtype::BF16 => {
            Some(|data, out| decode(data, out, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)))
        }
        Dtype::F16 => Some(|data, out| decode(data, out, |b| half(u16::from_le_bytes(b)))),
        other => {
            mismatch.types.push((slot.name.clone(), other.to_string()));
            None
        }
    }
}

fn decode<const N: usize>(data: &[u8], out: &mut [f32], one: impl Fn([u8; N]) -> f32) {
    for (bytes, x) in data.as_chunks::<N>().0.iter().zip(out) {
        *x = one(*bytes);
    }
}

/// Writes flat vectors as F32 tensors under the names of their layouts, with text fields for the header; `format: pt`
/// is added, for which some readers ask.
///
/// # Errors
/// When writing fails, or a name occurs twice.
pub fn write(
    to: &mut dyn Write,
    sets: &[(&Layout, &[f32])],
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    let mut fields = metadata.clone();
    fields.entry("format".into()).or_insert_with(|| "pt".into());
    let mut header = format!("{{\"__metadata__\":{}", serde_json::to_string(&fields)?);
    let mut names = BTreeSet::new();
    let mut start = 0;
    for slot in sets.iter().flat_map(|(layout, _)| &layout.slots) {
        if !names.insert(&slot.name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("two tensors are called `{}`", slot.name),
            ));
        }
        let end = start + 4 * slot.shape.numel();
        let (name, shape) = (serde_json::to_string(&slot.name)?, slot.file_shape());
        header +=
            &format!(",{name}:{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}");
        start = end;
    }
    header.push('}');
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    to.write_all(&(header.len() as u64).to_le_bytes())?;
    to.write_all(header.as_bytes())?;
    for (layout, values) in sets {
        for slot in &layout.slots {
            for x in to_file(slot, &values[slot.range()]).chunks(4096) {
                to.write_all(&x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
            }
        }
    }
    Ok(())
}

/// The bytes of a file, see [`write()`].
///
/// # Errors
/// When a name occurs twice.
pub fn to_bytes(sets: &[(&Layout, &[f32])], metadata: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, sets, metadata)?;
    Ok(bytes)
}
