//! The step schedule: the step size falls by a factor after every so many steps.

use super::{Curve, Room, SPAN_RANGE, ScheduleError, Span};
use crate::registry::{Entry, Key, Range};
use kernels::update::power;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "step",
    summary: "falls by a factor at equal distances",
    formula: "factor(t) = gamma^⌊t/every⌋",
    source: "PyTorch's StepLR; Krizhevsky et al., ImageNet classification with deep CNNs, 2012",
    keys: &[
        Key {
            name: "every",
            default: "\"0.3dur\"",
            unit: "",
            range: SPAN_RANGE,
            help: "distance between two falls",
        },
        Key {
            name: "gamma",
            default: "0.1",
            unit: "",
            range: Range::Within(0.0, 1.0),
            help: "factor of each fall",
        },
    ],
};

/// γ^⌊t/n⌋ after t steps; PyTorch's `StepLR`, stepped after every update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Distance n between two falls; 0.3 of the run (PyTorch has no default).
    pub every: Span,
    /// Factor γ of each fall; 0.1.
    pub gamma: f64,
}

impl Default for Step {
    fn default() -> Self {
        Step { every: Span::Share(0.3), gamma: 0.1 }
    }
}

#[derive(Debug)]
pub(super) struct StepCurve {
    every_steps: u64,
    gamma: f64,
}

impl Step {
    pub(super) fn build(&self, room: &Room) -> Result<StepCurve, ScheduleError> {
        ENTRY.check("gamma", self.gamma)?;
        let every_steps = self.every.steps(room.run);
        if every_steps == 0 {
            let n_steps = room.run.n_steps;
            return Err(ScheduleError::NoSteps { of: ENTRY.name, key: "every", span: self.every, n_steps });
        }
        Ok(StepCurve { every_steps, gamma: self.gamma })
    }
}

impl Curve for StepCurve {
    fn at(&self, step: u64) -> f64 {
        power(self.gamma, step / self.every_steps)
    }
}
