//! Files that Zstandard compressed.

use std::path::Path;

use ruzstd::decoding::StreamingDecoder;

use super::{DataError, read};

/// Bytes that are decoded at once.
const STEP: usize = 1 << 20;

/// The bytes of a file of one or more frames.
///
/// # Errors
/// [`DataError::Damaged`] or [`CacheError::TooMuchMemory`](crate::CacheError::TooMuchMemory).
pub(crate) fn decoded(bytes: &[u8], path: &Path) -> Result<Vec<u8>, DataError> {
    let mut input = bytes;
    let mut out = Vec::new();
    while !input.is_empty() {
        frame(&mut input, &mut out, usize::MAX, path)?;
    }
    Ok(out)
}

/// Decodes the frame at the beginning of `input` onto `out`, which may become `limit` bytes long.
pub(crate) fn frame(
    input: &mut &[u8],
    out: &mut Vec<u8>,
    limit: usize,
    path: &Path,
) -> Result<(), DataError> {
    use std::io::Read;
    let damaged = |reason: String| DataError::Damaged { reason: reason.to_lowercase(), path: path.into() };
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = input {
        // a frame to be skipped
        let len = 8 + u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        *input = input.get(len..).ok_or_else(|| damaged("the last frame is cut off".into()))?;
        return Ok(());
    }
    let mut decoder = StreamingDecoder::new(&mut *input).map_err(|e| damaged(e.to_string()))?;
    loop {
        let at = out.len();
        read::room(at + STEP, path)?;
        out.resize(at + STEP, 0);
        let n = decoder.read(&mut out[at..]).map_err(|e| damaged(e.to_string()))?;
        out.truncate(at + n);
        if out.len() > limit {
            return Err(damaged(format!("it holds more than the {limit} bytes that it promises")));
        }
        if n == 0 {
            return Ok(());
        }
    }
}
