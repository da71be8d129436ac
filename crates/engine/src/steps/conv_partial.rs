//! The weight gradient of a convolution.

use super::conv::{conv_flops, images_of};
use super::{Memory, Run, Span, StepKernel, Target};
use kernels::conv::Conv;

/// `Σ x·dy` over the images
#[derive(Clone, Debug, PartialEq)]
pub struct ConvPartial {
    /// its sizes
    pub conv: Conv,
    /// the images
    pub x: Span,
    /// the gradients of the results
    pub dy: Span,
    /// the gradient, or its sums for each shard
    pub out: Target,
}

impl StepKernel for ConvPartial {
    fn reads(&self) -> Vec<Span> {
        vec![self.x, self.dy]
    }

    fn writes(&self) -> Vec<Span> {
        self.out.whole().into_iter().collect()
    }

    fn describe(&self) -> String {
        let [kh, kw] = self.conv.kernel;
        let sizes = [kh, kw, self.conv.input[2] / self.conv.groups, self.conv.output[2]];
        format!("conv weight {sizes:?}{}", self.out.text())
    }

    fn flops(&self, batch: usize) -> u64 {
        conv_flops(&self.conv, images_of(&self.conv, self.x.len.of(batch)))
    }

    fn scratch_len(&self, rows: usize) -> usize {
        let images = self.conv.scratch_len(images_of(&self.conv, self.x.len.of(rows)));
        match self.out {
            Target::Whole(_) => padded_sums(&self.conv) + images,
            Target::Shards(_) => images,
        }
    }

    fn run(&self, at: &Run, memory: Memory) {
        let conv = &self.conv;
        let [a, b] = [conv.input, conv.output].map(|sizes| sizes.iter().product::<usize>());
        let floats = &mut memory.scratch.floats;
        match self.out {
            Target::Whole(out) => {
                let ([x, dy], dw) = at.io([self.x, self.dy], out, memory.arena);
                let (sums, rest) = floats.split_at_mut(padded_sums(conv));
                let sums = &mut sums[..conv.sums_len()];
                conv.weight_gradient(images_of(conv, x.len()), x, dy, sums, false, rest);
                conv.gradient_of_sums(sums, dw);
            }
            Target::Shards(out) => {
                let [x, dy] = [self.x, self.dy].map(|s| at.read(s, memory.arena));
                at.each_shard(out, images_of(conv, x.len()), memory.partial, |dw, images| {
                    let (x, dy) =
                        (&x[images.start * a..images.end * a], &dy[images.start * b..images.end * b]);
                    conv.weight_gradient(images.len(), x, dy, dw, at.chunk.resume, floats);
                });
            }
        }
    }
}

/// Elements for the sums, in whole cache lines.
fn padded_sums(conv: &Conv) -> usize {
    conv.sums_len().next_multiple_of(16)
}
