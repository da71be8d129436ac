//! Whether memory can be had, before it is asked for: an allocation that fails would end the program without a word.

use record::Machine;

use super::about::About;
use super::error::TrainError;
use super::parts::Parts;
use super::program::ProgramKey;
use super::session::Session;
use super::settings::{Settings, cut, train_batches};
use crate::data::{Task, Values};
use crate::optim::Updater;
use crate::schedule::RunLength;

/// Bytes that stay free for what is small and asks for memory as it goes: graphs, rows of figures, buffers of files.
const SPARE: usize = 48 << 20;

/// What a run keeps in memory at once, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// samples and their targets, which are there already
    pub data: usize,
    /// parameters, buffers, the optimizer's state, what an update writes to, and a checkpoint that is read
    pub state: usize,
    /// values of the batches that are trained on and measured
    pub programs: usize,
    /// answers that are kept for the evaluation
    pub answers: usize,
    /// samples of a batch that is trained on
    pub batch: usize,
    /// samples measured at once
    pub eval_batch: usize,
    /// the part of `data` that is not in memory yet, since it is streamed
    pub window: usize,
}

impl Need {
    /// All of it, at most `usize::MAX`.
    pub fn total(&self) -> usize {
        let Need { data, state, programs, answers, .. } = *self;
        [data, state, programs, answers].into_iter().fold(0, usize::saturating_add)
    }

    /// Batches to train on and to measure that take half of what the machine has beside data and state.
    pub fn batches_that_fit(&self) -> [usize; 2] {
        let fixed = self.data.saturating_add(self.state) as f64;
        let all = Machine::memory().map_or(self.total() as f64 / 4.0, |bytes| bytes as f64);
        let share = (all / 2.0 - fixed) / (self.programs.saturating_add(self.answers) as f64);
        [self.batch, self.eval_batch].map(|n| ((n as f64 * share.clamp(0.0, 0.5)) as usize).max(1))
    }

    /// Whether the process stays below `memory` bytes with all of this.
    ///
    /// # Errors
    /// [`TrainError::Budget`].
    pub(super) fn check_budget(&self, memory: usize) -> Result<(), TrainError> {
        let resident = Machine::resident().map_or(0, |bytes| bytes as usize);
        match self.process(resident) <= memory {
            true => Ok(()),
            false => Err(TrainError::Budget { need: *self, resident, memory }),
        }
    }

    /// Bytes of the process when it has all of this, where it has `resident` now.
    pub fn process(&self, resident: usize) -> usize {
        let coming = [self.window, self.state, self.programs, self.answers];
        coming.into_iter().fold(resident, usize::saturating_add)
    }

    /// The least that a run must be allowed to take where the process has `resident` now: with more, more is streamed
    /// at a time. Some is left over, and it is a whole number of 16 MiB.
    pub fn least(&self, resident: usize) -> usize {
        let fixed = self.process(resident) - self.window;
        // of what is allowed a quarter is for samples
        let all = if self.window > 0 { fixed.saturating_add(fixed / 3) } else { fixed };
        all.saturating_add(all / 16).saturating_add(1 << 24) >> 24 << 24
    }

    /// Whether this process can have it: what is not there yet can be reserved now, and all of it is no more than the
    /// machine has.
    pub fn can_be_had(&self) -> bool {
        let machine = Machine::memory().is_none_or(|bytes| self.total() as u64 <= bytes);
        machine && has_room(self.total() - self.data)
    }
}

/// Whether this many bytes more can be reserved by this process, and something to spare.
pub(super) fn has_room(bytes: usize) -> bool {
    // given back at once: pages that nobody wrote to cost nothing
    Vec::<u8>::new().try_reserve_exact(bytes.saturating_add(SPARE)).is_ok()
}

/// Bytes of vectors of floats of these lengths, at most `usize::MAX`.
pub(super) fn floats(lengths: &[usize]) -> usize {
    lengths.iter().fold(0usize, |sum, n| sum.saturating_add(n.saturating_mul(size_of::<f32>())))
}

/// Compiles the programs of the run, which finds every layer that cannot work on a batch, and adds up what is kept in
/// memory at once.
pub(super) fn need(
    settings: &Settings,
    (parts, about): (&Parts, &About),
    session: &mut Session,
    length: RunLength,
    updater: &Updater,
) -> Result<Need, TrainError> {
    let (n_train, batch) = (parts.train.numbers.len(), settings.batch);
    let mut programs = 0usize;
    for size in train_batches(settings, n_train, length) {
        let bytes = session.program_bytes(&ProgramKey::train(size)).map_err(|error| match size {
            1 => TrainError::LastBatch { n_train, batch, error },
            _ => TrainError::Graph(error),
        })?;
        programs = programs.saturating_add(bytes);
    }
    let [valid, test] = [&parts.valid, &parts.test].map(|part| part.numbers.len());
    let judged = [test, valid, n_train].into_iter().find(|n| *n > 0).unwrap_or(0);
    let mut measured = [cut(valid, settings.eval_batch), cut(judged, settings.eval_batch)].concat();
    measured.sort_unstable();
    measured.dedup();
    for size in &measured {
        programs = programs.saturating_add(session.program_bytes(&ProgramKey::measure(*size))?);
    }
    let (params, buffers) = (session.model.params().len(), session.model.buffers().len());
    let tasks = || session.objective.terms().iter().map(|term| &term.head.task);
    let (outputs, targets) = (session.model.n_outputs(), tasks().map(Task::n_targets).sum::<usize>());
    let n_parts = n_train.div_ceil(batch.max(1)).min(settings.accumulate);
    let vectors = 1 + updater.n_vectors(n_parts);
    let states = updater.states().iter().map(|s| s.layout().len()).fold(0, usize::saturating_add);
    // at the end the best weights are read from their file, beside the last ones
    let saved = params.saturating_add(buffers).saturating_mul(2);
    let largest = measured.last().copied().unwrap_or(0);
    let rows = [batch, largest, judged].map(|n| n.saturating_mul(1 + outputs + targets));
    // for areas under curves each sample is ranked: its class, its sum of exponentials, its score
    let ranks = judged.saturating_mul(8);
    // each cell of a confusion matrix is a number of 8 bytes
    let cells = |task: &Task| task.classes().len().saturating_pow(2).saturating_mul(2);
    let cells = tasks().map(cells).fold(0, usize::saturating_add);
    let streams = about.prepared.as_ref().is_some_and(|data| data.set.streamed().is_some());
    let data = match about.prepared.as_ref().map(|data| &data.set.inputs) {
        Some(Values::F32(values)) => floats(&[values.len()]),
        // those of a file that nothing holds take no memory that cannot be given up
        Some(Values::Rows(rows)) => rows.held_bytes(),
        Some(Values::U8(_)) | None => 0,
    };
    let window = if streams { data } else { 0 };
    Ok(Need {
        data,
        state: floats(&[params.saturating_mul(vectors), states, buffers, saved]),
        programs,
        answers: floats(&[rows[0], rows[1], rows[2], ranks, cells]),
        batch,
        eval_batch: settings.eval_batch,
        window,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::optim::{Adam, Lamb, OptimConfig, Sam, WrapConfig};
    use crate::train::{Prepared, Trainer};

    /// LAMB looks at whole parameters and SAM at the gradient elsewhere: neither is one pass, as Adam is.
    #[test]
    fn all_that_an_update_writes_to_is_asked_for() {
        let vectors = |optimizer: OptimConfig, wrap: &[WrapConfig]| {
            let mut config = RunConfig { optimizer, ..RunConfig::default() };
            config.wrap.0 = wrap.to_vec();
            let mut trainer = Trainer::new(&config, Prepared::open(&config).unwrap()).unwrap();
            let (length, n_params) = (trainer.length(), trainer.state.params.len());
            let Trainer { settings, parts, about, session, updater, .. } = &mut trainer;
            let need = need(settings, (parts, about), session, length, updater).unwrap();
            assert!(session.model.buffers().is_empty());
            need.state / floats(&[n_params])
        };
        // parameters, a checkpoint that is read, two states
        assert_eq!(vectors(OptimConfig::Adam(Adam::default()), &[]), 1 + 2 + 2);
        assert_eq!(vectors(OptimConfig::Lamb(Lamb::default()), &[]), 1 + 2 + 2 + 1);
        let sam = WrapConfig::Sam(Sam::default());
        assert_eq!(vectors(OptimConfig::Adam(Adam::default()), &[sam]), 1 + 2 + 2 + 1 + 1);
    }

    #[test]
    fn what_no_machine_has_cannot_be_had() {
        let small = Need { state: 1 << 10, programs: 1 << 10, ..Need::default() };
        assert!(small.can_be_had());
        for bytes in [1 << 60, usize::MAX] {
            assert!(!Need { state: bytes, ..small }.can_be_had());
            assert!(!has_room(bytes));
        }
        assert_eq!(floats(&[3, 4]), 28);
        assert_eq!(floats(&[usize::MAX / 2, 4]), usize::MAX);
    }
}
