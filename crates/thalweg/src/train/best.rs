//! Which epoch is the best one: that of the best metric, of equal ones that of the lower validation loss. On few
//! samples the loss alone decides, because their accuracy is coarse.

use std::cmp::Ordering;

use record::{Figures, Goal};

use super::error::TrainError;
use super::state::Best;
use super::trainer::Trainer;
use crate::config::RunConfig;

/// What is measured whenever something was trained.
const TRAIN_LOSS: &str = "train_loss";
/// Breaks ties.
const VALID_LOSS: &str = "valid_loss";
/// With fewer validation samples, one of them is more than a point of accuracy.
const FEW: usize = 100;

/// The metric that tells the best epoch.
pub(super) struct Judge {
    name: String,
}

/// What an epoch is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Worth {
    value: f64,
    goal: Goal,
    /// of the validation part, infinite where it was not measured
    loss: f64,
}

impl Judge {
    pub fn of(config: &RunConfig, trainer: &Trainer) -> Self {
        let has_valid = !trainer.parts.valid.numbers.is_empty();
        let name = match config.save.best.as_str() {
            "auto" if !has_valid => TRAIN_LOSS.to_owned(),
            "auto" if is_coarse(trainer) => VALID_LOSS.to_owned(),
            "auto" => format!("valid_{}", trainer.session.objective.main_metric()),
            named => named.to_owned(),
        };
        Judge { name }
    }

    /// What is said where the loss decides in the place of a coarse accuracy.
    pub fn said(config: &RunConfig, trainer: &Trainer) -> Option<String> {
        let n = trainer.parts.valid.numbers.len();
        (config.save.best == "auto" && n > 0 && is_coarse(trainer)).then(|| {
            let samples = if n == 1 { "1 validation sample" } else { &format!("{n} validation samples") };
            format!(
                "accuracy on {samples} is coarse, so the lowest `valid_loss` decides which epoch is best; \
                 `save.best=valid_accuracy` lets accuracy decide"
            )
        })
    }

    /// The figures as the best ones, if they are better than those of before; the first figures always are.
    ///
    /// # Errors
    /// [`TrainError::Metric`] where figures do not have the metric.
    pub fn best(&self, figures: &Figures, before: Option<&Best>) -> Result<Option<Best>, TrainError> {
        let now = self.worth(figures)?;
        let better = match before {
            Some(best) => now.is_better(&self.worth(&best.figures)?),
            None => true,
        };
        Ok(better.then(|| Best { value: now.value, figures: figures.clone() }))
    }

    /// Judges the best epoch so far by this metric: a resumed run may have chosen another one.
    pub fn judge_again(&self, best: &mut Option<Best>) -> Result<(), TrainError> {
        if let Some(best) = best {
            best.value = self.worth(&best.figures)?.value;
        }
        Ok(())
    }

    /// What is said where the metric is not a number and another one decides.
    pub fn note(&self, figures: &Figures) -> Option<String> {
        let instead = instead_of_r2(&self.name, figures)?;
        Some(format!(
            "`{}` is undefined because all targets of the validation part are equal: the lowest `{instead}` decides which epoch is best",
            self.name
        ))
    }

    fn worth(&self, figures: &Figures) -> Result<Worth, TrainError> {
        let instead = instead_of_r2(&self.name, figures);
        let name = instead.as_deref().unwrap_or(&self.name);
        let value = figures.metrics.get(name);
        if value.is_none() && name != TRAIN_LOSS {
            let known = figures.metrics.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(TrainError::Metric { name: self.name.clone(), known });
        }
        let loss = figures.metrics.get(VALID_LOSS).filter(|loss| loss.is_finite());
        let (value, loss) = (value.unwrap_or(f64::NAN), loss.unwrap_or(f64::INFINITY));
        Ok(Worth { value, goal: goal(name), loss })
    }
}

/// Whether one validation sample is more than a point of the accuracy that would decide.
fn is_coarse(trainer: &Trainer) -> bool {
    trainer.parts.valid.numbers.len() < FEW && trainer.session.objective.main_metric() == "accuracy"
}

impl Worth {
    fn is_better(&self, before: &Worth) -> bool {
        if !self.value.is_finite() || !before.value.is_finite() {
            return self.value.is_finite();
        }
        let order = self.value.total_cmp(&before.value);
        match if self.goal == Goal::Max { order } else { order.reverse() } {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => self.loss < before.loss,
        }
    }
}

/// Which way a metric should go.
pub(super) fn goal(metric: &str) -> Goal {
    if metric.ends_with("loss") || metric.ends_with("rmse") { Goal::Min } else { Goal::Max }
}

/// The root mean square error's name, in place of an R² that is undefined: it puts epochs in the same order.
pub(super) fn instead_of_r2(name: &str, figures: &Figures) -> Option<String> {
    let instead = format!("{}rmse", name.strip_suffix("r2")?);
    let undefined = figures.metrics.get(name)?.is_nan();
    (undefined && figures.metrics.get(&instead)?.is_finite()).then_some(instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The positions of the figures that became the best ones.
    fn chosen(name: &str, epochs: &[&[(&str, f64)]]) -> Vec<usize> {
        let judge = Judge { name: name.into() };
        let mut best = None;
        let mut out = Vec::new();
        for (i, metrics) in epochs.iter().enumerate() {
            let metrics = metrics.iter().copied().collect();
            let figures = Figures { metrics, ..Figures::default() };
            if let Some(better) = judge.best(&figures, best.as_ref()).unwrap() {
                best = Some(better);
                out.push(i);
            }
        }
        out
    }

    #[test]
    fn a_tie_goes_to_the_lower_validation_loss() {
        let epoch = |accuracy, loss| [("valid_accuracy", accuracy), ("valid_loss", loss)];
        let epochs = [epoch(0.9, 0.5), epoch(0.9, 0.6), epoch(0.9, 0.4), epoch(0.8, 0.1), epoch(1.0, 9.0)];
        let epochs: Vec<&[(&str, f64)]> = epochs.iter().map(|e| &e[..]).collect();
        assert_eq!(chosen("valid_accuracy", &epochs), [0, 2, 4]);
        // of the same losses the first stays, and a loss that is not finite is never the better one
        let epochs = [epoch(0.9, f64::NAN), epoch(0.9, 0.5), epoch(0.9, 0.5), epoch(0.9, f64::NEG_INFINITY)];
        let epochs: Vec<&[(&str, f64)]> = epochs.iter().map(|e| &e[..]).collect();
        assert_eq!(chosen("valid_accuracy", &epochs), [0, 1]);
    }

    #[test]
    fn where_r2_is_undefined_the_error_decides() {
        let epoch = |r2, rmse| [("valid_r2", r2), ("valid_rmse", rmse), ("valid_loss", 1.0)];
        let undefined = [epoch(f64::NAN, 3.0), epoch(f64::NAN, 2.0), epoch(f64::NAN, 2.5)];
        let undefined: Vec<&[(&str, f64)]> = undefined.iter().map(|e| &e[..]).collect();
        assert_eq!(chosen("valid_r2", &undefined), [0, 1]);
        let defined = [epoch(-3.0, 3.0), epoch(0.5, 2.0), epoch(0.4, 1.0)];
        let defined: Vec<&[(&str, f64)]> = defined.iter().map(|e| &e[..]).collect();
        assert_eq!(chosen("valid_r2", &defined), [0, 1]);
    }

    #[test]
    fn the_first_number_replaces_what_is_none() {
        let epochs: [&[(&str, f64)]; 3] =
            [&[("valid_loss", f64::NAN)], &[("valid_loss", f64::INFINITY)], &[("valid_loss", 4.0)]];
        assert_eq!(chosen("valid_loss", &epochs), [0, 2]);
        assert_eq!(chosen("train_loss", &[&[], &[("train_loss", 1.0)]]), [0, 1]);
        let judge = Judge { name: "valid_top3".into() };
        assert!(judge.best(&Figures::default(), None).is_err());
    }
}
