//! A convolution of images and what follows it.

use super::{Extent, Memory, Run, Span, StepKernel, Tail, times};
use kernels::conv::Conv as Geometry;

/// `out = tail(x * w)`
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// its sizes
    pub conv: Geometry,
    /// how many images
    pub images: Extent,
    /// the images
    pub x: Span,
    /// the weights, prepared where the convolution wants that
    pub w: Span,
    /// the result
    pub out: Span,
    /// what follows it
    pub tail: Tail,
}

impl StepKernel for Conv {
    fn reads(&self) -> Vec<Span> {
        [self.x, self.w].into_iter().chain(self.tail.reads()).collect()
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("conv {:?} → {:?}{}", self.conv.input, self.conv.output, self.tail.text())
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
        self.conv.forward(images, x, w, out, tail, &mut memory.scratch.floats);
    }
}

/// Images in `floats` elements.
pub(crate) fn images_of(conv: &Geometry, floats: usize) -> usize {
    floats.checked_div(conv.input.iter().product()).unwrap_or(0)
}

/// Operations of a convolution, or of one of its gradients, for this many images; taps in the padding count.
pub(crate) fn conv_flops(conv: &Geometry, images: usize) -> u64 {
    let ([oh, ow, o], [kh, kw]) = (conv.output, conv.kernel);
    times(&[2, oh, ow, o, kh, kw, conv.input[2] / conv.groups, images])
}
