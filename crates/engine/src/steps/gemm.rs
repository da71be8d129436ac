//! A matrix product and what follows it.

use super::{Extent, Memory, Run, Span, StepKernel, Tail, times};
use kernels::gemm::{Mat, Term, gemm, scratch_len};

/// A matrix in a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    /// its elements
    pub span: Span,
    /// elements from one row to the next
    pub row_stride: usize,
    /// elements from one column to the next
    pub col_stride: usize,
}

/// `out = tail(a·b)` with `a: [m, k]` and `b: [k, n]`
#[derive(Clone, Debug, PartialEq)]
pub struct Gemm {
    /// rows
    pub m: Extent,
    /// columns
    pub n: usize,
    /// terms of each sum
    pub k: usize,
    /// left factor
    pub a: Factor,
    /// right factor
    pub b: Factor,
    /// the product
    pub out: Span,
    /// what follows it
    pub tail: Tail,
}

impl StepKernel for Gemm {
    fn reads(&self) -> Vec<Span> {
        [self.a.span, self.b.span].into_iter().chain(self.tail.reads()).collect()
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("gemm [{}, {}] k {}{}", self.m.text(), self.n, self.k, self.tail.text())
    }

    fn flops(&self, batch: usize) -> u64 {
        product_flops(self.m.of(batch), self.n, self.k)
    }

    fn scratch_len(&self, rows: usize) -> usize {
        scratch_len(self.m.of(rows), self.n, self.k)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([a, b], epilogue, out) =
            at.tailed([self.a.span, self.b.span], self.out, self.tail, memory.arena);
        let mat = |f: Factor, data| Mat { data, row_stride: f.row_stride, col_stride: f.col_stride };
        let part = Term { a: mat(self.a, a), b: mat(self.b, b), k: self.k };
        let m = self.m.of(at.rows());
        gemm(m, self.n, out, self.n, &[part], false, epilogue, &mut memory.scratch.floats);
    }
}

/// Operations of a product `[m, k]·[k, n]`: a multiplication and an addition for each of its terms.
pub(crate) fn product_flops(m: usize, n: usize, k: usize) -> u64 {
    times(&[2, m, n, k])
}
