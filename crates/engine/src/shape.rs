//! The shape of a tensor: its sizes, outermost first, row-major.

use std::fmt;
use std::ops::Deref;

/// The most elements of a tensor in a graph, where an axis of size 0 counts as 1: 2⁴⁰, or 4 TiB.
///
/// [`Graph::push`](crate::Graph::push) refuses larger ones. So wherever sizes of a graph are multiplied afterwards — by
/// the bytes of an element, by workers or shards — or places in an arena are added up, 64 bits hold the result.
pub const MAX_ELEMENTS: usize = 1 << 40;

/// Sizes of a tensor, outermost first; `[]` is a single number.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Number of elements, exact up to [`MAX_ELEMENTS`] and beyond; at most `usize::MAX`.
    pub fn numel(&self) -> usize {
        self.iter().fold(1, |n: usize, size| n.saturating_mul(*size))
    }

    /// Whether the tensor and each of its parts have at most [`MAX_ELEMENTS`] elements.
    pub fn is_bounded(&self) -> bool {
        self.iter().fold(1, |n: usize, size| n.saturating_mul((*size).max(1))) <= MAX_ELEMENTS
    }

    /// The last size, 1 for a single number.
    pub fn last_dim(&self) -> usize {
        self.last().copied().unwrap_or(1)
    }

    /// The shape with axis `axis` of size `size`.
    pub fn with(&self, axis: usize, size: usize) -> Shape {
        let mut sizes = self.0.clone();
        sizes[axis] = size;
        Shape(sizes)
    }

    /// Elements of one step along `axis`; at most `usize::MAX`.
    pub fn stride(&self, axis: usize) -> usize {
        self[axis + 1..].iter().fold(1, |n: usize, size| n.saturating_mul(*size))
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Shape(sizes.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Shape(sizes)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Shape(sizes.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_that_do_not_fit_are_not_small_numbers() {
        let wraps = Shape::from([1 << 33, 1 << 32, 3]);
        assert_eq!((wraps.numel(), wraps.stride(0)), (usize::MAX, 3 << 32));
        assert!(!wraps.is_bounded());
        assert!(Shape::from([1 << 20, 1 << 20]).is_bounded());
        assert!(!Shape::from([1 << 20, 1 << 20, 2]).is_bounded());
        // nothing in it, but its rows would be too long
        let empty = Shape::from([0, 1 << 33, 1 << 33]);
        assert_eq!(empty.numel(), 0);
        assert!(!empty.is_bounded());
    }
}
