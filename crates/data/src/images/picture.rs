//! One image file's bytes as pixels, whatever format its first bytes tell.

use super::exif::Orientation;
use super::resize::fit;
use super::sample::Sample;
use super::{bmp, gif, jpeg, png, tiff, webp};
use crate::Fit;

/// Pixels `[height, width, channels]`: bytes, or numbers where bytes would lose levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture<T = u8> {
    pub height: usize,
    pub width: usize,
    /// 1 (gray) or 3.
    pub channels: usize,
    pub pixels: Vec<T>,
}

/// A picture of either kind. A byte `b` stands for the number `b / 255`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Image {
    Bytes(Picture),
    Numbers(Picture<f32>),
}

/// What a file holds besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Only the first of several pictures was read.
    pub several: bool,
    /// More levels than bytes can tell.
    pub deep: bool,
    /// Transparent parts were laid on white.
    pub transparent: bool,
    /// It was turned or mirrored as its tag says.
    pub turned: bool,
    /// It has a color profile that is not sRGB's.
    pub profile: bool,
    /// Its numbers have fractions and are taken as they are.
    pub fractions: bool,
}

/// A file's picture, upright.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decoded {
    pub image: Image,
    pub seen: Seen,
}

/// Facts that can be told of a file.
pub(super) const N_FACTS: usize = 6;

impl Seen {
    /// All of it, in the order of the notes.
    pub fn facts(self) -> [bool; N_FACTS] {
        [self.several, self.deep, self.transparent, self.turned, self.profile, self.fractions]
    }
}

/// The largest height or width of a file; larger ones are taken for damage.
const MOST: usize = 1 << 14;
/// The most bytes that a decoder may take for the pixels of one file.
pub(super) const MOST_BYTES: usize = 1 << 30;

/// Kinds of files that are known and not read: where a mark stands, the mark, and the kind.
const NOT_READ: [(usize, &[u8], &str); 16] = [
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (128, b"DICM", "DICOM"),
    (0, b"8BPS", "PSD"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
    (0, b"\0\0\x01\0", "ICO"),
];

/// Decodes a file; the error says why it cannot be read, in a few words.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    match bytes {
        [] => Err("empty".into()),
        [0xff, 0xd8, ..] => jpeg::decode(bytes),
        [0x89, b'P', b'N', b'G', ..] => png::decode(bytes),
        [b'G', b'I', b'F', b'8', ..] => gif::decode(bytes),
        [b'B', b'M', ..] => bmp::decode(bytes),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => tiff::decode(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp::decode(bytes),
        _ => match unread_kind(bytes) {
            Some(kind) => Err(format!("{kind}, which cannot be read")),
            None => {
                let start: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
                Err(format!("no known image, begins with {}", start.join(" ")))
            }
        },
    }
}

/// The kind of an image that is not read, where the beginning of a file tells one.
fn unread_kind(start: &[u8]) -> Option<&'static str> {
    let found =
        NOT_READ.iter().find(|(at, mark, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    let portable = || matches!(start, [b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..]);
    found.map(|(_, _, kind)| *kind).or_else(|| portable().then_some("PNM"))
}

/// Whether a file's beginning is that of an image, read or not.
pub(super) fn looks_like_image(start: &[u8]) -> bool {
    let read: [&[u8]; 5] = [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*"];
    let bitmap = || start.starts_with(b"BM") && matches!(start.get(14..18), Some([12..=124, 0, 0, 0]));
    let webp = || start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    let unread = || unread_kind(start).is_some_and(|kind| !["XML", "PDF", "PNM", "JPEG XL"].contains(&kind));
    read.iter().any(|mark| start.starts_with(mark)) || bitmap() || webp() || unread()
}

/// Whether pixels of `bytes` each may be decoded.
///
/// # Errors
/// A side, or all of it, is larger than any picture is taken to be.
pub(super) fn check_size(height: usize, width: usize, bytes: usize) -> Result<(), String> {
    match height.saturating_mul(width).saturating_mul(bytes) {
        0 => Err("damaged: a picture without pixels".into()),
        _ if height > MOST || width > MOST => {
            Err(format!("{height} x {width} pixels, more than {MOST} x {MOST}"))
        }
        n if n > MOST_BYTES => {
            Err(format!("{height} x {width} pixels take {n} bytes, more than {MOST_BYTES}"))
        }
        _ => Ok(()),
    }
}

/// Whether a color profile says anything but sRGB.
pub(super) fn is_foreign(profile: Option<&[u8]>) -> bool {
    let named = |profile: &[u8]| {
        let has = |name: &[u8]| profile.windows(name.len()).any(|part| part == name);
        has(b"sRGB") || has(b"s\0R\0G\0B") || has(b"c2ci")
    };
    profile.is_some_and(|profile| !profile.is_empty() && !named(profile))
}

impl<T: Sample> Picture<T> {
    /// From pixels of `samples` each: gray or color, behind them perhaps an opacity, which is laid on white. Tells
    /// whether any was not opaque.
    pub fn on_white([height, width, samples]: [usize; 3], pixels: Vec<T>) -> (Picture<T>, bool) {
        let channels = if samples < 3 { 1 } else { 3 };
        if samples == channels {
            return (Picture { height, width, channels, pixels }, false);
        }
        let mut transparent = false;
        let mut out = Vec::with_capacity(height * width * channels);
        for pixel in pixels.chunks_exact(samples) {
            let (colors, opacity) = (&pixel[..channels], pixel[channels]);
            transparent |= opacity != T::WHITE;
            out.extend(colors.iter().map(|c| T::on_white(*c, opacity)));
        }
        (Picture { height, width, channels, pixels: out }, transparent)
    }

    /// The picture as gray (1 channel) or colors (3).
    fn with_channels(self, channels: usize) -> Picture<T> {
        let pixels = match (self.channels, channels) {
            (1, 3) => self.pixels.iter().flat_map(|g| [*g; 3]).collect(),
            (3, 1) => self.pixels.as_chunks::<3>().0.iter().map(T::luma).collect(),
            _ => return self,
        };
        Picture { channels, pixels, ..self }
    }
}

impl Image {
    /// Whether bytes would lose levels.
    pub fn is_deep(&self) -> bool {
        matches!(self, Image::Numbers(_))
    }

    /// Height, width, channels.
    pub fn shape(&self) -> [usize; 3] {
        match self {
            Image::Bytes(p) => [p.height, p.width, p.channels],
            Image::Numbers(p) => [p.height, p.width, p.channels],
        }
    }

    /// As gray (1 channel) or colors (3).
    pub fn with_channels(self, channels: usize) -> Image {
        match self {
            Image::Bytes(picture) => Image::Bytes(picture.with_channels(channels)),
            Image::Numbers(picture) => Image::Numbers(picture.with_channels(channels)),
        }
    }

    /// Brought to a height and width.
    pub fn fit(&self, size: [usize; 2], how: Fit) -> Image {
        match self {
            Image::Bytes(picture) => Image::Bytes(fit(picture, size, how)),
            Image::Numbers(picture) => Image::Numbers(fit(picture, size, how)),
        }
    }

    /// Writes the pixels as bytes, or, where there are four bytes for each, as numbers (f32, little-endian).
    pub fn write(&self, out: &mut [u8]) {
        let numbers = |out: &mut [u8], pixels: &mut dyn Iterator<Item = f32>| {
            out.as_chunks_mut::<4>().0.iter_mut().zip(pixels).for_each(|(o, x)| *o = x.to_le_bytes());
        };
        match self {
            Image::Bytes(picture) if picture.pixels.len() == out.len() => {
                out.copy_from_slice(&picture.pixels)
            }
            Image::Bytes(picture) => numbers(out, &mut picture.pixels.iter().map(|b| f32::from(*b) / 255.0)),
            Image::Numbers(picture) => numbers(out, &mut picture.pixels.iter().copied()),
        }
    }
}

impl Decoded {
    /// A picture that is turned upright; `seen` is what else was found.
    pub fn upright(image: Image, orientation: Orientation, seen: Seen) -> Decoded {
        let seen = Seen { turned: orientation.turns(), deep: image.is_deep(), ..seen };
        let image = match image {
            image if !seen.turned => image,
            Image::Bytes(picture) => Image::Bytes(orientation.apply(&picture)),
            Image::Numbers(picture) => Image::Numbers(orientation.apply(&picture)),
        };
        Decoded { image, seen }
    }
}

/// A decoder's words in the house's form: lower case, one line, no full stop.
pub(super) fn one_line(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // the PNG decoder shows its own type: only the chunk's name says something
    if let Some((head, (chunk, tail))) = text
        .split_once("ChunkType { type: ")
        .and_then(|(head, rest)| Some((head, (rest.split_once(',')?.0, rest.split_once('}')?.1))))
    {
        text = format!("{head}{chunk}{tail}");
    }
    let text = text.trim_matches(|c| c == '.' || c == '"');
    let mut letters = text.chars();
    let second_is_small = text.chars().nth(1).is_some_and(|c| c.is_lowercase());
    match letters.next() {
        Some(first) if second_is_small => first.to_lowercase().chain(letters).collect(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

    /// Files, and how many bytes at their ends say nothing of pixels.
    const FILES: [(&str, usize); 20] = [
        ("images/420.jpg", 0),
        ("images/progressive.jpg", 0),
        ("images/cmyk.jpg", 0),
        // the last chunk of a PNG only says that it ends
        ("images/palette.png", 12),
        ("kinds/depth-12.png", 12),
        ("kinds/lossless.webp", 0),
        ("kinds/lossy.webp", 0),
        ("kinds/moving.webp", 0),
        // the marks by which codes, blocks and the file end
        ("kinds/palette.gif", 5),
        ("kinds/rgb-24.bmp", 1),
        ("kinds/565.bmp", 2),
        ("kinds/runs-8.bmp", 0),
        ("kinds/runs-4.bmp", 0),
        ("kinds/colors-1.bmp", 2),
        ("kinds/lzw.tif", 0),
        ("kinds/palette.tif", 0),
        ("kinds/fax.tif", 0),
        ("kinds/planes.tif", 0),
        // the name of the program that wrote it
        ("kinds/tiles.tif", 24),
        ("kinds/jpeg.tif", 0),
    ];

    #[test]
    fn no_damage_makes_a_panic() {
        for (name, tail) in FILES {
            let file = std::fs::read(format!("{IMAGES}/{name}")).expect("a fixture");
            for at in 0..file.len() {
                for bit in 0..8 {
                    let mut flipped = file.clone();
                    flipped[at] ^= 1 << bit;
                    if let Ok(decoded) = decode(&flipped) {
                        check_pixels(&decoded.image, &format!("{name}: bit {bit} of byte {at}"));
                    }
                }
                assert!(decode(&file[..at]).is_err() || at + tail >= file.len(), "{name} cut at {at}");
            }
        }
    }

    fn check_pixels(image: &Image, what: &str) {
        let n = match image {
            Image::Bytes(picture) => picture.pixels.len(),
            Image::Numbers(picture) => picture.pixels.len(),
        };
        assert_eq!(image.shape().iter().product::<usize>(), n, "{what}");
    }

    #[test]
    fn reasons_are_told_in_our_form() {
        let told = [
            ("Bad Huffman code.", "bad Huffman code"),
            ("CRC error: \n expected", "CRC error: expected"),
            (
                "CRC error in ChunkType { type: IDAT, critical: true, safecopy: false } chunk.",
                "CRC error in IDAT chunk",
            ),
            ("\"No marker\"", "no marker"),
            ("", ""),
        ];
        told.iter().for_each(|(text, form)| assert_eq!(one_line(text), *form));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(check_size(16384, 16384, 4), Ok(()));
        assert!(check_size(16385, 1, 1).is_err() && check_size(16384, 16384, 12).is_err());
        assert!(check_size(0, 5, 1).is_err() && check_size(usize::MAX, 2, 4).is_err());
    }
}
