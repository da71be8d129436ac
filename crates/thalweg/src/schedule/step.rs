//! The step schedule: the step size falls by a factor at regular distances.

use super::{Curve, Room, SPAN_RANGE, ScheduleError, Span};
use kernels::update::power;
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Step::NAME,
    summary: "falls by a factor at equal distances",
    formula: "factor(t) = gamma^⌊t/every⌋",
    source: "PyTorch's StepLR; Krizhevsky et al., ImageNet classification with deep CNNs, 2012",
    keys: Step::KEYS,
};

settings! {
    /// γ^⌊t/n⌋ after t steps; PyTorch's `StepLR`, stepped after every update.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Step of "step" {
        /// distance between two falls
        ///
        /// PyTorch has no default.
        pub every: Span = Span::Share(0.3) => "\"0.3dur\"", in SPAN_RANGE;
        /// factor of each fall
        pub gamma: f64 = 0.1, in Range::Within(0.0, 1.0);
    }
}

#[derive(Debug)]
pub(super) struct StepCurve {
    every_steps: u64,
    gamma: f64,
}

impl Step {
    pub(super) fn build(&self, room: &Room) -> Result<StepCurve, ScheduleError> {
        self.in_range()?;
        let every_steps = self.every.steps(room.run);
        if every_steps == 0 {
            let n_steps = room.run.n_steps;
            return Err(ScheduleError::NoSteps {
                of: ENTRY.name,
                key: "every",
                table: "schedule",
                span: self.every,
                n_steps,
            });
        }
        Ok(StepCurve { every_steps, gamma: self.gamma })
    }
}

impl Curve for StepCurve {
    fn at(&self, step: u64) -> f64 {
        power(self.gamma, step / self.every_steps)
    }
}
