//! Binary cross entropy of each output, with its sigmoid.

use super::{Compared, Costs, Loss, LossError, Probabilities, Targets};
use crate::data::Task;
use engine::graph::{Built, Graph};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Bce::NAME,
    summary: "binary cross entropy of each output, with its sigmoid",
    formula: "mean of max(x, 0) − x·y + log(1 + e^−|x|)",
    source: "PyTorch's BCEWithLogitsLoss",
    keys: Bce::KEYS,
};

settings! {
    /// The mean over a sample's outputs of −y·log σ(x) − (1 − y)·log(1 − σ(x)), for targets from 0 to 1; classes are
    /// a 1 among zeros.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Bce of "bce" {}
}

impl Loss for Bce {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn fit(&self, targets: &Targets<'_>) -> Result<Vec<f32>, LossError> {
        if let Task::Regression { .. } = targets.task() {
            let mut beyond = None;
            let outside = |y: &&f32| !y.is_nan() && !(0.0..=1.0).contains(*y);
            targets.each_sample(|row| beyond = beyond.or(row.iter().find(outside).copied()))?;
            if let Some(y) = beyond {
                let (needs, targets) = ("targets between 0 and 1", format!("such as {y}"));
                return Err(LossError::Targets { loss: ENTRY.name, needs, targets });
            }
        }
        Ok(Vec::new())
    }

    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let target = at.target_rows(g)?;
        g.bce_with_logits(at.outputs, target).map(Costs::from)
    }

    fn probabilities(&self) -> Probabilities {
        Probabilities::Sigmoid
    }
}
