//! BMP: palettes of 1, 2, 4 and 8 bits, plain or run-length encoded, 16, 24 and 32 bits with masks or without.
//!
//! `BM`, sizes, the place of the pixels at byte 10; a header whose length stands at byte 14 (12 for OS/2, else 40 and
//! more); masks or a palette; rows from the bottom up (from the top where the height is negative), each a multiple of
//! four bytes. Values of fewer than 8 bits become `v · 255 / largest`, rounded down, as in Pillow, whose pixels these
//! are; the crates for it misread rows with padding, or bring a library of images with them.

use super::exif::Orientation;
use super::picture::{Decoded, Image, Picture, Seen, check_size};

const CUT: &str = "ends too early";

/// What stands before the pixels.
struct Header {
    height: usize,
    width: usize,
    top_down: bool,
    bits: usize,
    compression: u32,
    /// Bytes of the header behind the first 14.
    len: usize,
    n_colors: usize,
    /// Where the pixels begin.
    start: usize,
}

const PLAIN: u32 = 0;
const RUNS_OF_8: u32 = 1;
const RUNS_OF_4: u32 = 2;
const MASKS: [u32; 2] = [3, 6];

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let header = Header::new(bytes)?;
    check_size(header.height, header.width, 4)?;
    let (picture, transparent) = match header.bits {
        1 | 2 | 4 | 8 => (indexed(bytes, &header)?, false),
        16 | 24 | 32 if header.compression == PLAIN || MASKS.contains(&header.compression) => {
            direct(bytes, &header)?
        }
        bits => {
            return Err(format!(
                "a BMP of {bits} bits and compression {}, which cannot be read",
                header.compression
            ));
        }
    };
    let seen = Seen { transparent, ..Seen::default() };
    Ok(Decoded::upright(Image::Bytes(picture), Orientation::UPRIGHT, seen))
}

fn word(bytes: &[u8], at: usize) -> Result<u32, String> {
    let four = bytes.get(at..).and_then(|b| b.first_chunk()).ok_or(CUT)?;
    Ok(u32::from_le_bytes(*four))
}

fn half(bytes: &[u8], at: usize) -> Result<u16, String> {
    let two = bytes.get(at..).and_then(|b| b.first_chunk()).ok_or(CUT)?;
    Ok(u16::from_le_bytes(*two))
}

impl Header {
    fn new(bytes: &[u8]) -> Result<Header, String> {
        let (start, len) = (word(bytes, 10)? as usize, word(bytes, 14)? as usize);
        let [width, height, bits, compression, n_colors] = match len {
            12 => [half(bytes, 18)?.into(), half(bytes, 20)?.into(), half(bytes, 24)?.into(), PLAIN, 0],
            40..=256 => {
                let places = [18, 22, 28, 30, 46];
                let [width, height, bits, compression, n_colors] = places.map(|at| word(bytes, at));
                [width?, height?, bits? & 0xffff, compression?, n_colors?]
            }
            _ => return Err(format!("damaged: a header of {len} bytes")),
        };
        let top_down = len > 12 && height.cast_signed() < 0;
        let height = if top_down { height.cast_signed().unsigned_abs() } else { height } as usize;
        let (width, bits, n_colors) = (width as usize, bits as usize, n_colors as usize);
        Ok(Header { height, width, top_down, bits, compression, len, n_colors, start })
    }

    /// Bytes of a row that is not encoded.
    fn row(&self) -> usize {
        (self.width * self.bits).div_ceil(32) * 4
    }

    /// The rows of the picture from the top down, if all are there.
    fn rows<'a>(&self, bytes: &'a [u8]) -> Result<impl Iterator<Item = &'a [u8]>, String> {
        let row = self.row();
        // the last row may lack what fills it up
        let needed = self.start + row * (self.height - 1) + (self.width * self.bits).div_ceil(8);
        if needed > bytes.len() {
            return Err(CUT.into());
        }
        let (height, top_down, start) = (self.height, self.top_down, self.start);
        Ok((0..height).map(move |y| {
            let at = start + row * if top_down { y } else { height - 1 - y };
            &bytes[at..(at + row).min(bytes.len())]
        }))
    }
}

/// Indices of a palette. Shades of gray make a gray picture.
fn indexed(bytes: &[u8], header: &Header) -> Result<Picture, String> {
    let (at, size) = (14 + header.len, if header.len == 12 { 3 } else { 4 });
    let n = if (1..=256).contains(&header.n_colors) { header.n_colors } else { 1 << header.bits };
    let end = (at + n * size).min(header.start).min(bytes.len());
    let palette: Vec<[u8; 3]> =
        bytes.get(at..end).unwrap_or_default().chunks_exact(size).map(|c| [c[2], c[1], c[0]]).collect();
    if palette.is_empty() {
        return Err("damaged: no palette".into());
    }
    let indices = match header.compression {
        PLAIN => unpacked(bytes, header)?,
        RUNS_OF_8 if header.bits == 8 => runs(bytes, header)?,
        RUNS_OF_4 if header.bits == 4 => runs(bytes, header)?,
        other => {
            return Err(format!(
                "a BMP of {} bits and compression {other}, which cannot be read",
                header.bits
            ));
        }
    };
    let color = |index: &u8| palette.get(usize::from(*index)).copied().unwrap_or_default();
    let gray = palette.iter().all(|[r, g, b]| r == g && g == b);
    let pixels = match gray {
        true => indices.iter().map(|i| color(i)[0]).collect(),
        false => indices.iter().flat_map(color).collect(),
    };
    Ok(Picture { height: header.height, width: header.width, channels: if gray { 1 } else { 3 }, pixels })
}

/// Indices of a row, the first in the highest bits.
fn unpacked(bytes: &[u8], header: &Header) -> Result<Vec<u8>, String> {
    let (bits, a_byte) = (header.bits, 8 / header.bits);
    let mut indices = Vec::with_capacity(header.height * header.width);
    for row in header.rows(bytes)? {
        let index = |x: usize| row[x / a_byte] >> (8 - bits * (x % a_byte + 1)) & (0xff >> (8 - bits));
        indices.extend((0..header.width).map(index));
    }
    Ok(indices)
}

/// Indices of runs: a count and what is repeated; or 0 and what comes: 0 the next row, 1 the end, 2 a step, else as
/// many indices as they are, filled up to a whole number of 16 bits. What is stepped over is 0.
fn runs(bytes: &[u8], header: &Header) -> Result<Vec<u8>, String> {
    let (width, height) = (header.width, header.height);
    let mut indices = vec![0; width * height];
    let (mut x, mut y) = (0, 0);
    let mut rest = bytes.get(header.start..).ok_or(CUT)?;
    let mut put = |x: &mut usize, y: usize, index: u8| {
        if *x < width && y < height {
            indices[(height - 1 - y) * width + *x] = index;
        }
        *x += 1;
    };
    let nibble = |byte: u8, i: usize| if i.is_multiple_of(2) { byte >> 4 } else { byte & 15 };
    let is_small = header.bits == 4;
    while y < height {
        let [count, what, after @ ..] = rest else { return Err(CUT.into()) };
        rest = after;
        match (*count, *what) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => break,
            (0, 2) => {
                let [right, up, after @ ..] = rest else { return Err(CUT.into()) };
                (x, y, rest) = (x + usize::from(*right), y + usize::from(*up), after);
            }
            (0, n) => {
                let n = usize::from(n);
                let len = if is_small { n.div_ceil(2) } else { n };
                let (plain, after) = rest.split_at_checked(len).ok_or(CUT)?;
                rest = after.get(len % 2..).unwrap_or_default();
                (0..n)
                    .for_each(|i| put(&mut x, y, if is_small { nibble(plain[i / 2], i) } else { plain[i] }));
            }
            (n, what) => {
                (0..usize::from(n))
                    .for_each(|i| put(&mut x, y, if is_small { nibble(what, i) } else { what }));
            }
        }
    }
    Ok(indices)
}

/// Pixels of 2, 3 or 4 bytes; tells whether any is transparent.
fn direct(bytes: &[u8], header: &Header) -> Result<(Picture, bool), String> {
    let masks = header.masks(bytes)?;
    let size = header.bits / 8;
    let samples = if masks[3] == 0 { 3 } else { 4 };
    let mut pixels = Vec::with_capacity(header.height * header.width * samples);
    for row in header.rows(bytes)? {
        for pixel in row.chunks_exact(size).take(header.width) {
            let value = pixel.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
            pixels.extend(masks[..samples].iter().map(|mask| scaled(value, *mask)));
        }
    }
    // some programs name an opacity and leave it 0 everywhere
    if samples == 4 && pixels.chunks_exact(4).all(|p| p[3] == 0) {
        pixels.chunks_exact_mut(4).for_each(|p| p[3] = 255);
    }
    Ok(Picture::on_white([header.height, header.width, samples], pixels))
}

impl Header {
    /// Which bits are red, green, blue and opacity.
    fn masks(&self, bytes: &[u8]) -> Result<[u32; 4], String> {
        if !MASKS.contains(&self.compression) {
            let [red, green, blue] =
                if self.bits == 16 { [0x7c00, 0x3e0, 0x1f] } else { [0xff_0000, 0xff00, 0xff] };
            return Ok([red, green, blue, 0]);
        }
        let opacity = if self.len >= 56 || self.compression == MASKS[1] { word(bytes, 66)? } else { 0 };
        Ok([word(bytes, 54)?, word(bytes, 58)?, word(bytes, 62)?, opacity])
    }
}

/// The bits of a mask, as a byte.
fn scaled(value: u32, mask: u32) -> u8 {
    let shift = mask.trailing_zeros().min(31);
    let (value, largest) = (u64::from((value & mask) >> shift), u64::from(mask >> shift));
    (value * 255 / largest.max(1)) as u8
}
