//! Products of sizes for the checks in front of `unsafe` code: one that does not fit is the largest number, not a small
//! one, so that no slice is long enough.

/// The product, at most `usize::MAX`. Where it is less, so is every partial product in this order.
pub(crate) fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |n, size| n.saturating_mul(*size))
}

/// Floats from the first row's start to the last row's end: `rows` rows of `len`, `stride` floats apart.
pub(crate) fn span(rows: usize, stride: usize, len: usize) -> usize {
    if rows == 0 { 0 } else { (rows - 1).saturating_mul(stride).saturating_add(len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_the_largest_number() {
        assert_eq!(product(&[1 << 33, 1 << 32, 3]), usize::MAX);
        assert_eq!(product(&[3, 0, usize::MAX]), 0);
        assert_eq!(span(3, 10, 4), 24);
        assert_eq!(span(1 << 33, 1 << 33, 4), usize::MAX);
        assert_eq!(span(0, 5, 4), 0);
    }
}
