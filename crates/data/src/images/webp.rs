//! WebP, with and without loss; the first picture of an animation.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::exif::Orientation;
use super::picture::{Decoded, Image, MOST_BYTES, Picture, Seen, check_size, is_foreign, one_line};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let told = |e: DecodingError| match e {
        DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "ends too early".to_string()
        }
        e => format!("damaged: {}", one_line(&e.to_string())),
    };
    if let [_, _, _, _, a, b, c, d, ..] = *bytes
        && u64::from(u32::from_le_bytes([a, b, c, d])) + 8 > bytes.len() as u64
    {
        return Err("ends too early".into());
    }
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(told)?;
    decoder.set_memory_limit(MOST_BYTES);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    check_size(height, width, 4)?;
    let mut pixels = vec![0; height * width * samples];
    decoder.read_image(&mut pixels).map_err(told)?;
    let (picture, transparent) = Picture::on_white([height, width, samples], pixels);
    let several = decoder.is_animated() && decoder.num_frames() > 1;
    // what else the file tells takes nothing from its pixels
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    let profile = is_foreign(decoder.icc_profile().ok().flatten().as_deref());
    let seen = Seen { several, transparent, profile, ..Seen::default() };
    Ok(Decoded::upright(Image::Bytes(picture), Orientation::of(exif.as_deref(), xmp.as_deref()), seen))
}
