//! The samples of one update: taken through the model in parts, counted once.

use engine::{Draw, Executor};

use super::measure::n_correct;
use super::program::{Batch, Output, ProgramKey, StepError};
use super::session::Session;
use super::state::Sums;
use crate::optim::{Part, Slope, Stopped};
use crate::source::{Pass, Source, SourceError};

/// Memory that a step works in.
#[derive(Debug)]
pub(super) struct Room {
    labels: Vec<f32>,
    /// buffers as the step leaves them
    pub buffers: Vec<f32>,
}

impl Room {
    pub fn new(batch: usize, buffers: &[f32]) -> Self {
        Room { labels: vec![0.0; batch], buffers: buffers.to_vec() }
    }
}

/// The samples of one update, in parts of `batch`.
pub(super) struct StepSamples<'a> {
    pub session: &'a mut Session,
    pub source: &'a dyn Source,
    /// all of them
    pub numbers: &'a [u32],
    pub epoch: u64,
    pub batch: usize,
    pub draw: Draw,
    pub room: &'a mut Room,
    /// whether classes that come first are counted
    pub tells_classes: bool,
    /// figures of the epoch, with those of the parts that ran
    pub sums: Sums,
    /// samples of the part that ran last
    pub ran: usize,
    /// why the step stopped
    pub error: Option<StepError>,
}

impl<'a> StepSamples<'a> {
    fn part(&self, index: usize) -> &'a [u32] {
        let start = index * self.batch;
        &self.numbers[start..(start + self.batch).min(self.numbers.len())]
    }

    /// Adds a part to the figures of the epoch.
    fn count(&mut self, samples: &[u32], loss: f32) -> Result<(), SourceError> {
        let n = samples.len();
        let is_weighted = self.source.is_weighted();
        let weight = is_weighted.then(|| self.total(samples, |sample| self.source.weight(sample)));
        self.sums.loss += f64::from(loss) * weight.unwrap_or(n as f64);
        if let Some(weight) = weight {
            *self.sums.weight.get_or_insert(0.0) += weight;
        }
        self.sums.samples += n as u64;
        let Some(program) = self.session.compiled(&ProgramKey::train(n)).filter(|_| self.tells_classes)
        else {
            return Ok(());
        };
        let labels = &mut self.room.labels[..n];
        read_labels(self.source, samples, self.epoch, labels)?;
        let outputs = program.output(&Output::Outputs).unwrap_or_default();
        self.sums.correct += n_correct(outputs, labels, outputs.len() / n);
        Ok(())
    }

    /// Σ of what samples count, each with its share in what it is mixed to.
    fn total(&self, samples: &[u32], of: impl Fn(u32) -> f64) -> f64 {
        let one = |sample: &u32| {
            let mixed = self.source.mixed(*sample, self.epoch);
            let own = f64::from(mixed.own);
            own * of(*sample) + if own < 1.0 { (1.0 - own) * of(mixed.partner) } else { 0.0 }
        };
        samples.iter().map(one).sum()
    }

    fn try_run(&mut self, part: Part, params: &[f32]) -> Result<f32, StepError> {
        let samples = self.part(part.index);
        let program = self.session.program(&ProgramKey::train(samples.len())).map_err(StepError::Graph)?;
        let draw = Draw { first_row: (part.index * self.batch) as u64, ..self.draw };
        let batch = Batch::new(self.source, samples, Pass::Train { epoch: self.epoch });
        program.pull((params, &self.room.buffers), draw, batch).map_err(StepError::Source)?;
        let loss = program.loss();
        if !loss.is_finite() {
            return Err(StepError::NonFinite { loss });
        }
        self.ran = samples.len();
        if part.first {
            program.assign(&mut self.room.buffers);
            self.count(samples, loss).map_err(StepError::Source)?;
        }
        Ok(loss)
    }
}

impl Slope for StepSamples<'_> {
    fn n_parts(&self) -> usize {
        self.numbers.len().div_ceil(self.batch)
    }

    fn weight(&self, part: usize) -> f64 {
        let samples = self.part(part);
        if self.n_parts() < 2 {
            return samples.len() as f64;
        }
        self.total(samples, |sample| self.session.objective.weight_of(self.source, sample))
    }

    fn run(&mut self, part: Part, params: &[f32]) -> Result<f32, Stopped> {
        self.try_run(part, params).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }

    fn program(&mut self) -> &mut Executor {
        let ran = self.session.executor(&ProgramKey::train(self.ran));
        ran.unwrap_or_else(|| unreachable!("a part ran before its gradients are completed"))
    }
}

/// Classes of training samples; of a mixed one, that with the larger share.
fn read_labels(
    source: &dyn Source,
    samples: &[u32],
    epoch: u64,
    labels: &mut [f32],
) -> Result<(), SourceError> {
    if !source.mixes() {
        return source.targets(samples, labels);
    }
    samples.iter().zip(labels.chunks_exact_mut(1)).try_for_each(|(&sample, label)| {
        let mixed = source.mixed(sample, epoch);
        source.targets(&[if mixed.own < 0.5 { mixed.partner } else { sample }], label)
    })
}
