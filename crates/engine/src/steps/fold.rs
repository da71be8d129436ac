//! A sum or maximum over the middle axis.

use super::{Extent, Memory, Run, Span, StepKernel};
use kernels::fold::fold_middle;
use kernels::map::Fold;

/// `[outer, mid, inner] → [outer, inner]`
#[derive(Clone, Debug, PartialEq)]
pub struct FoldMiddle {
    /// sum or maximum
    pub fold: Fold,
    /// elements before the axis
    pub outer: Extent,
    /// elements along it
    pub mid: usize,
    /// elements behind it
    pub inner: usize,
    /// what is folded
    pub x: Span,
    /// the result
    pub out: Span,
}

impl StepKernel for FoldMiddle {
    fn reads(&self) -> Vec<Span> {
        vec![self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("fold [{}, {}, {}]", self.outer.text(), self.mid, self.inner)
    }

    fn flops(&self, batch: usize) -> u64 {
        self.x.elements(batch)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x], out) = at.io([self.x], self.out, memory.arena);
        fold_middle(self.fold, [self.outer.of(at.rows()), self.mid, self.inner], x, out);
    }
}
