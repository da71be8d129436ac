//! A convolution's weights as one of its directions wants them, once for all chunks.

use super::{Memory, Run, Span, StepKernel};
use kernels::conv::{Conv, Direction};

/// `out = points(w)`
#[derive(Clone, Debug, PartialEq)]
pub struct Prepare {
    /// the convolution
    pub conv: Conv,
    /// forward, or to the input's gradient
    pub direction: Direction,
    /// the weights
    pub w: Span,
    /// their values at the points
    pub out: Span,
}

impl StepKernel for Prepare {
    fn reads(&self) -> Vec<Span> {
        vec![self.w]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("weights {:?} at points", self.conv.kernel)
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        self.conv.scratch_len(1)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([w], out) = at.io([self.w], self.out, memory.arena);
        self.conv.prepare(self.direction, w, out, &mut memory.scratch.floats);
    }
}
