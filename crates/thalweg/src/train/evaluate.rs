//! Measuring a model on a part of the data.

use std::ops::Range;
use std::sync::Arc;

use engine::{Draw, Feed};
use record::Metrics;

use super::choice::Split;
use super::error::TrainError;
use super::measure::{Losses, Tally};
use super::program::{Batch, Output, ProgramKey, width_of};
use super::session::Session;
use crate::source::{Pass, Source, n_targets};

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
    /// stands in front of the figures' names
    pub part: Split,
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
    /// for each input of the program its values
    inputs: Vec<Vec<f32>>,
    /// the targets as the source has them
    truth: Vec<f32>,
}

impl Feed for Held {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        let width = out.len() / rows.len().max(1);
        out.copy_from_slice(&self.inputs[input][rows.start * width..rows.end * width]);
    }
}

/// Measures one part again and again, at weights that change: batches are read and preprocessed once and held in
/// memory, as many as a budget allows; the others are read each time.
pub struct Evaluator {
    source: Arc<dyn Source>,
    samples: Vec<u32>,
    part: Split,
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
        session: &Session,
        (source, samples): (Arc<dyn Source>, Vec<u32>),
        how: Measuring,
        budget_bytes: usize,
    ) -> Result<Self, TrainError> {
        let fed = session.graph(&ProgramKey::measure(how.batch.max(1)))?.fed;
        let widths: Vec<usize> = fed.iter().map(|feeding| width_of(feeding.what, &*source)).collect();
        let n_targets = n_targets(source.heads());
        let per_sample = size_of::<f32>().saturating_mul(widths.iter().sum::<usize>() + n_targets);
        let mut left = budget_bytes / per_sample.max(1);
        let mut held = Vec::new();
        for chunk in samples.chunks(how.batch.max(1)) {
            let Some(rest) = left.checked_sub(chunk.len()) else { break };
            left = rest;
            let batch = Batch::new(&*source, chunk, Pass::Measure);
            let mut inputs = Vec::new();
            for (feeding, width) in fed.iter().zip(&widths) {
                let mut values = vec![0.0; chunk.len() * width];
                batch.fill_with(feeding, chunk, &mut values).map_err(TrainError::of_source)?;
                inputs.push(values);
            }
            let mut truth = vec![0.0; chunk.len() * n_targets];
            source.targets(chunk, &mut truth).map_err(TrainError::of_source)?;
            held.push(Held { inputs, truth });
        }
        let (part, top_k) = (how.part, how.top_k.to_vec());
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
        let how = Measuring { part: self.part, batch: self.batch, top_k: &self.top_k, keep: false };
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
        let mut tally = Tally::new(&objective, how.top_k);
        let mut found = Measured::default();
        let (batch, n_targets) = (how.batch.max(1), n_targets(source.heads()));
        let mut read = vec![0.0; batch.min(samples.len()) * n_targets];
        let (mut outputs, mut each, mut weights_of) = (Vec::new(), Vec::new(), Vec::new());
        let mut own = Vec::new();
        let mut chunks = samples.chunks(batch).enumerate().peekable();
        while let Some((i, chunk)) = chunks.next() {
            let n = chunk.len();
            if held.get(i).is_none() {
                let later = chunks.peek().map_or(&[][..], |(_, next)| next);
                source.make_ready(chunk, later).map_err(TrainError::of_source)?;
            }
            let program = self.program(&ProgramKey::measure(n))?;
            let truth = match held.get(i) {
                Some(held) => {
                    program.run(weights, Draw::default(), held);
                    &held.truth[..]
                }
                None => {
                    let batch = Batch::new(source, chunk, Pass::Measure);
                    let truth = &mut read[..n * n_targets];
                    let pulled = program.pull(weights, Draw::default(), batch);
                    pulled.and_then(|()| source.targets(chunk, truth)).map_err(TrainError::of_source)?;
                    truth
                }
            };
            program.copy_to(&Output::Outputs, &mut outputs);
            own.clear();
            if source.is_weighted() {
                own.extend(chunk.iter().map(|sample| source.weight(*sample)));
            }
            for (i, term) in objective.terms().iter().enumerate() {
                program.copy_to(&Output::Losses(term.head.name.clone()), &mut each);
                let weighs = program.copy_to(&Output::Weights(term.head.name.clone()), &mut weights_of);
                let own = (!own.is_empty()).then_some(&own[..]);
                let losses = Losses { each: &each, weights: weighs.then_some(&weights_of[..]), own };
                tally.add(i, losses, &outputs, truth);
            }
            if how.keep {
                found.outputs.extend_from_slice(&outputs);
                found.targets.extend_from_slice(truth);
            }
        }
        if !samples.is_empty() {
            tally.metrics(how.part.name(), &mut found.metrics);
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
            source.make_ready(chunk, &[]).map_err(TrainError::of_source)?;
            let key = ProgramKey::answer(chunk.len());
            let program = self.run(&key, weights, Draw::default(), (source, chunk, Pass::Measure))?;
            out.copy_from_slice(program.output(&Output::Outputs).unwrap_or_default());
        }
        Ok(all)
    }
}
