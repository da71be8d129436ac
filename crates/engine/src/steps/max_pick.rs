//! The values of an image at the maxima of another.

use super::{Memory, Run, Span, StepKernel};
use kernels::window::{self, Window};

/// `out[o] = v[p(o)]` with `p(o)` the first maximum of `x` in window `o`
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPick {
    /// how the windows lie
    pub window: Window,
    /// channels
    pub channels: usize,
    /// chooses
    pub x: Span,
    /// is picked from; often `x` itself
    pub v: Span,
    /// the result
    pub out: Span,
}

impl StepKernel for MaxPick {
    fn reads(&self) -> Vec<Span> {
        vec![self.x, self.v]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        let [from, to] = [self.window.input, self.window.output];
        format!("max_pool {} to {}", image(from, self.channels), image(to, self.channels))
    }

    fn flops(&self, batch: usize) -> u64 {
        self.x.elements(batch)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x, v], out) = at.io([self.x, self.v], self.out, memory.arena);
        window::pick(&self.window, self.channels, x, v, out);
    }
}

/// Sizes of an image, as plans print them.
pub(super) fn image([height, width]: [usize; 2], channels: usize) -> String {
    format!("{height}x{width}x{channels}")
}
