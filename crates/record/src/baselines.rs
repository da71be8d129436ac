//! What simple models give for the same samples, beside the network's figure: whether the network is worth it.

use serde::{Deserialize, Serialize};

/// Standard errors by which a gain must exceed nothing, to be no accident of the samples.
const BEYOND_NOISE: f64 = 2.0;

/// Figures of simple models that were fitted on the training part and measured on the samples of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// `accuracy`, or `rmse` in the targets' own unit.
    pub metric: String,
    /// The network's figure.
    pub network: Option<f64>,
    /// The simple models, the simplest first.
    pub models: Vec<Baseline>,
    /// The network against the linear model, sample by sample; none where that was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_linear: Option<Gain>,
}

/// One simple model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// `majority`, `mean`, `linear model` or `nearest neighbors`.
    pub name: String,
    /// Its figure.
    pub value: Option<f64>,
    /// Why it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// By how much the network is better, with the standard error of a mean of paired differences.
///
/// The difference of a sample is 1, 0 or −1 where classes are right or wrong, and (residual of the linear model)² −
/// (residual of the network)² of numbers, the mean over the targets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Mean of the differences; positive where the network is better.
    pub mean: f64,
    /// Their sample standard deviation over the root of their number; none of one sample.
    pub standard_error: Option<f64>,
}

impl Gain {
    /// The gain of paired differences.
    pub fn new(differences: &[f64]) -> Self {
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let squares = differences.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        let standard_error = (differences.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        Gain { mean, standard_error }
    }

    /// Whether the network is better by more than the noise of the samples, which is two standard errors.
    pub fn is_beyond_noise(&self) -> bool {
        self.standard_error.is_some_and(|error| self.mean > BEYOND_NOISE * error)
    }

    /// Whether the linear model is, by as much.
    pub fn is_loss_beyond_noise(&self) -> bool {
        self.standard_error.is_some_and(|error| self.mean < -BEYOND_NOISE * error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 2 of 8 samples are right by the network alone, 1 by the linear model alone.
    #[test]
    fn paired_differences() {
        let gain = Gain::new(&[1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(gain.mean, 0.125);
        let error = gain.standard_error.unwrap();
        assert!((error - (2.875f64 / 7.0 / 8.0).sqrt()).abs() < 1e-15, "{error}");
        assert!(!gain.is_beyond_noise() && !gain.is_loss_beyond_noise());
        assert!(Gain::new(&[1.0, 1.0, 1.0, 0.9]).is_beyond_noise());
        assert!(Gain::new(&[-1.0, -1.0, -1.0, -0.9]).is_loss_beyond_noise());
        assert!(!Gain::new(&[1.0]).is_beyond_noise() && !Gain::new(&[0.0; 9]).is_beyond_noise());
    }
}
