//! The constant schedule: the step size stays as it is.

use super::{Curve, Room, ScheduleError};
use crate::registry::Entry;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "constant",
    summary: "the same step size throughout",
    formula: "factor(t) = 1",
    source: "the plain algorithm",
    keys: &[],
};

/// Factor 1 at every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl Constant {
    pub(super) fn build(&self, _: &Room) -> Result<Constant, ScheduleError> {
        Ok(*self)
    }
}

impl Curve for Constant {
    fn at(&self, _: u64) -> f64 {
        1.0
    }
}
