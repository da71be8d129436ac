//! The input gradient of a convolution and what follows it.

use super::conv::conv_flops;
use super::{Extent, Memory, Run, Span, StepKernel, Tail};
use kernels::conv::Conv as Geometry;

/// `out = tail(wᵀ * x)`: the input gradient of a convolution, or the transposed convolution
#[derive(Clone, Debug, PartialEq)]
pub struct ConvInput {
    /// its sizes
    pub conv: Geometry,
    /// how many images
    pub images: Extent,
    /// the gradients
    pub x: Span,
    /// the weights, prepared where the convolution wants that
    pub w: Span,
    /// the result
    pub out: Span,
    /// what follows it
    pub tail: Tail,
}

impl StepKernel for ConvInput {
    fn reads(&self) -> Vec<Span> {
        [self.x, self.w].into_iter().chain(self.tail.reads()).collect()
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("conv input {:?} ← {:?}{}", self.conv.input, self.conv.output, self.tail.text())
    }

    fn flops(&self, batch: usize) -> u64 {
        conv_flops(&self.conv, self.images.of(batch))
    }

    fn scratch_len(&self, rows: usize) -> usize {
        self.conv.scratch_len(self.images.of(rows))
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x, w], tail, out) = at.tailed([self.x, self.w], self.out, self.tail, memory.arena);
        let images = self.images.of(at.rows());
        self.conv.input_gradient(images, x, w, out, tail, &mut memory.scratch.floats);
    }
}
