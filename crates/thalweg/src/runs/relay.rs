//! Watching several runs: what happens in each is told in the thread that started them.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use record::{ListedRun, Row, Summary};

use crate::train::{Facts, Observer, Progress};

/// Steps are told this often, which is enough for eyes.
const BETWEEN: Duration = Duration::from_millis(100);

/// Is told what happens to several runs, of which some may go on at once. `run` is the run's name.
pub trait Watch {
    /// How many runs there are, and how many of them are done already.
    fn on_list(&mut self, _n_runs: usize, _n_done: usize) {}
    /// A run begins, or goes on.
    fn on_start(&mut self, _run: &str, _facts: &Facts) {}
    /// Where a run is; not every step is told.
    fn on_step(&mut self, _run: &str, _progress: &Progress) {}
    /// An epoch is done and measured; `best` says whether it is the best so far.
    fn on_epoch(&mut self, _run: &str, _row: &Row, _best: bool) {}
    /// Something the user should know.
    fn on_warning(&mut self, _run: &str, _text: &str) {}
    /// A run ended, in whatever way; without a summary it did not begin.
    fn on_end(&mut self, _run: &ListedRun, _summary: Option<&Summary>) {}
}

/// Watches and says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// What a run's thread says.
pub(super) enum Event {
    Start(Facts),
    Step(Progress),
    Epoch(Row, bool),
    Warning(String),
    End(Box<(ListedRun, Option<Summary>)>),
}

impl Event {
    pub fn tell(self, run: &str, watch: &mut dyn Watch) {
        match self {
            Event::Start(facts) => watch.on_start(run, &facts),
            Event::Step(progress) => watch.on_step(run, &progress),
            Event::Epoch(row, best) => watch.on_epoch(run, &row, best),
            Event::Warning(text) => watch.on_warning(run, &text),
            Event::End(ended) => watch.on_end(&ended.0, ended.1.as_ref()),
        }
    }
}

/// Watches one run and hands on what happens.
pub(super) struct Relay {
    pub run: usize,
    pub to: Sender<(usize, Event)>,
    pub told: Option<Instant>,
}

impl Relay {
    pub fn say(&self, event: Event) {
        // the receiver outlives the runs' threads
        let _ = self.to.send((self.run, event));
    }
}

impl Observer for Relay {
    fn on_start(&mut self, facts: &Facts) {
        self.say(Event::Start(facts.clone()));
    }

    fn on_step(&mut self, progress: &Progress) {
        let now = Instant::now();
        if self.told.is_none_or(|told| now.duration_since(told) >= BETWEEN) {
            self.told = Some(now);
            self.say(Event::Step(*progress));
        }
    }

    fn on_epoch(&mut self, row: &Row, best: bool) {
        self.say(Event::Epoch(row.clone(), best));
    }

    fn on_warning(&mut self, text: &str) {
        self.say(Event::Warning(text.to_owned()));
    }
}
