//! PNG of every kind: palettes and low depths are expanded, 16 bits kept where bytes would lose levels, the first
//! picture of an animation taken.

use std::io::Cursor;

use super::exif::Orientation;
use super::picture::{Decoded, Image, MOST_BYTES, Picture, Seen, check_size, is_foreign, one_line};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MOST_BYTES });
    decoder.set_transformations(png::Transformations::EXPAND);
    let told = |e: png::DecodingError| match e {
        png::DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "ends too early".into()
        }
        e => format!("damaged: {}", one_line(&e.to_string())),
    };
    let mut reader = decoder.read_info().map_err(told)?;
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    let several = info.animation_control.is_some_and(|a| a.num_frames > 1);
    // the decoder takes for granted that there are whole colors, and no more than 256
    if info.palette.as_ref().is_some_and(|p| p.is_empty() || p.len() > 3 * 256 || !p.len().is_multiple_of(3))
    {
        return Err("damaged: a palette that is not a list of 1 to 256 colors".into());
    }
    let (color, depth) = reader.output_color_type();
    let is_deep = depth == png::BitDepth::Sixteen;
    let samples = color.samples();
    let size = samples * if is_deep { 2 } else { 1 };
    check_size(height, width, size)?;
    let mut pixels = vec![0; height * width * size];
    if reader.output_buffer_size() != Some(pixels.len()) {
        return Err("damaged: a picture of another size than the header says".into());
    }
    reader.next_frame(&mut pixels).map_err(told)?;
    let shape = [height, width, samples];
    let (image, transparent) = if is_deep { deep(shape, &pixels)? } else { whole(shape, pixels) };
    // what stands behind the pixels may say how they lie; a fault there takes nothing from them
    let _ = if several { Ok(()) } else { reader.finish() };
    let info = reader.info();
    let profile = info.srgb.is_none() && is_foreign(info.icc_profile.as_deref());
    let xmp =
        info.utf8_text.iter().find(|t| t.keyword == "XML:com.adobe.xmp").and_then(|t| t.get_text().ok());
    let orientation = Orientation::of(info.exif_metadata.as_deref(), xmp.as_deref().map(str::as_bytes));
    Ok(Decoded::upright(image, orientation, Seen { several, transparent, profile, ..Seen::default() }))
}

fn whole(shape: [usize; 3], pixels: Vec<u8>) -> (Image, bool) {
    let (picture, transparent) = Picture::on_white(shape, pixels);
    (Image::Bytes(picture), transparent)
}

/// 16 bits, the high byte first: bytes where both are equal everywhere, since that is how bytes are made 16 bits.
fn deep(shape: [usize; 3], pixels: &[u8]) -> Result<(Image, bool), String> {
    let pairs = pixels.as_chunks::<2>().0;
    if pairs.iter().all(|[high, low]| high == low) {
        return Ok(whole(shape, pairs.iter().map(|[high, _]| *high).collect()));
    }
    check_size(shape[0], shape[1], 4 * shape[2])?;
    let numbers = pairs.iter().map(|pair| f32::from(u16::from_be_bytes(*pair)) / 65535.0).collect();
    let (picture, transparent) = Picture::on_white(shape, numbers);
    Ok((Image::Numbers(picture), transparent))
}
