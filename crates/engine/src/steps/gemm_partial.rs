//! A matrix product that sums over the rows of the batch, shard by shard.

use super::gemm::product_flops;
use super::{Memory, Partial, Run, Span, StepKernel};
use kernels::gemm::{Epilogue, Mat, Term, gemm, scratch_len};

/// Per shard `aᵀ·b` over its rows, with `a: [rows, m]` and `b: [rows, n]`
#[derive(Clone, Debug, PartialEq)]
pub struct GemmPartial {
    /// rows of the result
    pub m: usize,
    /// columns of the result
    pub n: usize,
    /// rows of both factors, for each row of the batch
    pub rows: usize,
    /// left factor
    pub a: Span,
    /// right factor
    pub b: Span,
    /// a product for each shard
    pub out: Partial,
}

impl StepKernel for GemmPartial {
    fn reads(&self) -> Vec<Span> {
        vec![self.a, self.b]
    }

    fn writes(&self) -> Vec<Span> {
        vec![]
    }

    fn describe(&self) -> String {
        format!("gemm [{}, {}] per shard", self.m, self.n)
    }

    fn flops(&self, batch: usize) -> u64 {
        product_flops(self.m, self.n, self.rows.saturating_mul(batch))
    }

    fn scratch_len(&self, rows: usize) -> usize {
        scratch_len(self.m, self.n, self.rows * rows)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let (m, n) = (self.m, self.n);
        let [a, b] = [self.a, self.b].map(|s| at.read(s, memory.arena));
        at.each_shard(self.out, self.rows * at.rows(), memory.partial, |out, rows| {
            let a = Mat { data: &a[rows.start * m..], row_stride: 1, col_stride: m };
            let b = Mat { data: &b[rows.start * n..], row_stride: n, col_stride: 1 };
            let part = Term { a, b, k: rows.len() };
            let resume = at.chunk.resume;
            gemm(m, n, out, n, &[part], resume, Epilogue::default(), &mut memory.scratch.floats);
        });
    }
}
