//! JPEG, gray or color, CMYK and YCCK included. A file without its end is told: decoders fill what is cut off with
//! gray, and nothing in the pixels tells.
//!
//! Segments are `FF marker`, a length of two bytes that counts itself, content (ITU-T T.81, B.1). A scan's data follow
//! its `SOS` segment; in them `FF` is followed by `00`, a restart marker or more `FF`.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::exif::Orientation;
use super::picture::{Decoded, Image, Picture, Seen, check_size, is_foreign, one_line};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Gray stays gray; all others become RGB.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    if !is_whole(bytes) {
        return Err("ends too early".into());
    }
    // the limits are checked below, in our words
    let options =
        DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let damaged = |e: zune_jpeg::errors::DecodeErrors| format!("damaged: {}", one_line(&e.to_string()));
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (colors, channels) = if gray { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    check_size(height, width, channels)?;
    decoder.set_options(options.jpeg_set_out_colorspace(colors));
    let pixels = decoder.decode().map_err(damaged)?;
    if pixels.len() != height * width * channels {
        return Err("damaged: fewer pixels than its header says".into());
    }
    let profile = is_foreign(decoder.icc_profile().as_deref());
    let orientation = Orientation::of(decoder.exif().map(Vec::as_slice), decoder.xmp().map(Vec::as_slice));
    let image = Image::Bytes(Picture { height, width, channels, pixels });
    Ok(Decoded::upright(image, orientation, Seen { profile, ..Seen::default() }))
}

/// Whether the segments lead to the end marker, with a scan before it.
fn is_whole(bytes: &[u8]) -> bool {
    let (mut at, mut scanned) = (2, false);
    while let Some((marker, after)) = next_marker(bytes, at) {
        match marker {
            END => return scanned,
            START | 0x01 | 0xd0..=0xd7 => at = after,
            _ => {
                let Some([high, low]) = bytes.get(after..).and_then(|b| b.first_chunk()) else {
                    return false;
                };
                at = after + usize::from(u16::from_be_bytes([*high, *low])).max(2);
                scanned |= marker == SCAN;
            }
        }
    }
    false
}

/// The next marker from `at` on that is not part of a scan's data, and where its content begins.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == 0xff)?;
        at += bytes[at..].iter().position(|b| *b != 0xff)?;
        match bytes[at] {
            0 | 0xd0..=0xd7 => at += 1,
            marker => return Some((marker, at + 1)),
        }
    }
}
