//! The weight gradient of a convolution, shard by shard.

use super::conv::conv_flops;
use super::{Memory, Partial, Run, Span, StepKernel};
use kernels::conv::Conv;

/// Per shard `Σ x·dy` over its images
#[derive(Clone, Debug, PartialEq)]
pub struct ConvPartial {
    /// its sizes
    pub conv: Conv,
    /// the images
    pub x: Span,
    /// the gradients of the results
    pub dy: Span,
    /// sums for each shard
    pub out: Partial,
}

impl StepKernel for ConvPartial {
    fn reads(&self) -> Vec<Span> {
        vec![self.x, self.dy]
    }

    fn writes(&self) -> Vec<Span> {
        vec![]
    }

    fn describe(&self) -> String {
        let [kh, kw] = self.conv.kernel;
        let sizes = [kh, kw, self.conv.input[2] / self.conv.groups, self.conv.output[2]];
        format!("conv weight {sizes:?} per shard")
    }

    fn flops(&self, batch: usize) -> usize {
        conv_flops(&self.conv) * batch
    }

    fn scratch_len(&self, rows: usize) -> usize {
        self.conv.scratch_len(rows)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let [x, dy] = [self.x, self.dy].map(|s| at.read(s, memory.arena));
        let [a, b] = [self.conv.input, self.conv.output].map(|sizes| sizes.iter().product::<usize>());
        at.each_shard(self.out, at.rows(), memory.partial, |dw, rows| {
            let (x, dy) = (&x[rows.start * a..rows.end * a], &dy[rows.start * b..rows.end * b]);
            let floats = &mut memory.scratch.floats;
            self.conv.weight_gradient(rows.len(), x, dy, dw, at.chunk.resume, floats);
        });
    }
}
