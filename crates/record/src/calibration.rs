//! `calibration.json`: a temperature and a threshold chosen on the validation part, beside the weights.

use serde::{Deserialize, Serialize};

/// What a classifier's probabilities are corrected by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The weights that it belongs to: `best` or `last`.
    pub checkpoint: String,
    /// The logits are divided by it.
    pub temperature: f64,
    /// Of two classes, from which probability on the rarer one is answered.
    pub threshold: Option<Threshold>,
    /// Figures of the part on which both were chosen.
    pub chosen_on: BeforeAfter,
    /// Figures of samples that had no part in it, where there are some.
    pub judged_on: Option<BeforeAfter>,
}

/// From which probability on a class is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The class: the rarer one of the part; of equal ones the second.
    pub class: String,
    /// Its smallest probability, after the temperature.
    pub at: f64,
    /// What is largest there: `balanced_accuracy` or `f1`.
    pub figure: String,
}

/// Figures of samples as the model answers, and as it answers with the calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeforeAfter {
    /// `valid` or `test`.
    pub split: String,
    /// Samples looked at.
    pub samples: u64,
    /// Without calibration.
    pub before: CalibrationFigures,
    /// With it.
    pub after: CalibrationFigures,
}

/// Figures that a calibration changes. `None` where one is undefined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFigures {
    /// Expected calibration error.
    pub calibration_error: Option<f64>,
    /// Mean of −log of the true class's probability.
    pub log_loss: Option<f64>,
    /// Share of samples that are right.
    pub accuracy: Option<f64>,
    /// Mean recall.
    pub balanced_accuracy: Option<f64>,
    /// Of two classes, F1 of the threshold's.
    pub f1: Option<f64>,
}
