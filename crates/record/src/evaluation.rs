//! `evaluation.json`: what the finished model gets right and wrong on one split.

use serde::{Deserialize, Serialize};

use crate::baselines::Baselines;
use crate::scores::Scores;

/// A model's answers on one split, summed up for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// `test`, `valid` or `train`.
    pub split: String,
    /// `best` or `last`.
    pub checkpoint: String,
    /// Samples looked at.
    pub samples: u64,
    /// The answers.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What simple models give for the same samples, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<Baselines>,
}

/// What kind of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// One class per sample.
    Confusion(Confusion),
    /// One number per sample and target.
    Residuals(Vec<Residuals>),
    /// Several answers per sample.
    Heads(Vec<HeadOutcome>),
}

/// The answers of one head of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadOutcome {
    /// The head's name.
    pub name: String,
    /// Samples whose target is known.
    pub samples: u64,
    /// Its answers.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Counts of (true class, predicted class), and figures of the scores behind them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ConfusionFile", into = "ConfusionFile")]
pub struct Confusion {
    classes: Vec<String>,
    counts: Vec<u64>, // [true, predicted]
    scores: Scores,
}

/// The class that most samples have; of equal ones the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Majority {
    /// The class.
    pub class: String,
    /// Its share: the accuracy of always answering it.
    pub share: f64,
}

/// Precision, recall and F1 of one class. `None` where the figure is 0/0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// The class.
    pub class: String,
    /// Samples truly of this class.
    pub support: u64,
    /// Of those said to be of this class, the share that is.
    pub precision: Option<f64>,
    /// Of those that are of this class, the share that was said to be.
    pub recall: Option<f64>,
    /// Harmonic mean of the two: 2·hits / (true + predicted).
    pub f1: Option<f64>,
}

/// A mistake and how often it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusedPair {
    /// The class it is.
    pub truth: String,
    /// The class it was taken for.
    pub predicted: String,
    /// How often.
    pub count: u64,
    /// Samples of the true class.
    pub support: u64,
}

impl Confusion {
    /// No samples yet, for these classes.
    pub fn new(classes: Vec<String>) -> Self {
        let counts = vec![0; classes.len() * classes.len()];
        Confusion { classes, counts, scores: Scores::default() }
    }

    /// The same counts with figures of the scores.
    pub fn with_scores(self, scores: Scores) -> Self {
        Confusion { scores, ..self }
    }

    /// Figures of the scores; none in files of before.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// Counts one sample; classes out of range are passed over and give `false`.
    pub fn add(&mut self, truth: usize, predicted: usize) -> bool {
        let n = self.classes.len();
        let known = truth < n && predicted < n;
        if known {
            self.counts[truth * n + predicted] += 1;
        }
        known
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Counts of one true class, by predicted class.
    pub fn row(&self, truth: usize) -> &[u64] {
        let n = self.classes.len();
        &self.counts[truth * n..(truth + 1) * n]
    }

    /// All samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Samples on the diagonal.
    pub fn correct(&self) -> u64 {
        (0..self.classes.len()).map(|i| self.row(i)[i]).sum()
    }

    /// The share of samples on the diagonal; `None` without samples.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.correct(), self.total())
    }

    /// The mean recall of the classes that samples have.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        let recalls: Vec<f64> = self.per_class().iter().filter_map(|score| score.recall).collect();
        (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64)
    }

    /// The most frequent class; `None` without samples.
    pub fn majority(&self) -> Option<Majority> {
        let support = |i: usize| self.row(i).iter().sum::<u64>();
        let most = (0..self.classes.len()).max_by_key(|i| (support(*i), std::cmp::Reverse(*i)))?;
        let class = self.classes[most].clone();
        share(support(most), self.total()).map(|share| Majority { class, share })
    }

    /// Precision, recall and F1 of each class.
    pub fn per_class(&self) -> Vec<ClassScore> {
        (0..self.classes.len()).map(|i| self.score(i)).collect()
    }

    /// The most frequent mistakes, at most `n`, most frequent first, then in class order.
    pub fn confused(&self, n: usize) -> Vec<ConfusedPair> {
        let k = self.classes.len();
        let mut wrong: Vec<usize> = (0..k * k).filter(|&i| self.counts[i] > 0 && i / k != i % k).collect();
        wrong.sort_by_key(|&i| std::cmp::Reverse(self.counts[i]));
        wrong.truncate(n);
        let pair = |i: usize| ConfusedPair {
            truth: self.classes[i / k].clone(),
            predicted: self.classes[i % k].clone(),
            count: self.counts[i],
            support: self.row(i / k).iter().sum(),
        };
        wrong.into_iter().map(pair).collect()
    }

    fn score(&self, i: usize) -> ClassScore {
        let hits = self.row(i)[i];
        let support = self.row(i).iter().sum();
        let predicted: u64 = (0..self.classes.len()).map(|t| self.row(t)[i]).sum();
        ClassScore {
            class: self.classes[i].clone(),
            support,
            precision: share(hits, predicted),
            recall: share(hits, support),
            f1: share(2 * hits, support + predicted),
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How a confusion matrix stands in the file: with the figures that follow from it, for other programs.
#[derive(Serialize, Deserialize)]
struct ConfusionFile {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>, // rows are the truth
    #[serde(default, skip_deserializing)]
    accuracy: Option<f64>,
    #[serde(default, skip_deserializing)]
    balanced_accuracy: Option<f64>,
    #[serde(default, skip_deserializing)]
    majority: Option<Majority>,
    #[serde(flatten)]
    scores: Scores,
    #[serde(default, skip_deserializing)]
    per_class: Vec<ClassScore>,
}

impl From<Confusion> for ConfusionFile {
    fn from(c: Confusion) -> Self {
        ConfusionFile {
            accuracy: c.accuracy(),
            balanced_accuracy: c.balanced_accuracy(),
            majority: c.majority(),
            per_class: c.per_class(),
            counts: (0..c.classes.len()).map(|i| c.row(i).to_vec()).collect(),
            classes: c.classes,
            scores: c.scores,
        }
    }
}

impl TryFrom<ConfusionFile> for Confusion {
    type Error = String;

    fn try_from(file: ConfusionFile) -> Result<Self, String> {
        let n = file.classes.len();
        let square = file.counts.len() == n && file.counts.iter().all(|r| r.len() == n);
        if !square {
            return Err(format!("expected {n} × {n} counts for {n} classes"));
        }
        let total = file.counts.iter().flatten().try_fold(0u64, |sum, &c| sum.checked_add(c));
        // Twice a count must fit as well, for F1.
        total.filter(|&t| t < u64::MAX / 4).ok_or("counts are too large")?;
        Ok(Confusion { classes: file.classes, counts: file.counts.concat(), scores: file.scores })
    }
}

/// True and predicted values of one target: figures over all samples, and a sample of the pairs to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// The target's name.
    pub target: String,
    /// Root of the mean squared residual; `None` where it is not finite.
    pub rmse: Option<f64>,
    /// Mean absolute residual.
    pub mae: Option<f64>,
    /// Mean of predicted minus true.
    pub bias: Option<f64>,
    /// 1 − residual sum of squares / total sum of squares; `None` where the truth is constant.
    pub r2: Option<f64>,
    /// (true, predicted), at most [`Residuals::MAX_PAIRS`], evenly spaced over the split; finite ones only.
    pub pairs: Vec<(f64, f64)>,
}

impl Residuals {
    /// Most pairs kept.
    pub const MAX_PAIRS: usize = 2000;

    /// Sums up `truth` and `predicted`, slices of equal length; the longer one is cut.
    pub fn new(target: impl Into<String>, truth: &[f32], predicted: &[f32]) -> Self {
        let pairs: Vec<(f64, f64)> =
            truth.iter().zip(predicted).map(|(&t, &p)| (f64::from(t), f64::from(p))).collect();
        let n = pairs.len() as f64;
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
        let center = mean(&|p| p.0);
        let squares = mean(&|p| (p.1 - p.0) * (p.1 - p.0));
        let spread = mean(&|p| (p.0 - center) * (p.0 - center));
        let finite = |v: f64| v.is_finite().then_some(v);
        Residuals {
            target: target.into(),
            rmse: finite(squares.sqrt()),
            mae: finite(mean(&|p| (p.1 - p.0).abs())),
            bias: finite(mean(&|p| p.1 - p.0)),
            r2: finite(1.0 - squares / spread),
            pairs: spaced(&pairs),
        }
    }
}

fn spaced(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let kept = pairs.len().min(Residuals::MAX_PAIRS);
    (0..kept)
        .map(|i| pairs[(i as u128 * pairs.len() as u128 / kept as u128) as usize])
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand.
    #[test]
    fn scores_by_hand() {
        let mut c = Confusion::new(["a", "b", "c", "never"].map(String::from).to_vec());
        for (t, p) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (2, 1)] {
            assert!(c.add(t, p));
        }
        assert!(!c.add(4, 0));
        let near =
            |got: Option<f64>, want: f64| assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} {want}");
        let s = c.per_class();
        near(s[0].precision, 1.0);
        near(s[0].recall, 2.0 / 3.0);
        near(s[0].f1, 0.8);
        near(s[1].precision, 1.0 / 3.0);
        near(s[1].recall, 0.5);
        near(s[1].f1, 0.4);
        near(s[2].f1, 0.0);
        assert_eq!((s[3].precision, s[3].recall, s[3].f1), (None, None, None));
        assert_eq!((c.total(), c.correct()), (6, 3));
        let pairs = c.confused(2);
        assert_eq!((pairs[0].truth.as_str(), pairs[0].predicted.as_str(), pairs[0].count), ("a", "b", 1));
        assert_eq!(pairs.len(), 2);
    }

    #[test]
    fn residual_figures() {
        let r = Residuals::new("y", &[1.0, 2.0, 3.0, 4.0], &[1.5, 2.0, 2.5, 5.0]);
        assert_eq!(r.bias, Some(0.25));
        assert_eq!(r.mae, Some(0.5));
        assert_eq!(r.rmse, Some((1.5f64 / 4.0).sqrt()));
        assert_eq!(r.r2, Some(1.0 - 1.5 / 5.0));
        let constant = Residuals::new("y", &[1.0; 3], &[1.0; 3]);
        assert_eq!((constant.rmse, constant.r2), (Some(0.0), None));
        let none = Residuals::new("y", &[], &[]);
        assert_eq!((none.rmse, none.pairs.len()), (None, 0));
        let bad = Residuals::new("y", &[1.0, 2.0], &[f32::NAN, 2.0]);
        assert_eq!((bad.rmse, bad.pairs.len()), (None, 1));
        assert_eq!(Residuals::new("y", &[0.0; 9001], &[1.0; 9001]).pairs.len(), Residuals::MAX_PAIRS);
    }

    #[test]
    fn a_matrix_that_is_not_square_is_refused() {
        let text = r#"{"classes":["a","b"],"counts":[[1,2]]}"#;
        let error = serde_json::from_str::<Confusion>(text).unwrap_err().to_string();
        assert!(error.contains("expected 2 × 2 counts"), "{error}");
    }
}
