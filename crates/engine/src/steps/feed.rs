//! The batch's rows of an input.

use super::{Memory, Run, Span, StepKernel};

/// `out = input[rows at hand]`
#[derive(Clone, Debug, PartialEq)]
pub struct Feeding {
    /// which input
    pub input: usize,
    /// where it goes
    pub out: Span,
}

impl StepKernel for Feeding {
    fn reads(&self) -> Vec<Span> {
        vec![]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        "feed".into()
    }

    fn run(&self, at: &Run, memory: Memory) {
        let first = at.first_row();
        at.feed.fill(self.input, first..first + at.rows(), &mut memory.arena[at.range(self.out)]);
    }
}
