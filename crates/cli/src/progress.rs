//! What a run tells while it goes on: a bar in a terminal, a line an epoch elsewhere, JSON events for programs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use record::{Metrics, Row, Summary, visible_line};
use serde_json::{Value, json};
use thalweg::train::{Facts, Observer, Progress};

use crate::table::{count, figure};
use crate::ui::{Look, Ui, paint};

/// Ten pictures a second are enough for eyes and free for the run.
const BETWEEN: Duration = Duration::from_millis(100);

/// Columns that the bar keeps.
const LEAST_BAR: usize = 10;

/// Watches a run for a person or a program.
pub struct Watch<'a> {
    ui: &'a Ui,
    stop: &'a AtomicBool,
    bar: Option<ProgressBar>,
    started: Instant,
    drawn: Instant,
    facts: Option<Facts>,
    /// Epochs in the run, the last perhaps cut short.
    n_epochs: u64,
    /// The validation's main figure after the last epoch.
    measured: String,
    told_stop: bool,
}

impl<'a> Watch<'a> {
    /// Talks by `ui`; `stop` is the flag that Ctrl-C sets.
    pub fn new(ui: &'a Ui, stop: &'a AtomicBool) -> Self {
        let now = Instant::now();
        let (bar, facts, measured) = (None, None, String::new());
        Watch { ui, stop, bar, started: now, drawn: now, facts, n_epochs: 0, measured, told_stop: false }
    }

    fn draw(&mut self, progress: &Progress) {
        if self.stop.load(Ordering::Relaxed) && !self.told_stop {
            self.told_stop = true;
            self.say("stopping after this step; press Ctrl-C again to quit immediately");
        }
        let (Some(bar), Some(facts)) = (&self.bar, &self.facts) else { return };
        let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
        let done = progress.step.saturating_sub(facts.from_step).max(1) as f64;
        let left = facts.n_steps.saturating_sub(progress.step) as f64 * seconds / done;
        let epoch = (progress.epoch + 1).min(self.n_epochs.max(1));
        let total = self.n_epochs.to_string();
        bar.set_prefix(format!("epoch {epoch:>w$}/{total}", w = total.len()));
        let metric = match progress.accuracy {
            _ if !self.measured.is_empty() => self.measured.clone(),
            Some(share) => named("train_accuracy", share),
            None => String::new(),
        };
        let digits = count(facts.n_steps as usize).len();
        let parts = [
            format!("{} left", clock(left)),
            named("loss", progress.loss),
            metric.replace(" accuracy", ""),
            format!("{:>4}/s", brief(progress.samples as f64 / seconds)),
            format!("step {:>digits$}", count(progress.step as usize)),
        ];
        bar.set_message(fitted(parts, self.ui.width().saturating_sub(2 * total.len() + 8 + LEAST_BAR)));
        bar.set_position(progress.step);
    }

    /// Talk that leaves the bar whole.
    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.ui.say(text)),
            None => self.ui.say(text),
        }
    }
}

impl Observer for Watch<'_> {
    fn on_start(&mut self, facts: &Facts) {
        self.started = Instant::now();
        self.ui.say(&facts_line(self.ui, facts));
        self.ui.event("start", fact_fields(facts));
        if self.ui.is_live() {
            let target = ProgressDrawTarget::stderr_with_hz(20);
            let bar = ProgressBar::with_draw_target(Some(facts.n_steps), target);
            bar.set_style(style(self.ui));
            self.bar = Some(bar);
        }
        self.n_epochs = facts.n_steps.div_ceil(facts.steps_per_epoch.max(1));
        self.facts = Some(facts.clone());
    }

    fn on_step(&mut self, progress: &Progress) {
        let now = Instant::now();
        if now.duration_since(self.drawn) >= BETWEEN {
            self.drawn = now;
            self.draw(progress);
        }
    }

    fn on_epoch(&mut self, row: &Row, best: bool) {
        self.measured = main_figure(&row.metrics);
        if self.bar.is_none() {
            self.ui.say(&line(row, self.n_epochs, best));
        }
        self.ui.event("epoch", epoch_fields(row, best));
    }

    fn on_warning(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.ui.warn(text)),
            None => self.ui.warn(text),
        }
    }

    fn on_end(&mut self, _: &Summary) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Watch<'_> {
    /// A run that ends in an error leaves no bar behind.
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Data and model in a line or two, and remarks on the data below.
pub fn facts_line(ui: &Ui, facts: &Facts) -> String {
    let [train, valid, test] = facts.samples;
    let threads = if facts.threads == 1 { "1 thread".into() } else { format!("{} threads", facts.threads) };
    let names = [&facts.data, &facts.model].map(|name| visible_line(name));
    let [data, model] = [&names[0], &names[1]].map(|name| paint(name, Look::Strong));
    let samples = format!(": {} train, {} valid, {} test", count(train), count(valid), count(test));
    let size = format!(": {} parameters, {threads}", count(facts.parameters));
    let all = [&*names[0], &*names[1], &samples, &size].iter().map(|t| t.chars().count()).sum::<usize>() + 3;
    let between = if all <= ui.width() { " · " } else { "\n" };
    let notes = facts.notes.iter().map(|note| format!("\nnote: {}", visible_line(note))).collect::<String>();
    format!("{data}{samples}{between}{model}{size}{notes}")
}

/// What a program is told at the start.
pub fn fact_fields(facts: &Facts) -> Value {
    let [train, valid, test] = facts.samples;
    json!({
        "data": facts.data, "model": facts.model, "parameters": facts.parameters,
        "samples": { "train": train, "valid": valid, "test": test },
        "steps_per_epoch": facts.steps_per_epoch, "steps": facts.n_steps,
        "from_step": facts.from_step, "threads": facts.threads,
    })
}

/// What a program is told of an epoch.
pub fn epoch_fields(row: &Row, best: bool) -> Value {
    let mut fields = serde_json::to_value(&row.metrics).unwrap_or_default();
    if let Some(map) = fields.as_object_mut() {
        let head = [("epoch", json!(row.epoch)), ("step", json!(row.step)), ("seconds", json!(row.seconds))];
        map.extend(head.map(|(k, v)| (k.to_string(), v)));
        map.extend([("lr".to_string(), json!(row.lr)), ("best".to_string(), json!(best))]);
    }
    fields
}

/// How the bar looks.
pub fn style(ui: &Ui) -> ProgressStyle {
    let color = ui.color_err();
    let template = if color { "{prefix} {wide_bar:.cyan/238} {msg}" } else { "{prefix} {wide_bar} {msg}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}

/// An epoch in one line.
fn line(row: &Row, n_epochs: u64, best: bool) -> String {
    let total = n_epochs.to_string();
    let mut parts = vec![format!("epoch {:>width$}/{total}", row.epoch, width = total.len())];
    for name in ["train_loss", "valid_loss"] {
        if let Some(loss) = row.metrics.get(name) {
            parts.push(named(name, loss));
        }
    }
    let main = main_figure(&row.metrics);
    if !main.is_empty() {
        parts.push(main);
    }
    parts.push(format!("{:.1} s", row.seconds));
    let mark = if best { "  best" } else { "" };
    format!("{}{mark}", parts.join("  "))
}

/// The validation's first figure that is not the loss; without one, the training's.
fn main_figure(metrics: &Metrics) -> String {
    let find =
        |split: &str| metrics.iter().find(|(name, _)| name.starts_with(split) && !name.ends_with("_loss"));
    find("valid_").or_else(|| find("train_")).map_or(String::new(), |(name, value)| named(name, value))
}

/// A figure with its name.
pub fn named(name: &str, value: f64) -> String {
    format!("{} {}", name.replace('_', " "), figure(name, value))
}

/// As many parts as fit, the first ones first, in the reverse order.
fn fitted(parts: [String; 5], width: usize) -> String {
    let mut out = String::new();
    for part in parts.iter().filter(|p| !p.is_empty()) {
        let more = part.chars().count() + 2;
        if out.chars().count() + more > width {
            break;
        }
        out = if out.is_empty() { part.clone() } else { format!("{part}  {out}") };
    }
    out
}

/// `31.2k`
fn brief(x: f64) -> String {
    match x {
        x if x >= 1e6 => format!("{:.2}M", x / 1e6),
        x if x >= 1e4 => format!("{:.0}k", x / 1e3),
        x if x >= 1e3 => format!("{:.1}k", x / 1e3),
        x => format!("{x:.0}"),
    }
}

/// `1:02:03` or `2:03`
fn clock(seconds: f64) -> String {
    let s = seconds.clamp(0.0, 3.6e6).ceil() as u64;
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_bar() {
        assert_eq!([0.0, 61.0, 3725.0].map(clock), ["0:00", "1:01", "1:02:05"]);
        assert_eq!([12.0, 3120.0, 31_200.0, 2.5e6].map(brief), ["12", "3.1k", "31k", "2.50M"]);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let parts = || ["0:10 left", "loss 0.5", "", "9k/s", "step 3/9"].map(String::from);
        assert_eq!(fitted(parts(), 80), "step 3/9  9k/s  loss 0.5  0:10 left");
        assert_eq!(fitted(parts(), 22), "loss 0.5  0:10 left");
        assert_eq!(fitted(parts(), 3), "");
    }

    #[test]
    fn an_epoch_is_a_line() {
        let metrics: Metrics =
            [("train_loss", 0.5), ("train_accuracy", 0.7), ("valid_loss", 0.25), ("valid_accuracy", 0.875)]
                .into();
        let row = Row { epoch: 3, step: 60, seconds: 1.25, lr: 0.1, metrics };
        assert_eq!(
            line(&row, 20, true),
            "epoch  3/20  train loss 0.5000  valid loss 0.2500  valid accuracy 87.50 %  1.2 s  best"
        );
    }
}
