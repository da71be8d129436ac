//! The same number everywhere.

use super::{Memory, Run, Span, StepKernel};

/// `out = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// the number
    pub value: f32,
    /// where it goes
    pub out: Span,
}

impl StepKernel for Fill {
    fn reads(&self) -> Vec<Span> {
        vec![]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("fill {}", self.value)
    }

    fn run(&self, at: &Run, memory: Memory) {
        memory.arena[at.range(self.out)].fill(self.value);
    }
}
