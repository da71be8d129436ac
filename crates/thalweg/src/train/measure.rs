//! Figures from a model's answers: loss, accuracy, top-k, root mean square error, R².

use std::ops::Range;

use record::Metrics;

use super::objective::{Objective, Term};
use crate::data::Task;
use crate::source::{Head, columns, is_missing};

/// Adds up answers, batch by batch, in f64.
pub(super) struct Tally<'a> {
    terms: &'a [Term],
    top_k: &'a [usize],
    sums: Vec<Sums>,
}

/// Of one head.
struct Sums {
    /// columns of its targets
    targets: Range<usize>,
    n: f64,
    loss: f64,
    weight: f64,
    correct: f64,
    within: Vec<f64>,
    /// for each target
    numbers: Vec<Squares>,
}

/// Of one target.
#[derive(Clone, Copy, Default)]
struct Squares {
    /// the first value y₀, from which the others are counted: equal values then differ by exactly nothing
    first: Option<f64>,
    /// Σ(y − y₀)
    sum: f64,
    /// Σ(y − y₀)²
    squares: f64,
    /// Σ(y − ŷ)²
    residuals: f64,
}

/// The losses of one head in a batch, and what each sample counts; 1 where there is nothing.
#[derive(Clone, Copy)]
pub(super) struct Losses<'a> {
    /// times `weights`
    pub each: &'a [f32],
    /// by their classes, and whether their targets are known
    pub weights: Option<&'a [f32]>,
    /// what the source says
    pub own: Option<&'a [f64]>,
}

impl Losses<'_> {
    /// Adds the losses, and what the samples count.
    fn add_to(&self, sums: &mut Sums) {
        let own = |i: usize| self.own.map_or(1.0, |own| own[i]);
        let weight = |i: usize| self.weights.map_or(1.0, |weights| f64::from(weights[i]));
        let all = 0..self.each.len();
        sums.loss += all.clone().map(|i| own(i) * f64::from(self.each[i])).sum::<f64>();
        all.for_each(|i| sums.weight += own(i) * weight(i));
    }
}

impl<'a> Tally<'a> {
    pub fn new(objective: &'a Objective, top_k: &'a [usize]) -> Self {
        let terms = objective.terms();
        let heads: Vec<Head> = terms.iter().map(|term| term.head.clone()).collect();
        let sums = |(term, targets): (&Term, Range<usize>)| {
            let n_numbers = match &term.head.task {
                Task::Classification { .. } => 0,
                Task::Regression { targets } => targets.len(),
            };
            let (within, numbers) = (vec![0.0; top_k.len()], vec![Squares::default(); n_numbers]);
            Sums { targets, n: 0.0, loss: 0.0, weight: 0.0, correct: 0.0, within, numbers }
        };
        let sums = terms.iter().zip(columns(&heads, Task::n_targets)).map(sums).collect();
        Tally { terms, top_k, sums }
    }

    /// Adds what head `i` came to in a batch: losses, and all outputs and targets of the batch, as the source has them.
    pub fn add(&mut self, i: usize, losses: Losses, outputs: &[f32], targets: &[f32]) {
        let (term, sums) = (&self.terms[i], &mut self.sums[i]);
        let n = losses.each.len().max(1);
        let rows = outputs.chunks_exact((outputs.len() / n).max(1)).map(|row| &row[term.outputs.clone()]);
        let columns = sums.targets.clone();
        let truths = targets.chunks_exact((targets.len() / n).max(1)).map(|row| &row[columns.clone()]);
        losses.add_to(sums);
        for (row, truth) in rows.zip(truths).filter(|(_, t)| !is_missing(t)) {
            sums.n += 1.0;
            match &term.head.task {
                Task::Classification { .. } => {
                    let above = rank(row, truth[0] as usize);
                    sums.correct += f64::from(above == 0);
                    for (count, k) in sums.within.iter_mut().zip(self.top_k) {
                        *count += f64::from(above < *k);
                    }
                }
                Task::Regression { .. } => sums.add_numbers(term, row, truth),
            }
        }
    }

    /// The figures under names such as `valid_loss`, or `valid_NAME_loss` of several heads, and `valid_loss`, the
    /// weighted sum of those. A head without any known target has none.
    pub fn metrics(&self, split: &str, metrics: &mut Metrics) {
        let (name, mut total) = (format!("{split}_loss"), 0.0);
        metrics.set(name.as_str(), f64::NAN);
        for (term, sums) in self.terms.iter().zip(&self.sums).filter(|(_, sums)| sums.n > 0.0) {
            total += term.weight * (sums.loss / sums.weight);
            if term.head.name.is_empty() {
                continue;
            }
            let prefix = format!("{split}_{}", term.head.name);
            metrics.set(format!("{prefix}_loss"), sums.loss / sums.weight);
            sums.metrics(term, self.top_k, &prefix, metrics);
        }
        if self.sums.iter().any(|sums| sums.n > 0.0) {
            metrics.set(name, total);
        }
        if let ([term], [sums]) = (self.terms, &self.sums[..])
            && term.head.name.is_empty()
            && sums.n > 0.0
        {
            sums.metrics(term, self.top_k, split, metrics);
        }
    }
}

impl Sums {
    fn add_numbers(&mut self, term: &Term, row: &[f32], truth: &[f32]) {
        for (j, (x, y)) in row.iter().zip(truth).enumerate() {
            let (x, y) = (term.head.own_unit(j, *x), f64::from(*y));
            if term.is_yes_or_no() {
                self.correct += f64::from((x > 0.0) == (y > 0.5)) / truth.len() as f64;
            }
            self.numbers[j].add(x, y);
        }
    }

    /// All figures but the loss.
    fn metrics(&self, term: &Term, top_k: &[usize], prefix: &str, metrics: &mut Metrics) {
        match &term.head.task {
            Task::Classification { .. } => {
                metrics.set(format!("{prefix}_accuracy"), self.correct / self.n);
                for (count, k) in self.within.iter().zip(top_k) {
                    metrics.set(format!("{prefix}_top{k}"), count / self.n);
                }
            }
            Task::Regression { .. } if term.is_yes_or_no() => {
                metrics.set(format!("{prefix}_accuracy"), self.correct / self.n);
            }
            Task::Regression { targets } => {
                let n_values = self.n * targets.len() as f64;
                let residuals: f64 = self.numbers.iter().map(|s| s.residuals).sum();
                metrics.set(format!("{prefix}_rmse"), (residuals / n_values).sqrt());
                // several targets count alike, as in scikit-learn
                let r2: f64 = self.numbers.iter().map(|s| s.r2(self.n)).sum();
                metrics.set(format!("{prefix}_r2"), r2 / targets.len() as f64);
            }
        }
    }
}

impl Squares {
    fn add(&mut self, predicted: f64, truth: f64) {
        let far = truth - *self.first.get_or_insert(truth);
        self.sum += far;
        self.squares += far * far;
        self.residuals += (truth - predicted) * (truth - predicted);
    }

    /// 1 − Σ(y − ŷ)² / Σ(y − ȳ)²; NaN where all of the values are equal.
    fn r2(&self, n: f64) -> f64 {
        let spread = self.squares - self.sum * self.sum / n;
        if spread > 0.0 { 1.0 - self.residuals / spread } else { f64::NAN }
    }
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
    use super::{Squares, rank};

    #[test]
    fn r2_is_undefined_where_all_targets_are_equal_and_exact_far_from_0() {
        let r2 = |pairs: &[(f64, f64)]| {
            let mut s = Squares::default();
            pairs.iter().for_each(|(predicted, truth)| s.add(*predicted, *truth));
            s.r2(pairs.len() as f64)
        };
        let tenth = f64::from(0.1f32);
        assert!(r2(&[(1.0, tenth), (2.0, tenth), (3.0, tenth)]).is_nan());
        assert!(r2(&[(5.0, 5.0)]).is_nan());
        let near = [(1.5, 1.0), (2.0, 2.0), (2.5, 3.0), (5.0, 4.0)];
        assert_eq!(r2(&near), 1.0 - 1.5 / 5.0);
        let far = near.map(|(predicted, truth)| (predicted + 1.7e9, truth + 1.7e9));
        assert_eq!(r2(&far), 1.0 - 1.5 / 5.0);
    }

    #[test]
    fn ties_go_to_the_first_and_nan_is_wrong() {
        assert_eq!(rank(&[0.1, 0.7, 0.7], 1), 0);
        assert_eq!(rank(&[0.1, 0.7, 0.7], 2), 1);
        assert_eq!(rank(&[f32::NAN, 0.7], 1), 1);
        assert_eq!(rank(&[f32::NAN, 0.7], 0), 2);
    }
}
