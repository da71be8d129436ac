//! The first picture of a GIF, in its place on the canvas.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::exif::Orientation;
use super::picture::{Decoded, Image, MOST_BYTES, Picture, Seen, check_size, is_foreign, one_line};

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let told = |e: DecodingError| match e {
        DecodingError::UnexpectedEof => "ends too early".to_string(),
        DecodingError::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => "ends too early".into(),
        e => format!("damaged: {}", one_line(&e.to_string())),
    };
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_lzw_end_code(false);
    options.set_memory_limit(MemoryLimit::Bytes((MOST_BYTES as u64).try_into().map_err(|_| "no memory")?));
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(told)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check_size(height, width, 4)?;
    let global = decoder.global_palette().map(<[u8]>::to_vec);
    let frame = decoder.read_next_frame().map_err(told)?.ok_or("no picture in it")?;
    let palette = frame.palette.clone().or(global).ok_or("damaged: no palette")?;
    let (colors, _) = palette.as_chunks::<3>();
    let gray = colors.iter().all(|[r, g, b]| r == g && g == b);
    let samples = if gray { 2 } else { 4 };
    // what no picture covers is transparent
    let mut pixels = vec![0; height * width * samples];
    let (top, left) = (usize::from(frame.top), usize::from(frame.left));
    let lines = frame.buffer.chunks_exact(usize::from(frame.width).max(1));
    for (line, out) in lines.zip(pixels.chunks_exact_mut(width * samples).skip(top)) {
        for (index, out) in line.iter().zip(out.chunks_exact_mut(samples).skip(left)) {
            if frame.transparent != Some(*index) {
                let color = colors.get(usize::from(*index)).ok_or("damaged: a color outside the palette")?;
                out[..samples - 1].copy_from_slice(&color[..samples - 1]);
                out[samples - 1] = 255;
            }
        }
    }
    let (picture, transparent) = Picture::on_white([height, width, samples], pixels);
    let several = decoder.next_frame_info().is_ok_and(|frame| frame.is_some());
    let profile = is_foreign(decoder.icc_profile());
    let orientation = Orientation::of(None, decoder.xmp_metadata());
    let seen = Seen { several, transparent, profile, ..Seen::default() };
    Ok(Decoded::upright(Image::Bytes(picture), orientation, seen))
}
