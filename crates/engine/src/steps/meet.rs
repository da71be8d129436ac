//! All workers meet. The executor waits there; the step itself does nothing.

use super::{Memory, Run, Span, StepKernel};

/// The place between two stretches of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Meet;

impl StepKernel for Meet {
    fn reads(&self) -> Vec<Span> {
        vec![]
    }

    fn writes(&self) -> Vec<Span> {
        vec![]
    }

    fn describe(&self) -> String {
        "meet".into()
    }

    fn run(&self, _at: &Run, _memory: Memory) {}
}
