//! Figures from a model's answers: loss, accuracy, top-k, root mean square error, R².

use record::Metrics;

use super::objective::Objective;
use super::prepared::Reading;
use crate::data::{Affine, Task};
use crate::source::Source;

/// Adds up answers, batch by batch, in f64.
pub(super) struct Tally<'a> {
    objective: &'a Objective,
    source: &'a dyn Source,
    top_k: &'a [usize],
    n: f64,
    loss: f64,
    weight: f64,
    correct: f64,
    within: Vec<f64>,
    /// for each target: Σy, Σy², Σ(y − ŷ)²
    numbers: Vec<[f64; 3]>,
}

impl<'a> Tally<'a> {
    pub fn new(objective: &'a Objective, source: &'a dyn Source, top_k: &'a [usize]) -> Self {
        let targets = match source.task() {
            Task::Classification { .. } => 0,
            Task::Regression { targets } => targets.len(),
        };
        Tally {
            objective,
            source,
            top_k,
            n: 0.0,
            loss: 0.0,
            weight: 0.0,
            correct: 0.0,
            within: vec![0.0; top_k.len()],
            numbers: vec![[0.0; 3]; targets],
        }
    }

    /// Adds a batch: the loss of each sample, what the model gave, and the targets as the source has them.
    pub fn add(&mut self, each: &[f32], outputs: &[f32], targets: &[f32]) {
        let width = self.source.task().n_outputs();
        self.n += each.len() as f64;
        self.loss += each.iter().map(|l| f64::from(*l)).sum::<f64>();
        let rows = outputs.chunks_exact(width.max(1));
        match self.source.task() {
            Task::Classification { .. } => {
                for (row, label) in rows.zip(targets) {
                    self.weight += self.objective.weight(*label);
                    let above = rank(row, *label as usize);
                    self.correct += f64::from(above == 0);
                    for (count, k) in self.within.iter_mut().zip(self.top_k) {
                        *count += f64::from(above < *k);
                    }
                }
            }
            Task::Regression { .. } => {
                self.weight += each.len() as f64;
                for (row, truth) in rows.zip(targets.chunks_exact(width.max(1))) {
                    self.add_numbers(row, truth);
                }
            }
        }
    }

    fn add_numbers(&mut self, row: &[f32], truth: &[f32]) {
        for (j, (x, y)) in row.iter().zip(truth).enumerate() {
            let (x, y) = (own_unit(self.source.target_map(), j, *x), f64::from(*y));
            if self.objective.is_yes_or_no() {
                self.correct += f64::from((x > 0.0) == (y > 0.5)) / truth.len() as f64;
            }
            let sums = &mut self.numbers[j];
            sums[0] += y;
            sums[1] += y * y;
            sums[2] += (y - x) * (y - x);
        }
    }

    /// The figures under names such as `valid_loss`.
    pub fn metrics(&self, split: &str, metrics: &mut Metrics) {
        metrics.set(format!("{split}_loss"), self.loss / self.weight);
        match self.source.task() {
            Task::Classification { .. } => {
                metrics.set(format!("{split}_accuracy"), self.correct / self.n);
                for (count, k) in self.within.iter().zip(self.top_k) {
                    metrics.set(format!("{split}_top{k}"), count / self.n);
                }
            }
            Task::Regression { .. } if self.objective.is_yes_or_no() => {
                metrics.set(format!("{split}_accuracy"), self.correct / self.n);
            }
            Task::Regression { targets } => {
                let n_values = self.n * targets.len() as f64;
                let squares: f64 = self.numbers.iter().map(|s| s[2]).sum();
                let r2 = |s: &[f64; 3]| 1.0 - s[2] / (s[1] - s[0] * s[0] / self.n);
                metrics.set(format!("{split}_rmse"), (squares / n_values).sqrt());
                // several targets count alike, as in scikit-learn
                metrics.set(
                    format!("{split}_r2"),
                    self.numbers.iter().map(r2).sum::<f64>() / targets.len() as f64,
                );
            }
        }
    }
}

impl Reading {
    /// What the model gave for target `j`, in the unit of the source.
    pub(super) fn number(&self, j: usize, x: f32) -> f64 {
        own_unit(Some(&self.targets), j, x)
    }
}

/// A number that the model gave for target `j`, in the target's own unit: what the map is taken back.
fn own_unit(map: Option<&Affine>, j: usize, x: f32) -> f64 {
    let Some(map) = map else { return f64::from(x) };
    let at = |v: &[f32]| f64::from(v[j.min(v.len() - 1)]);
    (f64::from(x) - at(&map.shift)) / at(&map.scale)
}

/// How many classes stand before the true one. Of equal values the first counts as the larger, as in `argmax`;
/// NaN is never right.
fn rank(row: &[f32], label: usize) -> usize {
    let own = row[label];
    if own.is_nan() {
        return row.len();
    }
    row.iter().enumerate().filter(|(i, x)| **x > own || x.is_nan() || (**x == own && *i < label)).count()
}

/// How many rows of a batch put the true class first.
pub(super) fn n_correct(outputs: &[f32], labels: &[f32], width: usize) -> u64 {
    outputs.chunks_exact(width).zip(labels).filter(|(row, label)| rank(row, **label as usize) == 0).count()
        as u64
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn ties_go_to_the_first_and_nan_is_wrong() {
        assert_eq!(rank(&[0.1, 0.7, 0.7], 1), 0);
        assert_eq!(rank(&[0.1, 0.7, 0.7], 2), 1);
        assert_eq!(rank(&[f32::NAN, 0.7], 1), 1);
        assert_eq!(rank(&[f32::NAN, 0.7], 0), 2);
    }
}
