//! How a picture is to be turned: the orientation of Exif (tag 274 of the first directory), or of XMP where there is
//! none, and how it is done.
//!
//! Exif is a small TIFF file: two letters for the order of bytes, 42, the place of the first directory; a directory is
//! the number of its entries, and 12 bytes for each: tag, type, count, value or place (TIFF 6.0, section 2).

use super::picture::Picture;

const ORIENTATION: u16 = 274;

/// One of the eight ways in which a picture may lie (Exif 2.32, 4.6.4); 1 is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    pub const UPRIGHT: Orientation = Orientation(1);

    /// What Exif says, else XMP, as Pillow has it.
    pub fn of(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
        let exif = exif.map(|e| e.strip_prefix(b"Exif\0\0").unwrap_or(e));
        let told = exif.and_then(|e| value(e, ORIENTATION)).or_else(|| xmp.and_then(of_xmp));
        told.and_then(|n| u8::try_from(n).ok())
            .filter(|n| (1..=8).contains(n))
            .map_or(Self::UPRIGHT, Orientation)
    }

    /// Whether anything is to be done.
    pub fn turns(self) -> bool {
        self != Self::UPRIGHT
    }

    /// The picture upright.
    pub fn apply<T: Copy>(self, picture: &Picture<T>) -> Picture<T> {
        let Picture { height, width, channels, .. } = *picture;
        // where the upright picture's rows and columns come from
        let across = self.0 >= 5;
        let (from_below, from_right) = (matches!(self.0, 3 | 4 | 6 | 7), matches!(self.0, 2 | 3 | 7 | 8));
        let [rows, columns] = if across { [width, height] } else { [height, width] };
        let mut pixels = Vec::with_capacity(picture.pixels.len());
        for y in 0..rows {
            for x in 0..columns {
                let (row, column) = if across { (x, y) } else { (y, x) };
                let row = if from_below { height - 1 - row } else { row };
                let column = if from_right { width - 1 - column } else { column };
                let at = (row * width + column) * channels;
                pixels.extend_from_slice(&picture.pixels[at..at + channels]);
            }
        }
        Picture { height: rows, width: columns, channels, pixels }
    }
}

/// The first value of an entry of type SHORT or LONG in the first directory of a TIFF file.
pub(super) fn value(tiff: &[u8], tag: u16) -> Option<u32> {
    let little = is_little(tiff)?;
    let at = entry(tiff, tag)?;
    match number(two(tiff, at + 2)?, little) {
        3 => Some(number(two(tiff, at + 8)?, little).into()),
        4 => four(tiff, at + 8, little),
        _ => None,
    }
}

/// Where the 12 bytes of an entry are in the first directory of a classic TIFF file.
pub(super) fn entry(tiff: &[u8], tag: u16) -> Option<usize> {
    let little = is_little(tiff)?;
    entries(tiff, little)?.find(|at| two(tiff, *at).is_some_and(|found| number(found, little) == tag))
}

/// Whether no entry of the first directory claims more values than the file has bytes.
pub(super) fn counts_fit(tiff: &[u8]) -> bool {
    let count = |at: usize, little| four(tiff, at + 4, little).is_some_and(|n| n as usize <= tiff.len());
    let fit = |little| entries(tiff, little).is_none_or(|mut all| all.all(|at| count(at, little)));
    is_little(tiff).is_none_or(fit)
}

/// Where all whole entries of the first directory are.
fn entries(tiff: &[u8], little: bool) -> Option<impl Iterator<Item = usize>> {
    let (place, len) = (four(tiff, 4, little)? as usize, tiff.len());
    let n = number(two(tiff, place)?, little);
    let places = (0..usize::from(n)).map(move |i| place.saturating_add(2 + 12 * i));
    Some(places.take_while(move |at| at.saturating_add(12) <= len))
}

/// The order of bytes; none for what is no classic TIFF file.
fn is_little(tiff: &[u8]) -> Option<bool> {
    match tiff {
        [b'I', b'I', 42, 0, ..] => Some(true),
        [b'M', b'M', 0, 42, ..] => Some(false),
        _ => None,
    }
}

fn two(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn four(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk()?;
    Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
}

fn number(bytes: [u8; 2], little: bool) -> u16 {
    if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
}

/// `tiff:Orientation="6"`, or `<tiff:Orientation>6</…`
fn of_xmp(xmp: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"tiff:Orientation";
    let at = xmp.windows(NAME.len()).position(|part| part == NAME)? + NAME.len();
    match xmp.get(at..)? {
        [b'=', b'"', digit @ b'1'..=b'8', ..] | [b'>', digit @ b'1'..=b'8', ..] => {
            Some(u32::from(digit - b'0'))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_tags_turn_nothing() {
        let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        assert_eq!(Orientation::of(Some(&exif), None), Orientation(6));
        (0..exif.len() - 4).for_each(|at| {
            let told = Orientation::of(Some(&exif[..at]), None);
            assert!(told == Orientation::UPRIGHT || at >= 22, "cut at {at}");
        });
        exif[19] = 9;
        assert_eq!(Orientation::of(Some(&exif), None), Orientation::UPRIGHT);
        exif[4] = 0xff;
        assert_eq!(Orientation::of(Some(&exif), Some(b"<tiff:Orientation>3</")), Orientation(3));
        assert_eq!(Orientation::of(None, Some(b"tiff:Orientation=\"8\"")), Orientation(8));
        assert_eq!(Orientation::of(None, Some(b"tiff:Orientation=\"")), Orientation::UPRIGHT);
    }
}
