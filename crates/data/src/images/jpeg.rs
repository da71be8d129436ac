//! Whether a JPEG file has its end: decoders fill what is cut off with grey, and nothing in the pixels tells.
//!
//! Segments are `FF marker`, a length of two bytes that counts itself, content (ITU-T T.81, B.1). A scan's data follow
//! its `SOS` segment; in them `FF` is followed by `00`, a restart marker or more `FF`.

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Whether the segments lead to the end marker, with a scan before it.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
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
