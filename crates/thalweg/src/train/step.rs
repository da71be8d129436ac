//! The samples of one update: taken through the model in parts, counted once.

use engine::{Draw, Executor, StepContext};

use super::measure::n_correct;
use super::program::{Batch, LOSS, OUTPUTS, Session, StepError};
use super::state::Sums;
use crate::model::Mode;
use crate::optim::{Part, Slope, Stopped};

/// Memory that a step works in.
#[derive(Debug)]
pub(super) struct Room {
    outputs: Vec<f32>,
    labels: Vec<f32>,
    /// buffers as the step leaves them
    pub buffers: Vec<f32>,
}

impl Room {
    pub fn new(batch: usize, n_outputs: usize, buffers: &[f32]) -> Self {
        Room { outputs: vec![0.0; batch * n_outputs], labels: vec![0.0; batch], buffers: buffers.to_vec() }
    }
}

/// The samples of one update, in parts of `batch`.
pub(super) struct Samples<'a> {
    pub session: &'a mut Session,
    /// all of them
    pub whole: Batch<'a>,
    pub batch: usize,
    pub draw: Draw,
    pub room: &'a mut Room,
    /// figures of the epoch, with those of the parts that ran
    pub sums: Sums,
    /// samples of the part that ran last
    pub ran: usize,
    /// why the step stopped
    pub error: Option<StepError>,
}

impl<'a> Samples<'a> {
    fn part(&self, index: usize) -> Batch<'a> {
        let start = index * self.batch;
        let end = (start + self.batch).min(self.whole.indices.len());
        Batch { indices: &self.whole.indices[start..end], ..self.whole }
    }

    /// Adds a part to the figures of the epoch.
    fn count(&mut self, batch: &Batch<'_>, loss: f32) {
        let n = batch.indices.len();
        self.sums.loss += f64::from(loss) * n as f64;
        self.sums.samples += n as u64;
        let Some(program) = self.session.compiled(n).filter(|_| batch.set.n_classes().is_some()) else {
            return;
        };
        let width = program.output_len(OUTPUTS) / n;
        let outputs = &mut self.room.outputs[..n * width];
        program.output(OUTPUTS, outputs);
        let labels = &mut self.room.labels[..n];
        labels.iter_mut().zip(batch.indices).for_each(|(l, i)| *l = label(batch, *i));
        self.sums.correct += n_correct(outputs, labels, width);
    }
}

impl Slope for Samples<'_> {
    fn n_parts(&self) -> usize {
        self.whole.indices.len().div_ceil(self.batch)
    }

    fn weight(&self, part: usize) -> f64 {
        let batch = self.part(part);
        batch.indices.iter().map(|i| weight(self.session, &batch, *i)).sum()
    }

    fn run(&mut self, part: Part, params: &[f32]) -> Result<f32, Stopped> {
        let batch = self.part(part.index);
        let program = match self.session.program(Mode::Train, batch.indices.len()) {
            Ok(program) => program,
            Err(error) => {
                self.error = Some(StepError::Graph(error));
                return Err(Stopped);
            }
        };
        let draw = Draw { first_row: (part.index * self.batch) as u64, ..self.draw };
        program.run(StepContext { params, buffers: &self.room.buffers, tangents: &[], draw }, &batch);
        let loss = program.scalar(LOSS);
        if !loss.is_finite() {
            self.error = Some(StepError::NonFinite { loss });
            return Err(Stopped);
        }
        self.ran = batch.indices.len();
        if part.first {
            program.assign(&mut self.room.buffers);
            self.count(&batch, loss);
        }
        Ok(loss)
    }

    fn program(&self) -> &Executor {
        let ran = self.session.compiled(self.ran);
        ran.unwrap_or_else(|| unreachable!("a part ran before its gradients are completed"))
    }
}

/// The class of a training sample; of a mixed one, that with the larger share.
fn label(batch: &Batch<'_>, sample: u32) -> f32 {
    let mixed = batch.augment.map(|(pipeline, epoch)| pipeline.mixed(sample, epoch));
    let sample = mixed.filter(|m| m.own < 0.5).map_or(sample, |m| m.partner);
    batch.set.targets[sample as usize]
}

/// What a training sample counts in the mean of the loss.
fn weight(session: &Session, batch: &Batch<'_>, sample: u32) -> f64 {
    let of =
        |sample: u32| session.objective().weight(batch.set.targets[sample as usize * batch.set.n_targets()]);
    match batch.augment.map(|(pipeline, epoch)| pipeline.mixed(sample, epoch)) {
        None => of(sample),
        Some(mixed) => f64::from(mixed.own) * of(sample) + (1.0 - f64::from(mixed.own)) * of(mixed.partner),
    }
}
