//! Waves that become longer: the step size rises from 0 and falls back to it, each time for twice as long.

use super::{Curve, Room, ScheduleError};
use settings::{Entry, Range, settings};
use std::f64::consts::TAU;

pub(super) const ENTRY: Entry = Entry {
    name: Coslog::NAME,
    summary: "rises from 0 and falls back to it, in waves each twice as long as the one before",
    formula: "factor(t) = (1 − cos(2π·log₂(1 + (2^waves − 1)·t/n)))/2",
    source: "Holzmüller, Grinsztajn and Steinwart, Better by default, NeurIPS 2024, arxiv.org/abs/2407.04491, whose coslog4 \
             has 4 waves",
    keys: Coslog::KEYS,
};

settings! {
    /// (1 − cos(2π·log₂(1 + (2^waves − 1)·t/n)))/2 at the middle of update t of n.
    ///
    /// The curve is 0 at both ends of the run, so an update takes its value half a step on: t is counted from ½.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Coslog of "coslog" {
        /// how often the step size rises and falls
        pub waves: usize = 4, in Range::Told(&Range::Within(1.0, 16.0), "a number from 1 to 16");
    }
}

#[derive(Debug)]
pub(super) struct CoslogCurve {
    n_steps: u64,
    waves: usize,
}

impl Coslog {
    pub(super) fn build(&self, room: &Room) -> Result<CoslogCurve, ScheduleError> {
        self.in_range()?;
        Ok(CoslogCurve { n_steps: room.n_steps.max(1), waves: self.waves })
    }
}

impl Curve for CoslogCurve {
    fn at(&self, step: u64) -> f64 {
        let share = ((step as f64 + 0.5) / self.n_steps as f64).min(1.0);
        let stretch = ((1u64 << self.waves) - 1) as f64;
        (1.0 - libm::cos(TAU * libm::log2(1.0 + stretch * share))) / 2.0
    }
}
