//! Blocks placed side by side in longer rows: concatenation and padding.

use super::{Extent, Memory, Run, Span, StepKernel};

/// Blocks of `inner` elements, `outer` of them, from `out_start` in rows of `out_stride`
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// blocks
    pub outer: Extent,
    /// elements of a block
    pub inner: usize,
    /// elements of a row of the result
    pub out_stride: usize,
    /// where in it a block starts
    pub out_start: usize,
    /// whether the rest becomes 0
    pub zero: bool,
    /// the blocks
    pub x: Span,
    /// the result
    pub out: Span,
}

impl StepKernel for Place {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("place rows of {}", self.inner)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x], out) = at.io([self.x], self.out, memory.arena);
        if self.zero {
            out.fill(0.0);
        }
        for o in 0..self.outer.of(at.rows()) {
            let to = &mut out[o * self.out_stride + self.out_start..][..self.inner];
            to.copy_from_slice(&x[o * self.inner..][..self.inner]);
        }
    }
}
