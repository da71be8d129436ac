//! What a classifier's scores say beyond the class that comes first: rankings, and how true its probabilities are.

use serde::{Deserialize, Serialize};

/// Equal bins of the calibration error.
const BINS: usize = 15;

/// Figures of scores on one split. `None` where a figure is undefined: of a class that no sample or every sample has,
/// or where scores are not probabilities or not finite.
///
/// Areas under curves are those of one class against the rest; of more than two classes, the mean over those classes
/// that are there and not alone.
///
/// - Area under the ROC curve: how often a sample of the class has a higher score than one of the rest, ties counting
///   one half. Fawcett, An introduction to ROC analysis, 2006.
/// - Average precision: Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, without interpolation. Of two classes, that of
///   [`Scores::positive`].
/// - Log loss: the mean of −log of the true class's probability, which counts as 2⁻⁵² at least.
/// - Brier score: the mean over the samples of Σ (pₖ − yₖ)², halved for two classes, so that it is that of one of
///   them. Brier, Verification of forecasts expressed in terms of probability, 1950.
/// - Expected calibration error: Σ nᵦ/n · |accuracyᵦ − confidenceᵦ| over 15 bins of the highest probability, each as
///   wide and with its upper end. Guo et al., On calibration of modern neural networks, 2017.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    /// Of two classes, the one that average precision is of: the rarer one; of equal ones, the second.
    pub positive: Option<String>,
    /// Area under the ROC curve.
    pub roc_auc: Option<f64>,
    /// Average precision, the area under the curve of precision over recall.
    pub average_precision: Option<f64>,
    /// Mean of −log of the true class's probability.
    pub log_loss: Option<f64>,
    /// Mean squared difference of probabilities and truth.
    pub brier: Option<f64>,
    /// Expected calibration error.
    pub calibration_error: Option<f64>,
}

/// What a classifier said of samples.
pub struct Scored<'a> {
    /// Names of the classes.
    pub classes: &'a [String],
    /// The true class of each sample.
    pub truth: &'a [usize],
    /// The score of a sample for a class.
    pub score: &'a dyn Fn(usize, usize) -> f64,
    /// Whether the scores of a sample are probabilities, which add up to 1.
    pub are_probabilities: bool,
}

impl std::fmt::Debug for Scored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scored").field("classes", &self.classes.len()).finish_non_exhaustive()
    }
}

impl Scores {
    /// Sums up the scores of samples.
    pub fn new(of: &Scored<'_>) -> Self {
        let (n, k) = (of.truth.len(), of.classes.len());
        let finite = || (0..n).all(|i| (0..k).all(|class| (of.score)(i, class).is_finite()));
        if n == 0 || k < 2 || !finite() {
            return Scores::default();
        }
        let count = |class: usize| of.truth.iter().filter(|truth| **truth == class).count();
        let positive = (k == 2).then(|| usize::from(count(1) <= count(0)));
        let ranked: Vec<usize> = positive.map_or_else(|| (0..k).collect(), |class| vec![class]);
        let areas: Vec<(f64, f64)> = ranked.into_iter().filter_map(|class| of.areas(class)).collect();
        let mean = |area: fn(&(f64, f64)) -> f64| {
            (!areas.is_empty()).then(|| areas.iter().map(area).sum::<f64>() / areas.len() as f64)
        };
        Scores {
            positive: positive.map(|class| of.classes[class].clone()),
            roc_auc: mean(|area| area.0),
            average_precision: mean(|area| area.1),
            log_loss: of.are_probabilities.then(|| of.log_loss()),
            brier: of.are_probabilities.then(|| of.brier()),
            calibration_error: of.are_probabilities.then(|| of.calibration_error()),
        }
    }
}

impl Scored<'_> {
    fn mean(&self, of_sample: impl Fn(usize) -> f64) -> f64 {
        (0..self.truth.len()).map(of_sample).sum::<f64>() / self.truth.len() as f64
    }

    /// The areas under the curves of one class against the rest: ROC, and precision over recall.
    fn areas(&self, class: usize) -> Option<(f64, f64)> {
        let pair = |(i, truth): (usize, &usize)| ((self.score)(i, class), *truth == class);
        let mut pairs: Vec<(f64, bool)> = self.truth.iter().enumerate().map(pair).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let hits = pairs.iter().filter(|pair| pair.1).count() as f64;
        let misses = pairs.len() as f64 - hits;
        if hits == 0.0 || misses == 0.0 {
            return None;
        }
        // counts above each threshold, from the highest on; equal scores are passed together
        let (mut above, mut wrong_above, mut wins, mut precision) = (0.0, 0.0, 0.0, 0.0);
        for tied in pairs.chunk_by(|a, b| a.0 == b.0) {
            let right = tied.iter().filter(|pair| pair.1).count() as f64;
            let wrong = tied.len() as f64 - right;
            wins += wrong * (above + right / 2.0);
            (above, wrong_above) = (above + right, wrong_above + wrong);
            precision += right / hits * above / (above + wrong_above);
        }
        Some((wins / (hits * misses), precision))
    }

    fn log_loss(&self) -> f64 {
        self.mean(|i| -libm::log((self.score)(i, self.truth[i]).max(f64::EPSILON)))
    }

    fn brier(&self) -> f64 {
        let k = self.classes.len();
        let square = |i: usize, class: usize| {
            let far = (self.score)(i, class) - f64::from(u8::from(self.truth[i] == class));
            far * far
        };
        let sum = self.mean(|i| (0..k).map(|class| square(i, class)).sum());
        if k == 2 { sum / 2.0 } else { sum }
    }

    fn calibration_error(&self) -> f64 {
        // for each bin: Σ confidence − Σ right
        let mut gaps = [0.0; BINS];
        for (i, truth) in self.truth.iter().enumerate() {
            let scores = (0..self.classes.len()).map(|class| (class, (self.score)(i, class)));
            // of equal ones the first, as in the answers
            let (chosen, confidence) =
                scores.fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
            let bin = (confidence * BINS as f64).ceil() as usize;
            gaps[bin.clamp(1, BINS) - 1] += confidence - f64::from(u8::from(chosen == *truth));
        }
        gaps.iter().map(|gap| gap.abs()).sum::<f64>() / self.truth.len() as f64
    }
}
