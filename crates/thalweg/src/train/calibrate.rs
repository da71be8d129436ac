//! Temperature and threshold of a classifier, chosen on the validation part, and how they change its answers.

use record::{BeforeAfter, Calibration, CalibrationFigures, Confusion, Scored, Scores, Threshold};

use super::apply::{Answers, Trained};
use super::choice::{Kept, Split};
use super::error::TrainError;
use super::evaluate::Measuring;
use super::judged::argmax;
use crate::data::Task;
use crate::losses::Probabilities;
use crate::source::Preprocessed;

/// Temperatures that are looked among, on a scale of logarithms.
const TEMPERATURES: [f64; 2] = [0.01, 100.0];
/// Halvings of that range: to the last bit but a few.
const HALVINGS: usize = 60;

/// What the threshold of two classes makes as large as can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The mean recall.
    #[default]
    BalancedAccuracy,
    /// F1 of the rarer class.
    F1,
}

impl Wanted {
    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Wanted::BalancedAccuracy => "balanced_accuracy",
            Wanted::F1 => "f1",
        }
    }
}

/// Logits of samples and their true classes.
struct Judged {
    logits: Vec<f32>, // [n, classes]
    truth: Vec<usize>,
}

impl Trained {
    /// Chooses a temperature on the validation part of the run's own data, and of two classes a threshold.
    ///
    /// *Temperature scaling* (Guo et al., On calibration of modern neural networks, 2017): logits are divided by the T
    /// that makes the mean of −log softmax(z/T) of the true class smallest, here within 0.01 to 100. No answer changes
    /// by it. The *threshold* is the probability from which on the rarer class of the part (of equal ones the second)
    /// is answered; it lies midway between two neighboring ones of the samples, where the wanted figure is largest, of
    /// equal ones next to one half.
    ///
    /// # Errors
    /// [`TrainError::Calibration`] without a validation part, or where the model does not give one distribution over
    /// classes; whatever is wrong with the run's data.
    pub fn calibrate(&mut self, checkpoint: Kept, wanted: Wanted) -> Result<Calibration, TrainError> {
        let prepared = self.own_data()?;
        let classes = self.classes()?;
        if prepared.splits.valid.is_empty() {
            let problem = "calibration needs a validation part, and this run has none";
            return Err(TrainError::Calibration { problem, hint: "train with `data.valid=0.2`" });
        }
        let source = prepared.source();
        let valid = self.logits(&source, Split::Valid, &prepared.splits.valid)?;
        let mut calibration = Calibration {
            checkpoint: checkpoint.to_string(),
            temperature: temperature(&valid, classes.len()),
            threshold: None,
            chosen_on: BeforeAfter {
                split: Split::Valid.to_string(),
                samples: valid.truth.len() as u64,
                before: CalibrationFigures::default(),
                after: CalibrationFigures::default(),
            },
            judged_on: None,
        };
        calibration.threshold = threshold(&valid, &classes, calibration.temperature, wanted);
        calibration.chosen_on = before_after(&valid, &classes, &calibration, Split::Valid);
        if !prepared.splits.test.is_empty() {
            let test = self.logits(&source, Split::Test, &prepared.splits.test)?;
            calibration.judged_on = Some(before_after(&test, &classes, &calibration, Split::Test));
        }
        Ok(calibration)
    }

    /// Lets the answers be those of a calibration from now on: [`Trained::answer`].
    ///
    /// # Errors
    /// [`TrainError::Calibration`] where the model does not give one distribution over classes, or the threshold is of
    /// another class.
    pub fn set_calibration(&mut self, calibration: Calibration) -> Result<(), TrainError> {
        let classes = self.classes()?;
        let known = |t: &Threshold| classes.len() == 2 && classes.contains(&t.class);
        let is_positive = calibration.temperature.is_finite() && calibration.temperature > 0.0;
        if !calibration.threshold.as_ref().is_none_or(known) || !is_positive {
            let problem = "the calibration belongs to another model";
            return Err(TrainError::Calibration { problem, hint: "calibrate it again" });
        }
        self.calibration = Some(calibration);
        Ok(())
    }

    /// The classes over which the model gives a distribution.
    fn classes(&self) -> Result<Vec<String>, TrainError> {
        let term = self.session.objective.only();
        match term.map(|term| (&term.head.task, term.loss.probabilities())) {
            Some((Task::Classification { classes }, Probabilities::Softmax)) => Ok(classes.clone()),
            _ => Err(TrainError::Calibration {
                problem: "only the probabilities of one head of classes, trained by cross entropy, can be calibrated",
                hint: "train with `loss=cross_entropy` on a target of classes",
            }),
        }
    }

    fn logits(&mut self, source: &Preprocessed, part: Split, samples: &[u32]) -> Result<Judged, TrainError> {
        let buffers = self.all_buffers();
        let how = Measuring { part, batch: self.config.eval_batch, top_k: &[], keep: true };
        let found = self.session.measure((&self.params, &buffers), (source, samples), how)?;
        let truth = found.targets.iter().map(|y| *y as usize).collect();
        Ok(Judged { logits: found.outputs, truth })
    }
}

/// The probabilities of logits divided by a temperature, in f64.
fn probabilities(logits: &[f32], temperature: f64) -> Vec<f64> {
    let top = f64::from(logits[argmax(logits)]);
    let powers: Vec<f64> = logits.iter().map(|z| libm::exp((f64::from(*z) - top) / temperature)).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}

/// The temperature of the smallest log loss. Its slope in β = 1/T, Σ pₖ zₖ − z of the truth, rises with β, since the
/// loss is convex in it.
fn temperature(of: &Judged, n_classes: usize) -> f64 {
    let slope = |temperature: f64| -> f64 {
        let of_sample = |(logits, truth): (&[f32], &usize)| {
            let p = probabilities(logits, temperature);
            let mean: f64 = p.iter().zip(logits).map(|(p, z)| p * f64::from(*z)).sum();
            mean - f64::from(logits[*truth])
        };
        of.logits.chunks_exact(n_classes).zip(&of.truth).map(of_sample).sum()
    };
    let [mut low, mut high] = TEMPERATURES.map(libm::log);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        // a falling loss: β may grow, T falls
        if slope(libm::exp(middle)) <= 0.0 { high = middle } else { low = middle }
    }
    libm::exp(0.5 * (low + high))
}

/// The threshold of the rarer of two classes at which a figure is largest; none where one of them has no sample.
fn threshold(of: &Judged, classes: &[String], temperature: f64, wanted: Wanted) -> Option<Threshold> {
    let rest = of.truth.iter().filter(|class| **class == 0).count();
    if classes.len() != 2 || rest == 0 || rest == of.truth.len() {
        return None;
    }
    let positive = usize::from(of.truth.len() - rest <= rest);
    let score = |logits: &[f32]| probabilities(logits, temperature)[positive];
    let mut ranked: Vec<(f64, bool)> =
        of.logits.chunks_exact(2).map(score).zip(of.truth.iter().map(|class| *class == positive)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let hits = ranked.iter().filter(|(_, own)| *own).count() as f64;
    let (n, mut above, mut right) = (ranked.len() as f64, 0.0, 0.0);
    let mut best: Option<(f64, f64)> = None;
    for i in 0..ranked.len() - 1 {
        above += 1.0;
        right += f64::from(u8::from(ranked[i].1));
        if ranked[i].0 == ranked[i + 1].0 {
            continue;
        }
        let at = 0.5 * (ranked[i].0 + ranked[i + 1].0);
        let figure = match wanted {
            Wanted::BalancedAccuracy => 0.5 * (right / hits + 1.0 - (above - right) / (n - hits)),
            Wanted::F1 => 2.0 * right / (hits + above),
        };
        let nearer = |other: f64| (at - 0.5).abs() < (other - 0.5).abs();
        if best.is_none_or(|(most, other)| figure > most || (figure == most && nearer(other))) {
            best = Some((figure, at));
        }
    }
    let (class, figure) = (classes[positive].clone(), wanted.name().to_owned());
    best.map(|(_, at)| Threshold { class, at, figure })
}

fn before_after(of: &Judged, classes: &[String], calibration: &Calibration, split: Split) -> BeforeAfter {
    let plain = Calibration { temperature: 1.0, threshold: None, ..calibration.clone() };
    let positive = calibration.threshold.as_ref().map(|t| t.class.as_str());
    BeforeAfter {
        split: split.to_string(),
        samples: of.truth.len() as u64,
        before: figures(of, classes, &plain, positive),
        after: figures(of, classes, calibration, positive),
    }
}

fn figures(
    of: &Judged,
    classes: &[String],
    with: &Calibration,
    positive: Option<&str>,
) -> CalibrationFigures {
    let rows = of.logits.chunks_exact(classes.len());
    let p: Vec<Vec<f64>> = rows.map(|row| probabilities(row, with.temperature)).collect();
    let score = |i: usize, class: usize| p[i][class];
    let scores = Scores::new(&Scored { classes, truth: &of.truth, score: &score, are_probabilities: true });
    let mut confusion = Confusion::new(classes.to_vec());
    for (row, (p, truth)) in of.logits.chunks_exact(classes.len()).zip(p.iter().zip(&of.truth)) {
        confusion.add(*truth, chosen(row, p, classes, with));
    }
    let of_class = |class: &str| confusion.per_class().into_iter().find(|score| score.class == class)?.f1;
    CalibrationFigures {
        calibration_error: scores.calibration_error,
        log_loss: scores.log_loss,
        accuracy: confusion.accuracy(),
        balanced_accuracy: confusion.balanced_accuracy(),
        f1: positive.and_then(of_class),
    }
}

/// The class that is answered.
fn chosen(logits: &[f32], p: &[f64], classes: &[String], with: &Calibration) -> usize {
    let Some(threshold) = &with.threshold else { return argmax(logits) };
    let positive = usize::from(classes[0] != threshold.class);
    if p[positive] >= threshold.at { positive } else { 1 - positive }
}

/// The answers of logits, calibrated.
pub(super) fn calibrated(classes: &[String], logits: &[f32], with: &Calibration) -> Answers {
    let mut answers = (Vec::new(), Vec::new());
    for row in logits.chunks_exact(classes.len()) {
        let p = probabilities(row, with.temperature);
        answers.0.push(chosen(row, &p, classes, with));
        answers.1.extend(p.iter().map(|p| *p as f32));
    }
    Answers::Classes { classes: classes.to_vec(), chosen: answers.0, scores: answers.1 }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The checked-in figures of `tests/golden/calibration/calibration.py`.
    const GOLDEN: &str = include_str!("../../tests/golden/calibration/calibration.json");

    #[test]
    fn temperatures_and_thresholds_are_scipys_and_scikit_learns() {
        let golden: Value = serde_json::from_str(GOLDEN).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let rows = case["logits"].as_array().unwrap();
            let k = rows[0].as_array().unwrap().len();
            let logits =
                rows.iter().flat_map(|row| row.as_array().unwrap()).map(|z| z.as_f64().unwrap() as f32);
            let truth = case["truth"].as_array().unwrap().iter().map(|y| y.as_u64().unwrap() as usize);
            let of = Judged { logits: logits.collect(), truth: truth.collect() };
            let classes: Vec<String> = (0..k).map(|class| class.to_string()).collect();
            let near = |got: f64, want: &Value, within: f64| {
                let want = want.as_f64().unwrap();
                assert!((got - want).abs() < within * want.abs(), "{}: {got}, expected {want}", case["name"]);
            };
            let found = temperature(&of, k);
            near(found, &case["temperature"], 1e-6);
            let mut with = Calibration {
                checkpoint: "best".into(),
                temperature: found,
                threshold: None,
                chosen_on: before(),
                judged_on: None,
            };
            let part = before_after(&of, &classes, &with, Split::Valid);
            near(part.before.log_loss.unwrap(), &case["log_loss"][0], 1e-9);
            near(part.after.log_loss.unwrap(), &case["log_loss"][1], 1e-9);
            for wanted in [Wanted::BalancedAccuracy, Wanted::F1] {
                with.threshold = threshold(&of, &classes, found, wanted);
                let want = &case[wanted.name()];
                let Some(threshold) = &with.threshold else {
                    assert!(want.is_null() && k > 2, "{want}");
                    continue;
                };
                assert_eq!(threshold.class, want["class"].to_string());
                near(threshold.at, &want["at"], 1e-5);
                let after = before_after(&of, &classes, &with, Split::Valid).after;
                let figure = if wanted == Wanted::F1 { after.f1 } else { after.balanced_accuracy };
                near(figure.unwrap(), &want["figure"], 1e-12);
            }
        }
    }

    fn before() -> BeforeAfter {
        let none = CalibrationFigures::default();
        BeforeAfter { split: "valid".into(), samples: 0, before: none.clone(), after: none }
    }

    /// A threshold lies between two classes; where one is missing there is none, and a sure model stays within bounds.
    #[test]
    fn ends_of_the_range() {
        let of = Judged { logits: vec![2.0, 0.0, 0.0, 3.0, 5.0, 1.0], truth: vec![0, 1, 0] };
        assert!((temperature(&of, 2) - TEMPERATURES[0]).abs() < 1e-9);
        let alone = Judged { logits: of.logits.clone(), truth: vec![0; 3] };
        let classes = ["a", "b"].map(String::from);
        assert_eq!(threshold(&alone, &classes, 1.0, Wanted::F1), None);
        let found = threshold(&of, &classes, 1.0, Wanted::BalancedAccuracy).unwrap();
        assert_eq!((found.class.as_str(), found.figure.as_str()), ("b", "balanced_accuracy"));
        let Answers::Classes { chosen, .. } = calibrated(
            &classes,
            &of.logits,
            &Calibration {
                checkpoint: "best".into(),
                temperature: 1.0,
                threshold: Some(Threshold { at: 0.1, ..found }),
                chosen_on: before(),
                judged_on: None,
            },
        ) else {
            panic!("classes answer")
        };
        assert_eq!(chosen, [1, 1, 0]);
    }
}
