//! Measuring a model on a part of the data.

use record::{Confusion, Evaluation, Metrics, Outcome, Residuals};

use super::choice::{Kept, Split};
use super::error::TrainError;
use super::measure::Tally;
use super::prepared::{Prepared, Reading};
use super::program::{Session, source};
use crate::data::{Dataset, Task};

/// Figures on one part, and every answer.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// `test_loss`, `test_accuracy` and so on
    pub metrics: Metrics,
    /// what the model gave, `[n, outputs]`
    pub outputs: Vec<f32>,
    /// the targets as the source has them
    pub targets: Vec<f32>,
}

impl Session {
    /// Measures weights on samples: figures under `split_…`, and the answers where `keep` asks for them.
    pub(super) fn measure(
        &mut self,
        weights: (&[f32], &[f32]),
        data: (&Dataset, &Reading),
        part: (Split, &[u32]),
        how: (usize, &[usize], bool),
    ) -> Result<Measured, TrainError> {
        let (batch, top_k, keep) = how;
        let (set, reading) = data;
        let (split, indices) = part;
        let objective = self.objective().clone();
        let mut tally = Tally::new(&objective, reading, top_k);
        let mut found = Measured::default();
        let n_targets = set.n_targets();
        let mut targets = vec![0.0; batch.min(indices.len()) * n_targets];
        self.forward(weights, data, indices, batch, |rows, each, outputs| {
            let truth = &mut targets[..rows.len() * n_targets];
            for (target, i) in truth.chunks_exact_mut(n_targets).zip(rows) {
                target.copy_from_slice(&set.targets[*i as usize * n_targets..][..n_targets]);
            }
            tally.add(each, outputs, truth);
            if keep {
                found.outputs.extend_from_slice(outputs);
                found.targets.extend_from_slice(truth);
            }
        })?;
        if !indices.is_empty() {
            tally.metrics(split.name(), &mut found.metrics);
        }
        Ok(found)
    }

    /// Measures weights on a part of prepared data.
    pub(super) fn measure_part(
        &mut self,
        weights: (&[f32], &[f32]),
        data: &Prepared,
        part: (Split, &[u32]),
        how: (usize, &[usize], bool),
    ) -> Result<Measured, TrainError> {
        self.measure(weights, source(data), part, how)
    }
}

/// Answers summed up for people: a confusion matrix, or residuals.
pub fn evaluation_of(measured: &Measured, reading: &Reading, split: Split, checkpoint: Kept) -> Evaluation {
    let width = reading.n_outputs().max(1);
    let outcome = match &reading.task {
        Task::Classification { classes } => {
            let mut confusion = Confusion::new(classes.clone());
            for (row, label) in measured.outputs.chunks_exact(width).zip(&measured.targets) {
                confusion.add(*label as usize, argmax(row));
            }
            Outcome::Confusion(confusion)
        }
        Task::Regression { targets } => Outcome::Residuals(
            targets
                .iter()
                .enumerate()
                .map(|(j, name)| {
                    let column = |v: &[f32]| v.iter().skip(j).step_by(width).copied().collect::<Vec<f32>>();
                    let predicted: Vec<f32> =
                        column(&measured.outputs).into_iter().map(|x| reading.number(j, x) as f32).collect();
                    Residuals::new(name.clone(), &column(&measured.targets), &predicted)
                })
                .collect(),
        ),
    };
    let samples = (measured.outputs.len() / width) as u64;
    Evaluation { split: split.to_string(), checkpoint: checkpoint.to_string(), samples, outcome }
}

/// The position of the largest value, the first of equal ones.
pub(super) fn argmax(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
