//! Values spread to the maxima of an image.

use super::max_pick::image;
use super::{Memory, Run, Span, StepKernel};
use kernels::window::{self, Window};

/// `out[p(o)] += dy[o]` with `p(o)` the first maximum of `x` in window `o`, else 0
#[derive(Clone, Debug, PartialEq)]
pub struct MaxSpread {
    /// how the windows lie
    pub window: Window,
    /// channels
    pub channels: usize,
    /// chooses
    pub x: Span,
    /// a value for each window
    pub dy: Span,
    /// the result, as large as `x`
    pub out: Span,
}

impl StepKernel for MaxSpread {
    fn reads(&self) -> Vec<Span> {
        vec![self.x, self.dy]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        let [from, to] = [self.window.output, self.window.input];
        format!("max_spread {} to {}", image(from, self.channels), image(to, self.channels))
    }

    fn flops(&self, batch: usize) -> u64 {
        self.x.elements(batch)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([x, dy], out) = at.io([self.x, self.dy], self.out, memory.arena);
        window::spread(&self.window, self.channels, x, dy, out);
    }
}
