//! A whole run in its folder: steps, figures after each epoch, checkpoints, and what stands there at the end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::kernels::isa::isa;
use record::{Figures, LogWriter, Machine, MetricsWriter, Row, RunDir, Samples, Status, Summary};

use super::best::{Judge, goal, instead_of_r2};
use super::choice::{Kept, Split};
use super::error::TrainError;
use super::first::FirstEpoch;
use super::judged::{compared, evaluation_of};
use super::observe::{Facts, Observer, Progress};
use super::prepared::Prepared;
use super::program::StepError;
use super::saved::{self, Checkpoint};
use super::state::weights_sha256;
use super::trainer::Trainer;
use crate::config::RunConfig;

/// Trains from the start in a fresh run folder.
///
/// A loss that is not finite does not make an error: the summary says `diverged` and why, and the last good state is
/// kept. `stop` ends the run after the step at hand, with a checkpoint; so does the config's `time`, and then the
/// summary's reason says so.
///
/// # Errors
/// When config, data and model do not fit together, or the folder cannot be written.
pub fn train(
    config: &RunConfig,
    run: &RunDir,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Summary, TrainError> {
    train_ready(config, Trainer::new(config, Prepared::open(config)?)?, run, observer, stop)
}

/// The same with a trainer that is ready: a run folder need not be made before all is known to be right.
///
/// # Errors
/// When the folder cannot be written.
pub fn train_ready(
    config: &RunConfig,
    trainer: Trainer,
    run: &RunDir,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Summary, TrainError> {
    let config = trainer.settled(config);
    run.write_config(&recorded(&config))?;
    Run::new(&config, run, trainer, observer, Instant::now())?.go(stop)
}

/// Goes on with a run where its last checkpoint left it, with changes to `epochs`, `steps`, `threads` and `save`, for
/// as long as `time` says.
///
/// The result is, bit for bit, that of a run that was never interrupted.
///
/// # Errors
/// As for [`train`], and when the checkpoint is damaged or another setting would change.
pub fn resume(
    run: &RunDir,
    overrides: &[String],
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Summary, TrainError> {
    let started = Instant::now();
    let old = RunConfig::from_toml(&run.config()?, &run.config_path(), &[])?;
    let config = RunConfig::from_toml(&run.config()?, &run.config_path(), overrides)?;
    changes(&old, &config)?;
    if config.data.is_stdin() {
        return Err(TrainError::StandardInput);
    }
    let path = run.last_checkpoint();
    // killed before the first checkpoint: the start is a function of the config; behind one it is not needed any more
    let resumes = path.exists();
    let mut start = config.clone();
    if resumes {
        (start.init_from, start.init_prefix, start.init_skip) = (None, None, Vec::new());
    }
    let checkpoint = resumes.then(|| Checkpoint::open(&path)).transpose()?;
    let data = match &checkpoint {
        Some(checkpoint) => Prepared::open_again(&start, &checkpoint.saved.reading)?,
        None => Prepared::open(&start)?,
    };
    let mut trainer = Trainer::new(&start, data)?;
    if let Some(checkpoint) = checkpoint {
        let weights = Some(run.best_checkpoint());
        if let Some(data) = trainer.prepared() {
            let unknown = data.check_same(checkpoint.saved.identity(), &config.data.source, weights)?;
            trainer.about.warnings.extend(unknown);
        }
        checkpoint.check_same_states(&trainer.session.model, trainer.states())?;
        let state = checkpoint.state(&trainer.session.model)?;
        trainer.restore(state)?;
        Judge::of(&config, &trainer).judge_again(&mut trainer.state.counters.best)?;
    }
    let config = trainer.settled(&config);
    run.write_config(&recorded(&config))?;
    Run::new(&config, run, trainer, observer, started)?.go(stop)
}

/// Whether the data of a run, as they are now, are those that it began with.
///
/// # Errors
/// [`TrainError::DataChanged`], or what is wrong with the data or the run's last checkpoint.
pub(crate) fn check_same_data(run: &RunDir) -> Result<(), TrainError> {
    let config = RunConfig::from_toml(&run.config()?, &run.config_path(), &[])?;
    if config.data.is_stdin() {
        return Err(TrainError::StandardInput);
    }
    let saved = Checkpoint::open(&run.last_checkpoint())?.saved;
    let weights = Some(run.best_checkpoint());
    Prepared::open_again(&config, &saved.reading)?
        .check_same(saved.identity(), &config.data.source, weights)
        .map(|_| ())
}

/// The config as the run's folder keeps it: without the time that this session may take, which is no part of the run.
fn recorded(config: &RunConfig) -> String {
    RunConfig { time: None, ..config.anywhere() }.to_toml()
}

/// Settings that a resumed run may change; all of a table where one names it.
const MAY_CHANGE: [&str; 7] = ["epochs", "steps", "threads", "eval_batch", "save", "time", "baselines"];

/// The keys of all settings in which two configs differ, such as `threads` and `save.every`, if a run may be resumed
/// with the new ones.
///
/// # Errors
/// [`TrainError::Changed`] with the first key that a resumed run cannot change, such as `optimizer.name`.
pub fn changes(old: &RunConfig, new: &RunConfig) -> Result<Vec<String>, TrainError> {
    let keys = old.anywhere().differences(&new.anywhere());
    let may = |key: &String| MAY_CHANGE.iter().any(|m| key == m || key.starts_with(&format!("{m}.")));
    match keys.iter().find(|key| !may(key)) {
        None => Ok(keys),
        Some(key) => Err(TrainError::Changed { key: key.clone() }),
    }
}

struct Run<'a> {
    config: &'a RunConfig,
    folder: &'a RunDir,
    trainer: Trainer,
    observer: &'a mut dyn Observer,
    judge: Judge,
    main: &'static str,
    metrics: MetricsWriter,
    log: LogWriter,
    /// when this session began, and the seconds of earlier ones
    started: Instant,
    before: f64,
    /// samples of earlier sessions
    samples_before: u64,
    save_every: u64,
    /// losses before the first row
    first: FirstEpoch,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a RunConfig,
        folder: &'a RunDir,
        trainer: Trainer,
        observer: &'a mut dyn Observer,
        started: Instant,
    ) -> Result<Self, TrainError> {
        let counters = &trainer.state.counters;
        // rows of steps, which a run left that ended in its first epoch, are no epochs
        let step = if counters.last.is_some() { counters.step } else { 0 };
        let (metrics, _) = folder.metrics_writer(step)?;
        let before = counters.seconds;
        let log = folder.log_writer(Duration::from_secs_f64(before))?;
        let main = trainer.session.objective.main_metric();
        let judge = Judge::of(config, &trainer);
        let save_every = config.save.every.steps(trainer.length()).max(1);
        let samples_before = counters.samples;
        Ok(Run {
            config,
            folder,
            trainer,
            observer,
            judge,
            main,
            metrics,
            log,
            started,
            before,
            samples_before,
            save_every,
            first: FirstEpoch::default(),
        })
    }

    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    fn go(mut self, stop: &AtomicBool) -> Result<Summary, TrainError> {
        self.begin()?;
        let mut status = Status::Done;
        let mut reason = None;
        while !self.trainer.is_done() {
            if stop.load(Ordering::Relaxed) {
                status = Status::Interrupted;
                break;
            }
            if self.config.time.is_some_and(|time| self.started.elapsed() >= time.0) {
                status = Status::Interrupted;
                reason = Some("the time limit was reached".to_owned());
                break;
            }
            match self.trainer.step() {
                Ok(loss) => {
                    self.note_step(loss);
                    reason = self.after_step()?;
                    if reason.is_some() {
                        status = Status::Diverged;
                        break;
                    }
                }
                Err(StepError::Graph(error)) => return Err(error.into()),
                Err(StepError::Source(error)) => return Err(TrainError::of_source(error)),
                Err(StepError::NonFinite { loss }) => {
                    status = Status::Diverged;
                    reason = Some(self.describe(loss)?);
                    break;
                }
            }
        }
        if self.trainer.length().n_steps == 0 {
            self.measure_epoch()?;
        }
        self.end(status, reason)
    }

    fn begin(&mut self) -> Result<(), TrainError> {
        let (about, parts) = (&self.trainer.about, &self.trainer.parts);
        let samples = [&parts.train, &parts.valid, &parts.test].map(|part| part.numbers.len());
        let length = self.trainer.length();
        let facts = Facts {
            data: about.data.clone(),
            model: self.trainer.session.model.title().to_owned(),
            parameters: self.trainer.state.params.len(),
            samples,
            steps_per_epoch: length.steps_per_epoch,
            n_steps: length.n_steps,
            from_step: self.trainer.state.counters.step,
            threads: self.trainer.session.n_threads(),
            notes: about.notes.iter().cloned().chain(self.trainer.notes()).collect(),
        };
        for note in about.notes.iter().filter(|note| note.starts_with("streamed:")) {
            self.log.line(note)?;
        }
        for warning in about.warnings.clone() {
            self.warn(&warning)?;
        }
        self.log.line(&format!(
            "{} on {}: {} parameters, {}+{}+{} samples, steps {}..{}",
            facts.model,
            facts.data,
            facts.parameters,
            samples[0],
            samples[1],
            samples[2],
            facts.from_step,
            facts.n_steps
        ))?;
        let summary = self.summary(Status::Running, None);
        self.folder.write_summary(&summary)?;
        self.observer.on_start(&facts);
        Ok(())
    }

    /// Notes the loss of a step before the first row of figures.
    fn note_step(&mut self, loss: f32) {
        let counters = &self.trainer.state.counters;
        if counters.last.is_none() {
            self.first.note(counters.step, loss, self.seconds(), self.trainer.last_lr());
        }
    }

    fn warn(&mut self, text: &str) -> Result<(), TrainError> {
        self.observer.on_warning(text);
        self.log.line(&format!("warning: {text}"))?;
        Ok(())
    }

    /// Measures and saves where it is time to; the reason to stop, where weights are no longer finite.
    fn after_step(&mut self) -> Result<Option<String>, TrainError> {
        let counters = &self.trainer.state.counters;
        let (step, sums) = (counters.step, counters.sums);
        let length = self.trainer.length();
        let n = sums.samples as f64;
        let classes = self.trainer.tells_classes;
        self.observer.on_step(&Progress {
            step,
            epoch: step / length.steps_per_epoch,
            loss: sums.mean_loss(),
            accuracy: classes.then_some(sums.correct as f64 / n),
            samples: counters.samples - self.samples_before,
        });
        let ends = step.is_multiple_of(length.steps_per_epoch) || step == length.n_steps;
        let saves = step.is_multiple_of(self.save_every) || step == length.n_steps;
        if (ends || saves)
            && let Some(tensor) = self.trainer.spoilt()
        {
            return Ok(Some(format!(
                "weights are not finite after step {step}; first bad tensor is {tensor}"
            )));
        }
        if ends {
            self.measure_epoch()?;
        }
        if saves {
            self.save_last()?;
            self.folder.keep_last(step, self.config.save.keep.most())?;
        }
        Ok(None)
    }

    /// Measures, writes the row, keeps the best weights.
    fn measure_epoch(&mut self) -> Result<(), TrainError> {
        let figures = self.trainer.end_epoch()?;
        let seconds = self.seconds();
        let counters = &mut self.trainer.state.counters;
        counters.seconds = seconds;
        let first = counters.best.is_none();
        let better = self.judge.best(&figures, counters.best.as_ref())?;
        let best = better.as_ref().is_some_and(|b| b.value.is_finite());
        if better.is_some() {
            counters.best = better;
            self.save(&self.folder.best_checkpoint(), false)?;
        }
        if let Some(note) = self.judge.note(&figures).filter(|_| first) {
            self.warn(&note)?;
        }
        let Figures { epoch, step, metrics } = figures;
        let row = Row { epoch, step, seconds, lr: self.trainer.last_lr(), metrics };
        self.metrics.append(&row)?;
        let words: Vec<String> =
            row.metrics.iter().map(|(name, value)| format!("{name} {}", logged(value))).collect();
        self.log.line(&format!(
            "epoch {epoch}, step {step}: {}{}",
            words.join(", "),
            if best { ", best" } else { "" }
        ))?;
        self.observer.on_epoch(&row, best);
        Ok(())
    }

    fn save(&self, path: &Path, whole: bool) -> Result<(), TrainError> {
        std::fs::create_dir_all(self.folder.checkpoints())
            .map_err(|e| record::RecordError::io(record::Action::Create, &self.folder.checkpoints(), e))?;
        self.trainer.save_as(path, whole)
    }

    fn save_last(&mut self) -> Result<(), TrainError> {
        self.trainer.state.counters.seconds = self.seconds();
        self.save(&self.folder.last_checkpoint(), true)
    }

    fn describe(&mut self, loss: f32) -> Result<String, TrainError> {
        let step = self.trainer.state.counters.step + 1;
        let culprit = self.trainer.blame()?;
        Ok(format!("loss became {loss} at step {step}; first bad tensor is {culprit}"))
    }

    fn end(mut self, status: Status, reason: Option<String>) -> Result<Summary, TrainError> {
        let good = self.trainer.spoilt().is_none();
        // a state that is not finite never replaces a good one
        if good && status != Status::Done {
            self.save_last()?;
        }
        if status == Status::Done && self.trainer.length().n_steps == 0 {
            self.save_last()?;
        }
        if let Some(text) = &reason {
            self.log.line(text)?;
        }
        if status == Status::Diverged && self.trainer.state.counters.last.is_none() {
            self.first.rows().iter().try_for_each(|row| self.metrics.append(row))?;
        }
        let mut summary = self.summary(status, reason);
        if status == Status::Done {
            self.test(&mut summary)?;
            self.save(&self.folder.path().join("weights.safetensors"), false)?;
        }
        self.folder.write_summary(&summary)?;
        self.log.line(&format!("{status:?} at step {}", summary.steps).to_lowercase())?;
        self.observer.on_end(&summary);
        Ok(summary)
    }

    /// Looks at the test part, once: with the last weights and with the best ones.
    fn test(&mut self, summary: &mut Summary) -> Result<(), TrainError> {
        let part = self.trainer.parts.to_judge();
        let path = self.folder.best_checkpoint();
        let (params, mut buffers) = saved::read_weights(&path, &self.trainer.session.model)?;
        buffers.extend_from_slice(self.trainer.session.objective.buffers());
        let best = self.trainer.measure(part, Some((&params, &buffers)), true)?;
        let last = self.trainer.measure(part, None, false)?;
        if part == Split::Test {
            for (figures, measured) in [(&mut summary.best, &best), (&mut summary.last, &last)] {
                if let Some(figures) = figures {
                    measured.metrics.iter().for_each(|(name, value)| figures.metrics.set(name, value));
                }
            }
        }
        let objective = &self.trainer.session.objective;
        let mut evaluation = evaluation_of(&best, objective, part, Kept::Best);
        if self.config.baselines {
            let (train, judged) = (&self.trainer.parts.train, self.trainer.parts.of(part));
            let [train, judged] = [train, judged].map(|part| (&*part.source, &part.numbers[..]));
            evaluation.baselines = compared(objective, train, judged, &best)?;
        }
        self.folder.write_evaluation(&evaluation)?;
        Ok(())
    }

    fn summary(&self, status: Status, reason: Option<String>) -> Summary {
        let trainer = &self.trainer;
        let counters = &trainer.state.counters;
        let length = trainer.length();
        let seconds = self.seconds();
        let parts = &trainer.parts;
        let own = trainer.session.model.buffers().len();
        // the metric that decides, where R² is undefined on the validation part
        let last = counters.last.as_ref();
        let undefined = last.and_then(|last| instead_of_r2(&format!("valid_{}", self.main), last));
        let metric = if undefined.is_some() { "rmse" } else { self.main };
        let digest = || weights_sha256(&trainer.evaluated(), &trainer.state.buffers[..own]);
        Summary {
            status,
            reason,
            data: trainer.about.data.clone(),
            model: trainer.session.model.title().to_owned(),
            task: trainer.session.objective.kind().into(),
            metric: metric.into(),
            goal: goal(metric),
            steps: counters.step,
            epochs: counters.step / length.steps_per_epoch,
            epochs_planned: self.config.epochs.unwrap_or(0),
            seconds,
            samples_per_second: if seconds > 0.0 { counters.samples as f64 / seconds } else { 0.0 },
            parameters: trainer.state.params.len() as u64,
            samples: Samples {
                train: parts.train.numbers.len() as u64,
                valid: parts.valid.numbers.len() as u64,
                test: parts.test.numbers.len() as u64,
            },
            best: counters.best.as_ref().map(|b| b.figures.clone()),
            last: counters.last.clone(),
            seed: self.config.seed,
            shards: self.config.shards,
            threads: trainer.session.n_threads(),
            peak_bytes: trainer.settings.memory.and_then(|_| Machine::peak()),
            weights_sha256: (status != Status::Running).then(digest),
            version: env!("CARGO_PKG_VERSION").into(),
            machine: Machine::detect(isa().name()),
        }
    }
}

/// A figure in the log.
fn logged(value: f64) -> String {
    if value.is_nan() { "undefined".into() } else { format!("{value:.5}") }
}
