//! Measuring a model on a part of the data.

use std::sync::Arc;

use engine::Draw;
use engine::kernels::affine::affine_in_place;
use record::{Confusion, Evaluation, Metrics, Outcome, Residuals};

use super::error::TrainError;
use super::measure::Tally;
use super::prepared::Reading;
use super::program::{Batch, Output, ProgramKey};
use super::session::Session;
use crate::data::Task;
use crate::source::{Pass, Source};

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

/// How a part is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measuring<'a> {
    /// in front of the figures' names: `train`, `valid` or `test`
    pub part: &'a str,
    /// samples at once
    pub batch: usize,
    /// also how often the truth is among the k likeliest
    pub top_k: &'a [usize],
    /// whether answers and targets are kept besides the figures
    pub keep: bool,
}

/// A batch that was read and preprocessed.
#[derive(Debug)]
struct Held {
    inputs: Vec<f32>,
    /// as the loss sees them
    targets: Vec<f32>,
    /// as the source has them
    truth: Vec<f32>,
}

/// Measures one part again and again, at weights that change: batches are read and preprocessed once and held in
/// memory, as many as a budget allows; the others are read each time.
pub struct Evaluator {
    source: Arc<dyn Source>,
    samples: Vec<u32>,
    part: String,
    batch: usize,
    top_k: Vec<usize>,
    held: Vec<Held>,
}

impl Evaluator {
    /// Reads as many batches of `samples` as `budget_bytes` hold. Figures are named after `part`.
    ///
    /// # Errors
    /// Whatever keeps the source from giving them.
    pub(super) fn new(
        source: Arc<dyn Source>,
        samples: Vec<u32>,
        how: Measuring,
        budget_bytes: usize,
    ) -> Result<Self, TrainError> {
        let (n_inputs, n_targets) =
            (source.input_shape().iter().product::<usize>(), source.task().n_targets());
        let per_sample = size_of::<f32>().saturating_mul(n_inputs.saturating_add(2 * n_targets)).max(1);
        let mut left = budget_bytes / per_sample;
        let mut held = Vec::new();
        for chunk in samples.chunks(how.batch.max(1)) {
            let Some(rest) = left.checked_sub(chunk.len()) else { break };
            left = rest;
            let (mut inputs, mut truth) =
                (vec![0.0; chunk.len() * n_inputs], vec![0.0; chunk.len() * n_targets]);
            source.inputs(chunk, Pass::Measure, &mut inputs).map_err(TrainError::Source)?;
            source.targets(chunk, &mut truth).map_err(TrainError::Source)?;
            let mut targets = truth.clone();
            if let Some(map) = source.target_map() {
                affine_in_place(&mut targets, &map.scale, &map.shift);
            }
            held.push(Held { inputs, targets, truth });
        }
        let (part, top_k) = (how.part.to_owned(), how.top_k.to_vec());
        Ok(Evaluator { source, samples, part, batch: how.batch, top_k, held })
    }

    /// Batches that are held in memory, and all batches.
    pub fn n_held(&self) -> (usize, usize) {
        (self.held.len(), self.samples.len().div_ceil(self.batch.max(1)))
    }

    /// The figures of flat parameters and flat buffers, the model's and behind them the loss's: those of
    /// [`Trainer::measure`](super::Trainer::measure), bit for bit.
    ///
    /// # Errors
    /// Whatever keeps the source from giving a batch that is not held.
    pub fn measure(&self, session: &mut Session, weights: (&[f32], &[f32])) -> Result<Metrics, TrainError> {
        let how = Measuring { part: &self.part, batch: self.batch, top_k: &self.top_k, keep: false };
        let samples = (&*self.source, &self.samples[..]);
        session.measure_held(weights, samples, &self.held, how).map(|found| found.metrics)
    }
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (held, all) = self.n_held();
        f.debug_struct("Evaluator")
            .field("part", &self.part)
            .field("held", &held)
            .field("batches", &all)
            .finish()
    }
}

impl Session {
    /// Measures weights on samples: figures under `part_…`, and the answers where they are to be kept.
    pub(super) fn measure(
        &mut self,
        weights: (&[f32], &[f32]),
        samples: (&dyn Source, &[u32]),
        how: Measuring,
    ) -> Result<Measured, TrainError> {
        self.measure_held(weights, samples, &[], how)
    }

    /// The same where the first batches were read before.
    fn measure_held(
        &mut self,
        weights: (&[f32], &[f32]),
        (source, samples): (&dyn Source, &[u32]),
        held: &[Held],
        how: Measuring,
    ) -> Result<Measured, TrainError> {
        let objective = self.objective.clone();
        let mut tally = Tally::new(&objective, source, how.top_k);
        let mut found = Measured::default();
        let (batch, width, n_targets) = (how.batch.max(1), self.model.n_outputs(), source.task().n_targets());
        let (mut losses, mut outputs) = (vec![0.0; batch], vec![0.0; batch * width]);
        let mut read = vec![0.0; batch * n_targets];
        for (i, chunk) in samples.chunks(batch).enumerate() {
            let n = chunk.len();
            let program = self.program(&ProgramKey::measure(n))?;
            let truth = match held.get(i) {
                Some(held) => {
                    program.run(weights, Draw::default(), &[&held.inputs[..], &held.targets[..]]);
                    &held.truth[..]
                }
                None => {
                    let mut batch = Batch::new(source, chunk, Pass::Measure);
                    program.run(weights, Draw::default(), &batch);
                    let truth = &mut read[..n * n_targets];
                    batch.fault().and_then(|()| source.targets(chunk, truth)).map_err(TrainError::Source)?;
                    truth
                }
            };
            let (losses, outputs) = (&mut losses[..n], &mut outputs[..n * width]);
            program.copy(&Output::Losses, losses);
            program.copy(&Output::Outputs, outputs);
            tally.add(losses, outputs, truth);
            if how.keep {
                found.outputs.extend_from_slice(outputs);
                found.targets.extend_from_slice(truth);
            }
        }
        if !samples.is_empty() {
            tally.metrics(how.part, &mut found.metrics);
        }
        Ok(found)
    }

    /// What the model gives for samples, `[samples.len(), n_outputs]`.
    pub(super) fn answer(
        &mut self,
        weights: (&[f32], &[f32]),
        (source, samples): (&dyn Source, &[u32]),
        batch: usize,
    ) -> Result<Vec<f32>, TrainError> {
        let width = self.model.n_outputs();
        let mut all = vec![0.0; samples.len() * width];
        let batch = batch.max(1);
        for (chunk, out) in samples.chunks(batch).zip(all.chunks_mut((batch * width).max(1))) {
            let key = ProgramKey::answer(chunk.len());
            let program = self.run(&key, weights, Draw::default(), (source, chunk, Pass::Measure))?;
            program.copy(&Output::Outputs, out);
        }
        Ok(all)
    }
}
/// Answers summed up for people: a confusion matrix, or residuals.
pub fn evaluation_of(measured: &Measured, reading: &Reading, split: &str, checkpoint: &str) -> Evaluation {
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
    Evaluation { split: split.to_owned(), checkpoint: checkpoint.to_owned(), samples, outcome }
}

/// The position of the largest value, the first of equal ones.
pub(super) fn argmax(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}
