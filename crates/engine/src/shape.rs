//! The shape of a tensor: its sizes, outermost first, row-major.

use std::fmt;
use std::ops::Deref;

/// Sizes of a tensor, outermost first; `[]` is a single number.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.iter().product()
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

    /// Elements of one step along `axis`.
    pub fn stride(&self, axis: usize) -> usize {
        self[axis + 1..].iter().product()
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
