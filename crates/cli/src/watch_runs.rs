//! What several runs tell while they go on: a bar for all of them in a terminal, a line a run elsewhere, JSON events.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget};
use record::{ListedRun, Row, Standing, Summary};
use serde_json::json;
use thalweg::runs::Watch;
use thalweg::train::{Facts, Progress};

use crate::progress::{epoch_fields, fact_fields, facts_line, named, style};
use crate::ui::Ui;

/// The bar's length for each run, so that it moves within one.
const PER_RUN: u64 = 1000;

/// Watches several runs for a person or a program.
pub struct WatchRuns<'a> {
    ui: &'a Ui,
    stop: &'a AtomicBool,
    bar: Option<ProgressBar>,
    n_runs: usize,
    ended: usize,
    /// Of the runs that go on: their steps in all, and how far they are.
    going: BTreeMap<String, (u64, u64)>,
    told_facts: bool,
    told_stop: bool,
}

impl<'a> WatchRuns<'a> {
    /// Talks by `ui`; `stop` is the flag that Ctrl-C sets.
    pub fn new(ui: &'a Ui, stop: &'a AtomicBool) -> Self {
        let (bar, going) = (None, BTreeMap::new());
        WatchRuns { ui, stop, bar, n_runs: 0, ended: 0, going, told_facts: false, told_stop: false }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        }
    }

    fn draw(&self) {
        let Some(bar) = &self.bar else { return };
        let share = |(n_steps, step): &(u64, u64)| PER_RUN * step.min(n_steps) / (*n_steps).max(1);
        let names: Vec<&str> = self.going.keys().map(String::as_str).collect();
        bar.set_prefix(format!("{}/{} done", self.ended, self.n_runs));
        bar.set_message(names.join(" "));
        bar.set_position(PER_RUN * self.ended as u64 + self.going.values().map(share).sum::<u64>());
    }
}

impl Watch for WatchRuns<'_> {
    fn on_list(&mut self, n_runs: usize, n_kept: usize) {
        (self.n_runs, self.ended) = (n_runs, n_kept);
        if n_kept > 0 {
            self.ui.say(&format!("{n_kept} of {n_runs} runs are done already"));
        }
        if self.ui.is_live() {
            let length = Some(PER_RUN * n_runs as u64);
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(20));
            bar.set_style(style(self.ui));
            self.bar = Some(bar);
        }
    }

    fn on_start(&mut self, run: &str, facts: &Facts) {
        if !self.told_facts {
            self.told_facts = true;
            self.say(&facts_line(self.ui, facts));
        }
        let mut fields = fact_fields(facts);
        fields["run"] = json!(run);
        self.ui.event("start", fields);
        self.going.insert(run.to_owned(), (facts.n_steps, facts.from_step));
        self.draw();
    }

    fn on_step(&mut self, run: &str, progress: &Progress) {
        if self.stop.load(Ordering::Relaxed) && !self.told_stop {
            self.told_stop = true;
            self.say("stopping after this step; press Ctrl-C again to quit immediately");
        }
        if let Some(going) = self.going.get_mut(run) {
            going.1 = progress.step;
        }
        self.draw();
    }

    fn on_epoch(&mut self, run: &str, row: &Row, best: bool) {
        let mut fields = epoch_fields(row, best);
        fields["run"] = json!(run);
        self.ui.event("epoch", fields);
    }

    fn on_warning(&mut self, run: &str, text: &str) {
        let text = format!("{run}: {text}");
        match &self.bar {
            Some(bar) => bar.suspend(|| self.ui.warn(&text)),
            None => self.ui.warn(&text),
        }
    }

    fn on_end(&mut self, run: &ListedRun, summary: Option<&Summary>) {
        self.going.remove(&run.name);
        self.ended += usize::from(run.status != Standing::Interrupted);
        let mut parts = vec![run.name.clone(), run.status.word().to_owned()];
        if let Some(summary) = summary {
            parts.extend(summary.headline().map(|(name, value)| named(&name, value)));
            parts.push(format!("{:.1} s", summary.seconds));
        }
        parts.extend(run.reason.clone());
        self.say(&parts.join("  "));
        self.draw();
    }
}

impl Drop for WatchRuns<'_> {
    /// A list that ends, in whatever way, leaves no bar behind.
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
