//! Answers on one part of the data, summed up for people.

use std::ops::Range;

use record::{Baselines, Confusion, Evaluation, HeadOutcome, Outcome, Residuals, Scored, Scores};

use super::choice::{Kept, Split};
use super::error::TrainError;
use super::evaluate::Measured;
use super::objective::{Objective, Term};
use crate::baselines::{self, Part};
use crate::data::Task;
use crate::losses::Probabilities;
use crate::source::{Head, Source, columns, is_missing, n_targets};

/// Answers summed up for people: a confusion matrix, or residuals, of each head. Samples whose target is missing are
/// passed over.
pub(super) fn evaluation_of(
    measured: &Measured,
    objective: &Objective,
    split: Split,
    checkpoint: Kept,
) -> Evaluation {
    let heads: Vec<Head> = objective.terms().iter().map(|term| term.head.clone()).collect();
    let n_outputs = heads.iter().map(|head| head.task.n_outputs()).sum::<usize>().max(1);
    let n_targets = n_targets(&heads).max(1);
    let columns = columns(&heads, Task::n_outputs).into_iter().zip(columns(&heads, Task::n_targets));
    let outcome_of = |(term, (outputs, targets)): (&Term, (Range<usize>, Range<usize>))| {
        let rows = measured.outputs.chunks_exact(n_outputs).map(|row| &row[outputs.clone()]);
        let truths = measured.targets.chunks_exact(n_targets).map(|row| &row[targets.clone()]);
        let known = rows.zip(truths).filter(|(_, truth)| !is_missing(truth));
        let known: Vec<(&[f32], &[f32])> = known.collect();
        let (name, samples) = (term.head.name.clone(), known.len() as u64);
        HeadOutcome { name, samples, outcome: outcome(term, &known) }
    };
    let mut all: Vec<HeadOutcome> = objective.terms().iter().zip(columns).map(outcome_of).collect();
    let samples = (measured.outputs.len() / n_outputs) as u64;
    let outcome = match all.len() {
        1 => all.swap_remove(0).outcome,
        _ => Outcome::Heads(all),
    };
    let (split, checkpoint) = (split.to_string(), checkpoint.to_string());
    Evaluation { split, checkpoint, samples, outcome, baselines: None }
}

/// Simple models that are fitted on the training samples and measured on the same samples as the model; nothing of
/// answers to yes-or-no questions, of several heads, or where targets are missing.
pub(super) fn compared(
    objective: &Objective,
    train: (&dyn Source, &[u32]),
    judged: (&dyn Source, &[u32]),
    measured: &Measured,
) -> Result<Option<Baselines>, TrainError> {
    if objective.only().is_none_or(Term::is_yes_or_no) {
        return Ok(None);
    }
    let [train, judged] = [train, judged].map(|(source, samples)| Part { source, samples });
    baselines::compare(train, judged, &measured.outputs).map_err(TrainError::of_source)
}

/// What a head gave, and what is true, summed up.
fn outcome(term: &Term, known: &[(&[f32], &[f32])]) -> Outcome {
    let head = &term.head;
    match &head.task {
        Task::Classification { classes } => {
            let mut confusion = Confusion::new(classes.clone());
            for (row, truth) in known {
                confusion.add(truth[0] as usize, argmax(row));
            }
            Outcome::Confusion(confusion.with_scores(scores(term, classes, known)))
        }
        Task::Regression { targets } => {
            let residuals = targets.iter().enumerate().map(|(j, name)| {
                let truth: Vec<f32> = known.iter().map(|(_, truth)| truth[j]).collect();
                let predicted: Vec<f32> =
                    known.iter().map(|(row, _)| head.own_unit(j, row[j]) as f32).collect();
                // numbers are shown as the model has them, so their name says what was taken from them
                let name = match head.offset(j) {
                    0.0 => name.clone(),
                    offset => format!("{name} - {offset}"),
                };
                Residuals::new(name, &truth, &predicted)
            });
            Outcome::Residuals(residuals.collect())
        }
    }
}

/// Figures of the probabilities of classes, or of scores where the loss gives no distribution over the classes.
fn scores(term: &Term, classes: &[String], known: &[(&[f32], &[f32])]) -> Scores {
    let truth: Vec<usize> = known.iter().map(|(_, truth)| truth[0] as usize).collect();
    let are_probabilities = term.loss.probabilities() == Probabilities::Softmax;
    // log Σ eˣ of each sample, in f64: probabilities near 1 stay apart
    let log_sum = |row: &[f32]| {
        let top = f64::from(row[argmax(row)]);
        top + libm::log(row.iter().map(|x| libm::exp(f64::from(*x) - top)).sum())
    };
    let sums: Vec<f64> = match are_probabilities {
        true => known.iter().map(|(row, _)| log_sum(row)).collect(),
        false => Vec::new(),
    };
    let score = |i: usize, class: usize| {
        let x = f64::from(known[i].0[class]);
        sums.get(i).map_or(x, |sum| libm::exp(x - sum))
    };
    Scores::new(&Scored { classes, truth: &truth, score: &score, are_probabilities })
}

/// The position of the largest value, the first of equal ones.
pub(super) fn argmax(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
