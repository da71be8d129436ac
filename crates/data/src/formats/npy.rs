//! NPY files: one NumPy array, all real number types, C and Fortran order.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. The header is read by hand so that
//! every size in it is held against the length of the file before memory is asked for.

use std::io::Read;
use std::path::Path;

use kernels::half::half;

use super::streamed::AT_A_TIME;
use super::{Format, Reader, arrays};
use crate::precision::{Collapse, collapse};
use crate::{DataError, read};

/// The registry line.
pub const FORMAT: Format = Format {
    name: "npy",
    endings: &[".npy"],
    summary: "a NumPy array, with its targets in a second file (x.npy and y.npy, x_train.npy and y_train.npy)",
    options: &[&["target", "task", "channels"]],
    reader: Reader::Set(arrays::open_file),
};

/// An array in C order.
pub(crate) struct Array {
    pub dims: Vec<usize>,
    pub values: Numbers,
    /// Whether the file held whole numbers or booleans.
    pub whole: bool,
    /// Columns, by their place in a sample, whose different values fall together in f32.
    pub coarse: Vec<(usize, Collapse)>,
}

/// Values of an array.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    F32(Vec<f32>),
    U8(Vec<u8>),
    Text(Vec<String>),
}

/// Reads a `.npy` file, gzip or not.
pub(crate) fn load(path: &Path) -> Result<Array, DataError> {
    let file = std::fs::File::open(path).map_err(|e| read::failed(path, e))?;
    let len = file.metadata().map_err(|e| read::failed(path, e))?.len();
    if len == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    if path.to_string_lossy().to_lowercase().ends_with(".gz") {
        let bytes = read::decoded(path)?;
        return parse(&mut &bytes[..], bytes.len() as u64, path);
    }
    parse(&mut std::io::BufReader::new(file), len, path)
}

/// Reads an array from a stream of `len` bytes.
pub(crate) fn parse(stream: &mut impl Read, len: u64, path: &Path) -> Result<Array, DataError> {
    let (header, header_len) = header(stream, len, path)?;
    let count = count(&header, header_len, len, path)?;
    let fortran = header.fortran && header.dims.len() > 1;
    let value = match header.kind {
        Kind::U1 => 1,
        Kind::Unicode(_) | Kind::Bytes(_) => size_of::<String>().saturating_add(header.kind.size()),
        _ => size_of::<f32>(),
    };
    read::room(count.saturating_mul(value).saturating_mul(1 + usize::from(fortran)), path)?;
    let mut exact = Vec::new();
    let read = match header.kind {
        Kind::Unicode(_) | Kind::Bytes(_) => read_text(stream, &header, count),
        _ => read_values(stream, &header, count, &mut exact),
    };
    let read = read.and_then(|values| read_end(stream).map(|()| values));
    let mut values = read.map_err(|e| stream_error(path, e))?;
    if fortran {
        values = match values {
            Numbers::F32(v) => Numbers::F32(from_fortran(&v, &header.dims)),
            Numbers::U8(v) => Numbers::U8(from_fortran(&v, &header.dims)),
            Numbers::Text(v) => Numbers::Text(from_fortran(&v, &header.dims)),
        };
    }
    let whole = !matches!(header.kind, Kind::F2 | Kind::F4 | Kind::F8);
    let coarse = coarse(&exact, &header.dims, fortran);
    Ok(Array { dims: header.dims, values, whole, coarse })
}

/// The number of values, where the file is as long as they are.
fn count(header: &Header, header_len: u64, len: u64, path: &Path) -> Result<usize, DataError> {
    let count = header.dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let n_bytes = count.and_then(|n| n.checked_mul(header.kind.size()));
    let Some((count, n_bytes)) = count.zip(n_bytes) else {
        return Err(wrong(path, format!("the shape {:?} is larger than any memory", header.dims)));
    };
    let (expected, got) = (header_len.saturating_add(n_bytes as u64), len);
    let (what, path) = ("the npy array".to_string(), path.to_path_buf());
    match got.cmp(&expected) {
        std::cmp::Ordering::Less => Err(DataError::Truncated { what, expected, got, path }),
        std::cmp::Ordering::Equal => Ok(count),
        std::cmp::Ordering::Greater => Err(DataError::TooLong { what, expected, got, path }),
    }
}

/// Opens a plain file to be read row by row: what its header says, and the file where the values begin.
fn begin(path: &Path) -> Result<(Header, std::io::BufReader<std::fs::File>), DataError> {
    let file = std::fs::File::open(path).map_err(|e| read::failed(path, e))?;
    let len = file.metadata().map_err(|e| read::failed(path, e))?.len();
    if len == 0 {
        return Err(DataError::Empty { path: path.into() });
    }
    let mut stream = std::io::BufReader::new(file);
    let (header, header_len) = header(&mut stream, len, path)?;
    count(&header, header_len, len, path)?;
    Ok((header, stream))
}

/// What a plain file holds, without its values: they are read by [`stream`] later. None for text and for the order of
/// Fortran, in which no row is in one piece.
pub(crate) fn look(path: &Path) -> Result<Option<Array>, DataError> {
    let (header, _) = begin(path)?;
    let values = match header.kind {
        Kind::Unicode(_) | Kind::Bytes(_) => return Ok(None),
        _ if header.fortran && header.dims.len() > 1 => return Ok(None),
        Kind::U1 => Numbers::U8(Vec::new()),
        _ => Numbers::F32(Vec::new()),
    };
    let whole = !matches!(header.kind, Kind::F2 | Kind::F4 | Kind::F8);
    Ok(Some(Array { dims: header.dims, values, whole, coarse: Vec::new() }))
}

/// Gives the values of a file that [`look`] knows to `rows`, a few whole rows at a time; gives the columns whose
/// different values fall together.
pub(crate) fn stream(
    path: &Path,
    mut rows: impl FnMut(Numbers) -> Result<(), DataError>,
) -> Result<Vec<(usize, Collapse)>, DataError> {
    let (header, mut stream) = begin(path)?;
    let (n, width) =
        (header.dims.first().copied().unwrap_or(0), header.dims.iter().skip(1).product::<usize>());
    let (row, mut exact) = (width.saturating_mul(header.kind.size()).max(1), Vec::new());
    let at_a_time = (AT_A_TIME / row).max(1);
    for first in (0..n).step_by(at_a_time) {
        let count = at_a_time.min(n - first) * width;
        rows(read_values(&mut stream, &header, count, &mut exact).map_err(|e| stream_error(path, e))?)?;
    }
    Ok(coarse(&exact, &header.dims, false))
}

/// Errors of the stream itself: a damaged archive, or the operating system's.
pub(crate) fn stream_error(path: &Path, error: std::io::Error) -> DataError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | Other | UnexpectedEof => {
            let reason = error.to_string().to_lowercase();
            DataError::Damaged { reason, path: path.into() }
        }
        _ => read::failed(path, error),
    }
}

/// What the header says.
struct Header {
    kind: Kind,
    big_endian: bool,
    fortran: bool,
    dims: Vec<usize>,
}

/// The first values of an array that are looked at for what f32 cannot tell apart.
const LOOKED_AT: usize = 1 << 20;

/// The columns whose different values fall together, from the first values in the order of the file.
fn coarse(exact: &[f64], dims: &[usize], fortran: bool) -> Vec<(usize, Collapse)> {
    let n = dims.first().copied().unwrap_or(1).max(1);
    let width = dims.iter().skip(1).product::<usize>().max(1);
    let column = |c: usize| {
        let (start, step, end) = if fortran { (c * n, 1, (c + 1) * n) } else { (c, width, exact.len()) };
        exact.get(start..end.min(exact.len())).map(|own| own.iter().copied().step_by(step))
    };
    let told = (0..width).map_while(|c| Some((c, column(c)?)));
    told.filter_map(|(c, values)| Some((c, collapse(values)?))).collect()
}

/// Types of numbers, and of text by its length.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    I1,
    I2,
    I4,
    I8,
    U1,
    U2,
    U4,
    U8,
    F2,
    F4,
    F8,
    /// UTF-32, filled up with zeros
    Unicode(usize),
    /// bytes, filled up with zeros
    Bytes(usize),
}

impl Kind {
    fn from_code(code: &str) -> Option<Kind> {
        use Kind::*;
        let codes = [
            ("b1", Bool),
            ("i1", I1),
            ("i2", I2),
            ("i4", I4),
            ("i8", I8),
            ("u1", U1),
            ("u2", U2),
            ("u4", U4),
            ("u8", U8),
            ("f2", F2),
            ("f4", F4),
            ("f8", F8),
        ];
        let length = |letter| code.strip_prefix(letter)?.parse().ok().filter(|n: &usize| *n > 0);
        let number = codes.iter().find(|(name, _)| *name == code).map(|(_, kind)| *kind);
        number.or_else(|| length('U').map(Unicode)).or_else(|| length('S').map(Bytes))
    }

    fn size(self) -> usize {
        match self {
            Kind::Bool | Kind::I1 | Kind::U1 => 1,
            Kind::I2 | Kind::U2 | Kind::F2 => 2,
            Kind::I4 | Kind::U4 | Kind::F4 => 4,
            Kind::I8 | Kind::U8 | Kind::F8 => 8,
            Kind::Unicode(n) => n.saturating_mul(4),
            Kind::Bytes(n) => n,
        }
    }

    /// Appends little-endian bytes as numbers in f64 where f32 may not hold them.
    fn append_exact(self, bytes: &[u8], out: &mut Vec<f64>) {
        match self {
            Kind::I4 => words(bytes, out, |w| i32::from_le_bytes(w).into()),
            Kind::U4 => words(bytes, out, |w| u32::from_le_bytes(w).into()),
            Kind::I8 => words(bytes, out, |w| i64::from_le_bytes(w) as f64),
            Kind::U8 => words(bytes, out, |w| u64::from_le_bytes(w) as f64),
            Kind::F8 => words(bytes, out, f64::from_le_bytes),
            _ => {}
        }
    }

    /// Appends little-endian bytes as numbers.
    fn append(self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Kind::Bool => out.extend(bytes.iter().map(|b| f32::from(u8::from(*b != 0)))),
            Kind::U1 => out.extend(bytes.iter().map(|b| f32::from(*b))),
            Kind::I1 => out.extend(bytes.iter().map(|b| f32::from(b.cast_signed()))),
            Kind::I2 => words(bytes, out, |w| i16::from_le_bytes(w).into()),
            Kind::U2 => words(bytes, out, |w| u16::from_le_bytes(w).into()),
            Kind::F2 => words(bytes, out, |w| half(u16::from_le_bytes(w))),
            Kind::I4 => words(bytes, out, |w| i32::from_le_bytes(w) as f32),
            Kind::U4 => words(bytes, out, |w| u32::from_le_bytes(w) as f32),
            Kind::F4 => words(bytes, out, f32::from_le_bytes),
            Kind::I8 => words(bytes, out, |w| i64::from_le_bytes(w) as f32),
            Kind::U8 => words(bytes, out, |w| u64::from_le_bytes(w) as f32),
            Kind::F8 => words(bytes, out, |w| f64::from_le_bytes(w) as f32),
            Kind::Unicode(_) | Kind::Bytes(_) => {}
        }
    }
}

fn words<T, const N: usize>(bytes: &[u8], out: &mut Vec<T>, number: impl Fn([u8; N]) -> T) {
    out.extend(bytes.as_chunks::<N>().0.iter().map(|w| number(*w)));
}

/// The magic, the version and the dictionary; gives also the length of all that.
fn header(stream: &mut impl Read, len: u64, path: &Path) -> Result<(Header, u64), DataError> {
    let short = |expected| DataError::Truncated {
        what: "the npy header".into(),
        expected,
        got: len,
        path: path.into(),
    };
    let mut start = [0; 8];
    let filled = stream.take(8).read(&mut start).map_err(|e| stream_error(path, e))?;
    if !start.starts_with(b"\x93NUMPY") {
        let got = start[..filled.min(6)].iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        let expected = "93 4e 55 4d 50 59".to_string();
        return Err(DataError::WrongMagic { format: "npy", expected, got, path: path.into() });
    }
    if len < 12 {
        return Err(short(12));
    }
    let mut read = |n: usize| -> Result<Vec<u8>, DataError> {
        let mut bytes = vec![0; n];
        stream.read_exact(&mut bytes).map_err(|e| stream_error(path, e)).map(|()| bytes)
    };
    let (dictionary_len, before) = match start[6] {
        1 => (read(2)?.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b)), 10),
        2 | 3 => (read(4)?.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b)), 12),
        version => return Err(wrong(path, format!("version {version}, expected 1 to 3"))),
    };
    let header_len = before + dictionary_len;
    if header_len > len {
        return Err(short(header_len));
    }
    let text = String::from_utf8_lossy(&read(dictionary_len as usize)?).into_owned();
    Ok((dictionary(&text, path)?, header_len))
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
fn dictionary(text: &str, path: &Path) -> Result<Header, DataError> {
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'")).and_then(|(_, rest)| rest.split_once(':'));
        after.map(|(_, rest)| rest.trim_start()).ok_or_else(|| wrong(path, format!("`{key}` is missing")))
    };
    let descr = value("descr")?;
    let record = || descr.split_once(']').map_or(descr.to_owned(), |(fields, _)| format!("{fields}]"));
    let word = descr.strip_prefix('\'').and_then(|d| d.split_once('\'')).map(|(d, _)| d.to_owned());
    let dtype = word.unwrap_or_else(record);
    let unsupported = || DataError::UnsupportedType { dtype: dtype.trim().into(), path: path.into() };
    let (order, code) = dtype.split_at_checked(1).ok_or_else(unsupported)?;
    let kind = Kind::from_code(code).filter(|_| "<>|=".contains(order)).ok_or_else(unsupported)?;
    let shape = value("shape")?.strip_prefix('(').and_then(|s| s.split_once(')')).map(|(s, _)| s);
    let shape = shape.ok_or_else(|| wrong(path, "`shape` is not a tuple".into()))?;
    let sizes = shape.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse::<usize>);
    let dims =
        sizes.collect::<Result<Vec<_>, _>>().map_err(|_| wrong(path, format!("the shape is ({shape})")))?;
    Ok(Header { kind, big_endian: order == ">", fortran: value("fortran_order")?.starts_with("True"), dims })
}

fn wrong(path: &Path, reason: String) -> DataError {
    DataError::Header { format: "npy", reason, path: path.into() }
}

/// Reads `count` strings.
fn read_text(stream: &mut impl Read, header: &Header, count: usize) -> std::io::Result<Numbers> {
    // a type of any length can be claimed for no strings at all
    let size = if count == 0 { 0 } else { header.kind.size() };
    let (mut out, mut bytes) = (Vec::with_capacity(count), vec![0; size]);
    for _ in 0..count {
        stream.read_exact(&mut bytes)?;
        let text: String = match header.kind {
            Kind::Unicode(_) => {
                let code = |w: &[u8; 4]| match header.big_endian {
                    true => u32::from_be_bytes(*w),
                    false => u32::from_le_bytes(*w),
                };
                bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|w| char::from_u32(code(w)).unwrap_or('\u{fffd}'))
                    .collect()
            }
            _ => match std::str::from_utf8(&bytes) {
                Ok(text) => text.into(),
                // Latin-1, so that different bytes stay different
                Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
            },
        };
        out.push(text.trim_end_matches('\0').into());
    }
    Ok(Numbers::Text(out))
}

/// Reads `count` values block by block, so that the bytes never lie beside the numbers in full. The first of
/// them go to `exact` too, where f32 may not hold them.
fn read_values(
    stream: &mut impl Read,
    header: &Header,
    count: usize,
    exact: &mut Vec<f64>,
) -> std::io::Result<Numbers> {
    if header.kind == Kind::U1 {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes)?;
        return Ok(Numbers::U8(bytes));
    }
    let size = header.kind.size();
    let (mut out, mut block) = (Vec::with_capacity(count), vec![0; 1 << 16]);
    while out.len() < count {
        let n = (block.len() / size).min(count - out.len());
        let bytes = &mut block[..n * size];
        stream.read_exact(bytes)?;
        if header.big_endian {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        header.kind.append(bytes, &mut out);
        if exact.len() < LOOKED_AT {
            header.kind.append_exact(bytes, exact);
        }
    }
    Ok(Numbers::F32(out))
}

/// Asks for the end, which is where an archive compares its checksum.
fn read_end(stream: &mut impl Read) -> std::io::Result<()> {
    stream.read(&mut [0]).map(|_| ())
}

/// Fortran order (first index fastest) to C order (last index fastest).
fn from_fortran<T: Clone>(values: &[T], dims: &[usize]) -> Vec<T> {
    let mut strides = vec![1; dims.len()];
    for d in 1..dims.len() {
        strides[d] = strides[d - 1] * dims[d - 1];
    }
    let mut index = vec![0; dims.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        out.push(values[index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>()].clone());
        for d in (0..dims.len()).rev() {
            index[d] += 1;
            if index[d] < dims[d] {
                break;
            }
            index[d] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fortran_order_is_turned() {
        // [[0, 1, 2], [3, 4, 5]] column by column.
        assert_eq!(from_fortran(&[0, 3, 1, 4, 2, 5], &[2, 3]), [0, 1, 2, 3, 4, 5]);
        let c: Vec<usize> = (0..24).collect();
        let f: Vec<usize> = (0..24).map(|i| (i % 2) * 12 + (i / 2 % 3) * 4 + i / 6).collect();
        assert_eq!(from_fortran(&f, &[2, 3, 4]), c);
    }
}
