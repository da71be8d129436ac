//! One image file's bytes as pixels: PNG of every kind, and JPEG.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::jpeg;

/// A decoded image: `pixels` is `[height, width, channels]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub height: usize,
    pub width: usize,
    /// 1 (grey) or 3.
    pub channels: usize,
    pub pixels: Vec<u8>,
}

/// What was simplified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Simplified {
    /// Only the first picture of an animation was read.
    pub animated: bool,
    /// 16 bits became 8.
    pub deep: bool,
    /// Transparent parts were laid on white.
    pub transparent: bool,
}

/// The largest height or width of a file; larger ones are taken for damage.
const MOST: usize = 1 << 14;

/// Decodes a file; the error says why it cannot be read, in a few words.
pub(super) fn decode(bytes: &[u8]) -> Result<(Picture, Simplified), String> {
    match bytes {
        [] => Err("empty".into()),
        [0xff, 0xd8, ..] => decode_jpeg(bytes).map(|picture| (picture, Simplified::default())),
        [0x89, b'P', b'N', b'G', ..] => decode_png(bytes),
        _ => {
            let start: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
            Err(format!("neither PNG nor JPEG, begins with {}", start.join(" ")))
        }
    }
}

/// Grey stays grey; all others become RGB.
fn decode_jpeg(bytes: &[u8]) -> Result<Picture, String> {
    if !jpeg::is_whole(bytes) {
        return Err("breaks off".into());
    }
    // the limits are checked below, in our words
    let options =
        DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let damaged = |e: zune_jpeg::errors::DecodeErrors| format!("damaged: {}", one_line(&e.to_string()));
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check_size(height, width)?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let colours = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(colours));
    let pixels = decoder.decode().map_err(damaged)?;
    let channels = if grey { 1 } else { 3 };
    match pixels.len() == height * width * channels {
        true => Ok(Picture { height, width, channels, pixels }),
        false => Err("damaged: fewer pixels than its header says".into()),
    }
}

fn check_size(height: usize, width: usize) -> Result<(), String> {
    let fits = height <= MOST && width <= MOST;
    if fits { Ok(()) } else { Err(format!("{height} x {width} pixels, more than {MOST} x {MOST}")) }
}

/// Palettes and low depths are expanded, 16 bits cut to 8, the first picture of an animation taken.
fn decode_png(bytes: &[u8]) -> Result<(Picture, Simplified), String> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: 1 << 30 });
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let told = |e: png::DecodingError| match e {
        png::DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "breaks off".into()
        }
        e => format!("damaged: {}", one_line(&e.to_string())),
    };
    let mut reader = decoder.read_info().map_err(told)?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut simplified = Simplified {
        animated: info.animation_control.is_some_and(|a| a.num_frames > 1),
        deep: info.bit_depth == png::BitDepth::Sixteen,
        transparent: false,
    };
    check_size(height, width)?;
    // the decoder takes for granted that there are whole colors, and no more than 256
    if info.palette.as_ref().is_some_and(|p| p.is_empty() || p.len() > 3 * 256 || !p.len().is_multiple_of(3))
    {
        return Err("damaged: a palette that is no list of 1 to 256 colors".into());
    }
    let (color, _) = reader.output_color_type();
    let samples = color.samples();
    let mut pixels = vec![0; height * width * samples];
    if reader.output_buffer_size() != Some(pixels.len()) {
        return Err("damaged: a picture of another size than the header says".into());
    }
    reader.next_frame(&mut pixels).map_err(told)?;
    if samples % 2 == 0 {
        (pixels, simplified.transparent) = without_alpha(&pixels, samples);
    }
    let channels = if samples < 3 { 1 } else { 3 };
    Ok((Picture { height, width, channels, pixels }, simplified))
}

/// Blends pixels whose last of `samples` is their opacity onto white; tells whether any was not opaque.
fn without_alpha(pixels: &[u8], samples: usize) -> (Vec<u8>, bool) {
    let mut transparent = false;
    let mut out = Vec::with_capacity(pixels.len() / samples * (samples - 1));
    for pixel in pixels.chunks_exact(samples) {
        let (colours, alpha) = (&pixel[..samples - 1], u32::from(pixel[samples - 1]));
        transparent |= alpha < 255;
        out.extend(colours.iter().map(|c| ((u32::from(*c) * alpha + 255 * (255 - alpha) + 127) / 255) as u8));
    }
    (out, transparent)
}

impl Picture {
    /// The picture as grey (1 channel) or colours (3).
    pub fn with_channels(self, channels: usize) -> Picture {
        let pixels = match (self.channels, channels) {
            (1, 3) => self.pixels.iter().flat_map(|g| [*g; 3]).collect(),
            (3, 1) => self.pixels.as_chunks::<3>().0.iter().map(luma).collect(),
            _ => return self,
        };
        Picture { channels, pixels, ..self }
    }
}

/// 0.299 R + 0.587 G + 0.114 B in 16 bits after the point, rounded, as in Pillow.
fn luma([r, g, b]: &[u8; 3]) -> u8 {
    ((u32::from(*r) * 19595 + u32::from(*g) * 38470 + u32::from(*b) * 7471 + 0x8000) >> 16) as u8
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

    const FILES: [&[u8]; 4] = [
        include_bytes!("../../tests/fixtures/images/420.jpg"),
        include_bytes!("../../tests/fixtures/images/progressive.jpg"),
        include_bytes!("../../tests/fixtures/images/cmyk.jpg"),
        include_bytes!("../../tests/fixtures/images/palette.png"),
    ];

    #[test]
    fn no_damage_makes_a_panic() {
        for file in FILES {
            for at in 0..file.len() {
                for bit in 0..8 {
                    let mut flipped = file.to_vec();
                    flipped[at] ^= 1 << bit;
                    if let Ok((picture, _)) = decode(&flipped) {
                        let size = picture.height * picture.width * picture.channels;
                        assert_eq!(picture.pixels.len(), size, "bit {bit} of byte {at}");
                    }
                }
                // The last chunk of a PNG, 12 bytes, only says that it ends.
                assert!(decode(&file[..at]).is_err() || at + 12 >= file.len(), "cut at {at}");
            }
        }
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
}
