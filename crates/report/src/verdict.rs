//! What came out of a run, in one sentence, and what its curves say.

use record::{Goal, RunRecord, Status};

use crate::format::{capital, duration, metric_words, number, plural, split_of, split_words, value};
use crate::imbalance::imbalance;
use crate::worth::worth;

/// The sentence at the top: the result, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `97.8 % test accuracy`, or what happened instead.
    pub result: String,
    /// `after 20 epochs, 3.1 s`.
    pub rest: String,
}

impl Verdict {
    /// Both parts as one line.
    pub fn sentence(&self) -> String {
        format!("{} {}", self.result, self.rest).trim().replace('\u{a0}', " ")
    }
}

/// The run's verdict.
pub fn verdict(record: &RunRecord) -> Verdict {
    let s = &record.summary;
    let figure = s.headline().map(|(name, v)| {
        let (split, metric) = split_of(&name);
        format!("{} {} {}", value(metric, v), split_words(split), metric_words(metric))
    });
    let took = format!("{}, {}", plural(s.epochs, "epoch"), duration(s.seconds));
    let planned =
        if s.epochs_planned > s.epochs { format!(" of {}", s.epochs_planned) } else { String::new() };
    let partly = format!("{}{planned}, {}", plural(s.epochs, "epoch"), duration(s.seconds));
    let best = figure.as_ref().map(|f| format!("; best so far {f}")).unwrap_or_default();
    let (result, rest) = match (s.status, figure) {
        (Status::Done, Some(figure)) => (figure, format!("after {took}")),
        (Status::Done, None) => ("Finished".into(), format!("after {took}, nothing was measured")),
        (Status::Interrupted, _) if s.epochs == 0 => {
            ("Interrupted".into(), "before the first epoch ended".into())
        }
        (Status::Interrupted, _) => ("Interrupted".into(), format!("after {partly}{best}")),
        (Status::Diverged, _) => ("Diverged".into(), format!("after {partly}{best}")),
        (Status::Running, _) if s.epochs == 0 => ("Running".into(), "in its first epoch".into()),
        (Status::Running, _) => ("Running".into(), format!("after {partly}{best}")),
    };
    Verdict { result, rest }
}

/// What the curves say, in plain sentences; only what the numbers in the record show.
pub fn observations(record: &RunRecord) -> Vec<String> {
    let hidden = record.evaluation.iter().flat_map(imbalance).map(|text| capital(&text));
    let worth = record.evaluation.as_ref().and_then(worth);
    let curves = [generalization(record), still_improving(record), best_was_earlier(record)];
    reason(record).into_iter().chain(hidden).chain(worth).chain(curves.into_iter().flatten()).collect()
}

fn reason(record: &RunRecord) -> Option<String> {
    record.summary.reason.as_ref().map(|r| format!("{}.", capital(r.trim_end_matches('.'))))
}

/// The validation loss has risen since its lowest point while the training loss went on falling. Both are smoothed by
/// a running median over a tenth of the run, so that noise is not taken for a trend.
fn generalization(record: &RunRecord) -> Option<String> {
    let raw = record.metrics.column("valid_loss");
    let (valid, train) = (smooth(&raw)?, smooth(&record.metrics.column("train_loss"))?);
    let (low, &lowest) = valid.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
    let (end, &last) = valid.iter().enumerate().next_back()?;
    let long = end >= low + 3 && (end - low) * 10 >= valid.len();
    if !long || last < lowest * 1.1 || train[low] <= train[end] {
        return None;
    }
    // The median's lowest point is a neighborhood; name the lowest row in it.
    let near = low.saturating_sub(reach(valid.len()))..=low + reach(valid.len());
    let (row, value) = near.filter_map(|i| Some((i, (*raw.get(i)?)?))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Validation loss was lowest around epoch {} ({}) and then rose to {} while training loss kept falling: the network has been overfitting since then.",
        record.metrics.rows[row].epoch,
        number(value),
        number(last)
    ))
}

/// Rows on either side that a running median looks at.
fn reach(rows: usize) -> usize {
    (rows / 20).max(1)
}

/// Running medians; `None` where a value is missing or not finite.
fn smooth(values: &[Option<f64>]) -> Option<Vec<f64>> {
    let values: Vec<f64> = values.iter().map(|v| v.filter(|v| v.is_finite())).collect::<Option<_>>()?;
    let reach = reach(values.len());
    let median = |i: usize| {
        // Near the ends the window shrinks but stays centered.
        let reach = reach.min(i).min(values.len() - 1 - i);
        let mut window = values[i - reach..=i + reach].to_vec();
        window.sort_by(f64::total_cmp);
        window[reach]
    };
    Some((0..values.len()).map(median).collect())
}

fn still_improving(record: &RunRecord) -> Option<String> {
    let s = &record.summary;
    let best = s.best.as_ref()?;
    // without a validation part the training loss decides, and nothing is left to learn
    let learned = s.samples.valid == 0 && best.metrics.get("train_accuracy") == Some(1.0);
    let at_end = !learned && best.epoch == s.epochs && s.epochs >= 3 && s.status == Status::Done;
    at_end.then(|| "The last epoch was the best one: training longer may give a better result.".into())
}

fn best_was_earlier(record: &RunRecord) -> Option<String> {
    let s = &record.summary;
    let (best, last) = (s.best.as_ref()?, s.last.as_ref()?);
    let name = format!("valid_{}", s.metric);
    let (top, end) = (best.metrics.get(&name)?, last.metrics.get(&name)?);
    let worse = match s.goal {
        Goal::Max => end < top,
        Goal::Min => end > top,
    };
    let (words, top, end) = (metric_words(&s.metric), value(&s.metric, top), value(&s.metric, end));
    (best.epoch < last.epoch && worse && top != end).then(|| {
        format!(
            "The best checkpoint is from epoch {}: validation {words} was {top} there and {end} in the last epoch.",
            best.epoch
        )
    })
}
