//! The first picture of a TIFF file: gray, colors, palettes, inks, with 1 to 64 bits a sample, whole numbers or not.

use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::exif::{Orientation, counts_fit, entry, value};
use super::picture::{Decoded, Image, MOST_BYTES, Picture, Seen, check_size, is_foreign, one_line};
use super::sample::Sample;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// Tag and values of what pixels mean.
const MEANING: u16 = 262;
const BLACK_IS_ZERO: u8 = 1;
const PALETTE: u32 = 3;

/// What kind of picture the first one is; the lowest bit says that it is a small copy of another.
const KIND: u16 = 254;
/// The version of Adobe's format for what a camera's sensor saw.
const DNG_VERSION: u16 = 50706;

/// Samples of all pixels, side by side.
enum Samples {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let small_copy = value(bytes, KIND).is_some_and(|kind| kind & 1 == 1);
    if small_copy || entry(bytes, DNG_VERSION).is_some() || bytes.get(8..10) == Some(b"CR") {
        return Err("raw data of a camera, which cannot be read".into());
    }
    if !counts_fit(bytes) {
        return Err("damaged: a tag of more values than the file has bytes".into());
    }
    match value(bytes, MEANING) {
        // the decoder knows no palettes: the indices are read as gray
        Some(PALETTE) => {
            let mut changed = bytes.to_vec();
            let at = entry(bytes, MEANING).map_or(0, |at| at + 8) + usize::from(bytes[0] == b'M');
            changed[at] = BLACK_IS_ZERO;
            read(&changed, true)
        }
        _ => read(bytes, false),
    }
}

fn read(bytes: &[u8], palette: bool) -> Result<Decoded, String> {
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (MOST_BYTES, MOST_BYTES);
    let mut reader = Decoder::new(Cursor::new(bytes)).map_err(told)?.with_limits(limits);
    let (width, height) = reader.dimensions().map_err(told)?;
    let (width, height) = (width as usize, height as usize);
    let color = reader.colortype().map_err(told)?;
    let n = usize::from(color.num_samples());
    // in memory every sample takes at least a byte, and numbers take four
    check_size(height, width, n * if color.bit_depth() > 8 { 4 } else { 1 })?;
    let mut result = DecodingResult::U8(Vec::new());
    let layout = reader.read_image_to_buffer(&mut result).map_err(told)?;
    let fractions =
        matches!(result, DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_));
    let samples = samples(result, &layout, [height, width, n], (color.bit_depth(), palette))?;
    let shape = [height, width, n];
    let (image, transparent) = match samples {
        Samples::Bytes(pixels) if palette => (colored(&mut reader, shape, &pixels)?, false),
        Samples::Numbers(_) if palette => return Err("damaged: a palette of more than 256 colors".into()),
        Samples::Bytes(pixels) => {
            let (picture, transparent) = meant(&mut reader, color, shape, pixels)?;
            (Image::Bytes(picture), transparent)
        }
        Samples::Numbers(pixels) => {
            let (picture, transparent) = meant(&mut reader, color, shape, pixels)?;
            (Image::Numbers(picture), transparent)
        }
    };
    let profile = is_foreign(reader.get_tag_u8_vec(Tag::IccProfile).ok().as_deref());
    let seen = Seen { several: reader.more_images(), transparent, profile, fractions, ..Seen::default() };
    Ok(Decoded::upright(image, Orientation::of(Some(bytes), None), seen))
}

fn told(error: tiff::TiffError) -> String {
    match error {
        tiff::TiffError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "ends too early".into()
        }
        tiff::TiffError::UnsupportedError(e) => {
            format!("a TIFF that cannot be read: {}", one_line(&e.to_string()))
        }
        e => format!("damaged: {}", one_line(&e.to_string())),
    }
}

/// Samples as bytes where they have at most 8 bits or are bytes made wider, else as numbers: whole ones as parts of the
/// largest, others as they are.
fn samples(
    result: DecodingResult,
    layout: &BufferLayoutPreference,
    [height, width, n]: [usize; 3],
    (bits, palette): (u8, bool),
) -> Result<Samples, String> {
    let planes = layout.planes;
    let size = height * width * n;
    let parts = |values: &mut dyn Iterator<Item = f64>, largest: f64| {
        Samples::Numbers(values.map(|v| (v / largest) as f32).collect())
    };
    let samples = match result {
        DecodingResult::U8(packed) if bits < 8 => {
            let row = layout.row_stride.map_or(1, usize::from);
            Samples::Bytes(unpacked(&packed, row, [width * n / planes, size], (bits, palette)))
        }
        DecodingResult::U8(values) => Samples::Bytes(values),
        DecodingResult::U16(values) if bits < 16 => {
            return Err(format!("a TIFF of {bits} bits, {}", values.len()));
        }
        DecodingResult::U16(values) if values.iter().all(|v| v >> 8 == v & 0xff) => {
            Samples::Bytes(values.iter().map(|v| (v >> 8) as u8).collect())
        }
        DecodingResult::U16(values) => {
            Samples::Numbers(values.iter().map(|v| f32::from(*v) / 65535.0).collect())
        }
        DecodingResult::U32(values) => parts(&mut values.iter().map(|v| f64::from(*v)), f64::from(u32::MAX)),
        DecodingResult::U64(values) => parts(&mut values.iter().map(|v| *v as f64), u64::MAX as f64),
        DecodingResult::I8(values) => parts(&mut values.iter().map(|v| f64::from(*v)), f64::from(i8::MAX)),
        DecodingResult::I16(values) => parts(&mut values.iter().map(|v| f64::from(*v)), f64::from(i16::MAX)),
        DecodingResult::I32(values) => parts(&mut values.iter().map(|v| f64::from(*v)), f64::from(i32::MAX)),
        DecodingResult::I64(values) => parts(&mut values.iter().map(|v| *v as f64), i64::MAX as f64),
        DecodingResult::F16(values) => Samples::Numbers(values.iter().map(|v| v.to_f32()).collect()),
        DecodingResult::F32(values) => Samples::Numbers(values),
        DecodingResult::F64(values) => parts(&mut values.iter().copied(), 1.0),
    };
    let samples = match samples {
        Samples::Bytes(values) => Samples::Bytes(side_by_side(values, planes)),
        Samples::Numbers(values) => Samples::Numbers(side_by_side(values, planes)),
    };
    let len = match &samples {
        Samples::Bytes(values) => values.len(),
        Samples::Numbers(values) => values.len(),
    };
    if len == size {
        Ok(samples)
    } else {
        Err("damaged: a picture of another size than the header says".into())
    }
}

/// Planes that lie one behind the other, with the samples of a pixel together.
fn side_by_side<T: Sample>(values: Vec<T>, planes: usize) -> Vec<T> {
    let size = values.len() / planes.max(1);
    if planes < 2 || size * planes != values.len() {
        return values;
    }
    (0..size).flat_map(|i| (0..planes).map(move |p| p * size + i)).map(|i| values[i]).collect()
}

/// Samples of few bits, the first of a row in the highest ones; spread over 0 to 255 where they are no indices.
fn unpacked(packed: &[u8], row: usize, [a_row, size]: [usize; 2], (bits, palette): (u8, bool)) -> Vec<u8> {
    let (bits, mask) = (usize::from(bits), 0xff_u16 >> (8 - bits));
    let spread = if palette { 1 } else { 255 / mask };
    let mut out = Vec::with_capacity(size);
    for row in packed.chunks_exact(row.max(1)) {
        let sample = |i: usize| {
            let at = i * bits;
            let two = |at: usize| u16::from(row.get(at).copied().unwrap_or(0));
            let window = two(at / 8) << 8 | two(at / 8 + 1);
            ((window >> (16 - at % 8 - bits)) & mask) * spread
        };
        out.extend((0..a_row).map(|i| sample(i) as u8));
    }
    out
}

/// Colors of a palette: all reds, greens and blues, of 16 bits each.
fn colored(reader: &mut Reader, [height, width, n]: [usize; 3], indices: &[u8]) -> Result<Image, String> {
    let map = reader.get_tag_u16_vec(Tag::ColorMap).map_err(told)?;
    let n_colors = map.len() / 3;
    if n != 1 || n_colors == 0 {
        return Err("damaged: no palette".into());
    }
    let color = |i: &u8| {
        let i = usize::from(*i);
        [0, 1, 2].map(|c| if i < n_colors { (map[c * n_colors + i] >> 8) as u8 } else { 0 })
    };
    let gray = (0..n_colors).all(|i| [map[n_colors + i], map[2 * n_colors + i]] == [map[i]; 2]);
    let pixels = match gray {
        true => indices.iter().map(|i| color(i)[0]).collect(),
        false => indices.iter().flat_map(color).collect(),
    };
    Ok(Image::Bytes(Picture { height, width, channels: if gray { 1 } else { 3 }, pixels }))
}

/// Samples as gray or red, green and blue; tells whether any was not opaque.
fn meant<T: Sample>(
    reader: &mut Reader,
    color: ColorType,
    [height, width, n]: [usize; 3],
    mut pixels: Vec<T>,
) -> Result<(Picture<T>, bool), String> {
    // what the samples behind the colors are: 1 an opacity that colors are multiplied by, 2 an opacity
    let extra = reader.get_tag_u16_vec(Tag::ExtraSamples).unwrap_or_default();
    let multiplied = extra.first() == Some(&1);
    match color {
        ColorType::Gray(_) | ColorType::RGB(_) => {}
        ColorType::GrayA(_) | ColorType::RGBA(_) => {}
        ColorType::Multiband { num_samples: 2, .. } if matches!(extra[..], [1 | 2]) => {}
        ColorType::CMYK(_) => {
            let rgb = |p: &[T]| [0, 1, 2].map(|i| T::from_ink(p[i], p[3]));
            pixels = pixels.chunks_exact(4).flat_map(rgb).collect();
            return Ok((Picture { height, width, channels: 3, pixels }, false));
        }
        ColorType::YCbCr(8) => {
            pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|p| *p = T::from_ycc(p));
        }
        other => return Err(format!("a TIFF of {other:?}, which cannot be read").to_lowercase()),
    }
    if multiplied && n % 2 == 0 {
        let transparent = pixels.chunks_exact(n).any(|p| p[n - 1] != T::WHITE);
        let kept = |p: &[T]| -> Vec<T> { p[..n - 1].iter().map(|c| T::laid(*c, p[n - 1])).collect() };
        pixels = pixels.chunks_exact(n).flat_map(kept).collect();
        return Ok((Picture { height, width, channels: n - 1, pixels }, transparent));
    }
    Ok(Picture::on_white([height, width, n], pixels))
}
