//! The cosine schedule: the step size falls along half a wave to its least value and stays there.

use super::{Curve, Room, SPAN_RANGE, ScheduleError, Span};
use settings::{Entry, Range, settings};
use std::f64::consts::PI;

pub(super) const ENTRY: Entry = Entry {
    name: Cosine::NAME,
    summary: "falls along half a cosine wave",
    formula: "factor(t) = min + (1 − min)·(1 + cos(π·t/n))/2, min from t = n on",
    source: "Loshchilov and Hutter, SGDR, ICLR 2017, arxiv.org/abs/1608.03983; PyTorch's climbs again after n",
    keys: Cosine::KEYS,
};

settings! {
    /// min + (1 − min)(1 + cos(πt/n))/2 after t of n steps, and min from there on.
    ///
    /// n is `length`, cut to what the warm-up leaves of the run. PyTorch's `CosineAnnealingLR` gives the same until t =
    /// n (`T_max`), where it climbs again and this stays. The last update of a run comes at t = n − 1, just above the
    /// minimum.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Cosine of "cosine" {
        /// where the fall ends
        ///
        /// PyTorch's `eta_min` is the step size itself.
        pub min_factor: f64 = 0.0, unit "share of lr", in Range::Within(0.0, 1.0);
        /// length of the fall, at most what remains of the run after the warm-up
        pub length: Span = Span::Share(1.0) => "\"1dur\"", in SPAN_RANGE;
    }
}

#[derive(Debug)]
pub(super) struct CosineCurve {
    length_steps: u64,
    min_factor: f64,
}

impl Cosine {
    pub(super) fn build(&self, room: &Room) -> Result<CosineCurve, ScheduleError> {
        self.in_range()?;
        let wanted = self.length.steps(room.run);
        if wanted == 0 {
            let n_steps = room.run.n_steps;
            return Err(ScheduleError::NoSteps {
                of: ENTRY.name,
                key: "length",
                table: "schedule",
                span: self.length,
                n_steps,
            });
        }
        // At least 1: in a run that ends within its warm-up the factor that the warm-up scales is still 1.
        let length_steps = wanted.min(room.n_steps).max(1);
        Ok(CosineCurve { length_steps, min_factor: self.min_factor })
    }
}

impl Curve for CosineCurve {
    fn at(&self, step: u64) -> f64 {
        if step >= self.length_steps {
            return self.min_factor;
        }
        let wave = (1.0 + libm::cos(PI * step as f64 / self.length_steps as f64)) / 2.0;
        self.min_factor + (1.0 - self.min_factor) * wave
    }
}
