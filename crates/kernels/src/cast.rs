//! Bytes of a file as the numbers that they are.

/// Little-endian bytes as numbers where they lie; none where they do not begin at a place for numbers, are not a whole
/// number of them, or where the machine has the other order of bytes.
pub fn floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: any four bytes are an f32, and `align_to` gives only what is aligned as numbers.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (cfg!(target_endian = "little") && before.is_empty() && after.is_empty()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_numbers_where_they_are_aligned() {
        let numbers = [1.5f32, -0.0, f32::MAX, f32::NAN];
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).chain([0; 8]).collect();
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        // one of four neighboring places is aligned
        let aligned = (0..4).find(|at| bytes[*at..].as_ptr().addr().is_multiple_of(4)).unwrap_or(0);
        let mut moved = vec![0u8; bytes.len() + 4];
        let at = (0..4).find(|at| moved[*at..].as_ptr().addr().is_multiple_of(4)).unwrap_or(0);
        moved[at..at + 16].copy_from_slice(&bytes[..16]);
        if cfg!(target_endian = "little") {
            assert_eq!(floats(&moved[at..at + 16]).map(bits), Some(bits(&numbers)));
        }
        assert_eq!(floats(&moved[at..at + 15]), None);
        assert_eq!(floats(&bytes[aligned + 1..aligned + 17]), None);
    }
}
