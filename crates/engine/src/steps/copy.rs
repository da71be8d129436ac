//! A copy with strides: transposing, repeating, cutting.

use super::{Memory, Run, Span, StepKernel};
use kernels::permute::copy_strided;

/// `out[i…] = x[start + Σ i·stride]`
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// sizes of the result, of one row of the batch where it has rows
    pub sizes: Vec<usize>,
    /// whether it has rows
    pub batched: bool,
    /// elements of `x` from one index to the next, for each axis
    pub strides: Vec<usize>,
    /// the first element
    pub start: usize,
    /// what is copied
    pub x: Span,
    /// the result
    pub out: Span,
}

impl StepKernel for Copy {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("copy {:?}", self.sizes)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x], out) = at.io([self.x], self.out, memory.arena);
        let rows = if self.batched { at.rows() } else { 1 };
        if !out.is_empty() {
            copy_strided(rows, &self.sizes, &self.strides, &x[self.start..], out);
        }
    }
}
