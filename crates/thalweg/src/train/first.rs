//! The losses of the first epoch step by step, kept for a run that ends in it.

use record::{Metrics, Row};

/// The most steps kept; of more, every second, fourth and so on.
const MOST: usize = 256;

/// Rows of the steps of a first epoch.
#[derive(Default)]
pub(super) struct FirstEpoch {
    rows: Vec<Row>,
    /// each step whose number is a multiple of two to this power is kept
    thinned: u32,
}

impl FirstEpoch {
    /// Notes a step's loss.
    pub fn note(&mut self, step: u64, loss: f32, seconds: f64, lr: f64) {
        let kept = |step: u64, thinned: u32| step.is_multiple_of(1 << thinned);
        if !kept(step, self.thinned) {
            return;
        }
        let metrics = Metrics::from([("train_loss", f64::from(loss))]);
        self.rows.push(Row { epoch: 0, step, seconds, lr, metrics });
        if self.rows.len() > MOST {
            self.thinned += 1;
            let thinned = self.thinned;
            self.rows.retain(|row| kept(row.step, thinned));
        }
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_steps_are_thinned_evenly() {
        let mut first = FirstEpoch::default();
        (1..=3).for_each(|step| first.note(step, 1.0, 0.0, 0.1));
        assert_eq!(first.rows().iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2, 3]);
        (4..=10_000).for_each(|step| first.note(step, 1.0, 0.0, 0.1));
        let steps: Vec<u64> = first.rows().iter().map(|row| row.step).collect();
        assert!(steps.len() > MOST / 3 && steps.len() <= MOST, "{}", steps.len());
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] == steps[0]), "{steps:?}");
    }
}
