//! Which loss a run makes small, as nodes of its graph, and how its values add up to a mean.

use engine::graph::{Built, Graph, Var};
use engine::ops::losses::{CrossEntropy, Loss};

use super::error::TrainError;
use super::prepared::Prepared;
use crate::config::{ClassWeights, LossConfig};
use crate::data::Dataset;
#[cfg(feature = "runs")]
use crate::data::Task;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    CrossEntropy { smoothing: f32 },
    Bce,
    Mse,
    Huber { delta: f32 },
    L1,
}

/// What mixed samples have besides their own targets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixture {
    /// the partners' targets, shaped like the targets
    pub partner: Var,
    /// share of the own target, `[batch]`
    pub own: Var,
}

impl Mixture {
    /// own · a + (1 − own) · b for `a: [batch]`, `b: [batch]`.
    fn blend(&self, g: &mut Graph, a: Var, b: Var) -> Built {
        let difference = g.sub(a, b)?;
        let part = g.mul(self.own, difference)?;
        g.add(b, part)
    }
}

/// A loss chosen for the targets at hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Objective {
    kind: Kind,
    classes: Option<usize>,
    outputs: usize,
    class_weights: Vec<f32>,
}

impl Objective {
    pub fn new(config: &LossConfig, data: &Prepared) -> Result<Self, TrainError> {
        let classes = data.set.n_classes();
        let kind = match (config, classes) {
            (LossConfig::Auto, Some(_)) => Kind::CrossEntropy { smoothing: 0.0 },
            (LossConfig::Auto | LossConfig::Mse, _) => Kind::Mse,
            (LossConfig::CrossEntropy(c), Some(_)) => Kind::CrossEntropy { smoothing: c.smoothing as f32 },
            (LossConfig::CrossEntropy(_), None) => {
                let targets = "numbers".to_owned();
                return Err(TrainError::Loss { loss: "cross_entropy", needs: "classes", targets });
            }
            (LossConfig::Bce, _) => Kind::Bce,
            (LossConfig::Huber(h), _) => Kind::Huber { delta: h.delta as f32 },
            (LossConfig::L1, _) => Kind::L1,
        };
        if let (Kind::Bce, None) = (kind, classes)
            && let Some(y) = data.set.targets.iter().find(|y| !(0.0..=1.0).contains(*y))
        {
            return Err(TrainError::Loss {
                loss: "bce",
                needs: "targets between 0 and 1",
                targets: format!("such as {y}"),
            });
        }
        let class_weights = match (config, classes) {
            (LossConfig::CrossEntropy(c), Some(k)) => {
                class_weights(&c.class_weights, k, &data.set, &data.splits.train)?
            }
            _ => Vec::new(),
        };
        Ok(Objective { kind, classes, outputs: data.n_outputs(), class_weights })
    }

    /// Shape of the targets of a batch.
    pub fn target_shape(&self, batch: usize) -> Vec<usize> {
        if self.classes.is_some() { vec![batch] } else { vec![batch, self.outputs] }
    }

    /// Values that the graph keeps for the loss behind those of the model.
    pub fn buffers(&self) -> &[f32] {
        &self.class_weights
    }

    /// Adds the loss of `outputs` to a graph. That of a mixed sample is
    /// own · L(target) + (1 − own) · L(partner); where classes have weights, the mean divides by the sum of the weights
    /// mixed alike.
    pub fn build(&self, g: &mut Graph, outputs: Var, target: Var, mixture: Option<Mixture>) -> Built<Loss> {
        g.scope("loss", |g| {
            let weights = match self.class_weights.len() {
                0 => None,
                k => Some(g.buffer("class_weights", [k])?.0),
            };
            let one = self.one(g, outputs, target, weights)?;
            let Some(mixture) = mixture else { return Ok(one) };
            let other = self.one(g, outputs, mixture.partner, weights)?;
            let each = mixture.blend(g, one.each, other.each)?;
            let mean = match weights {
                None => g.mean(each)?,
                Some(weights) => {
                    let [one, other] = [target, mixture.partner].map(|t| self.weights_of(g, t, weights));
                    let weight = mixture.blend(g, one?, other?)?;
                    let (sum, divisor) = (g.sum(each)?, g.sum(weight)?);
                    g.div(sum, divisor)?
                }
            };
            Ok(Loss { each, mean })
        })
    }

    /// The loss with one target.
    fn one(&self, g: &mut Graph, outputs: Var, target: Var, weights: Option<Var>) -> Built<Loss> {
        if let Kind::CrossEntropy { smoothing } = self.kind {
            return g.cross_entropy(outputs, target, CrossEntropy { smoothing, weights });
        }
        let target = match self.classes {
            Some(k) => g.one_hot(target, k)?,
            None => target,
        };
        match self.kind {
            Kind::Bce => g.bce_with_logits(outputs, target),
            Kind::Huber { delta } => g.huber(outputs, target, delta),
            Kind::L1 => g.l1(outputs, target),
            Kind::Mse | Kind::CrossEntropy { .. } => g.mse(outputs, target),
        }
    }

    /// The weight of each sample's class, `[batch]`.
    fn weights_of(&self, g: &mut Graph, labels: Var, weights: Var) -> Built {
        let hot = g.one_hot(labels, self.outputs)?;
        let picked = g.mul(hot, weights)?;
        let row = g.sum_axes(picked, 1, 2)?;
        let batch = g.shape(labels)[0];
        g.reshape(row, [batch])
    }

    /// What a sample counts in the mean.
    pub fn weight(&self, target: f32) -> f64 {
        self.class_weights.get(target as usize).map_or(1.0, |w| f64::from(*w))
    }

    /// Whether numbers as targets are answers to yes-or-no questions.
    pub fn is_yes_or_no(&self) -> bool {
        self.kind == Kind::Bce && self.classes.is_none()
    }
}

fn class_weights(
    config: &ClassWeights,
    k: usize,
    set: &Dataset,
    train: &[u32],
) -> Result<Vec<f32>, TrainError> {
    match config {
        ClassWeights::None => Ok(Vec::new()),
        ClassWeights::List(list) if list.len() == k => Ok(list.iter().map(|w| *w as f32).collect()),
        ClassWeights::List(list) => Err(TrainError::ClassWeights { got: list.len(), expected: k }),
        ClassWeights::Balanced => {
            let mut counts = vec![0usize; k];
            train.iter().for_each(|i| counts[set.targets[*i as usize] as usize] += 1);
            // a class without samples weighs nothing: there is nothing to weigh
            let weight = |n: &usize| if *n == 0 { 0.0 } else { train.len() as f32 / (k * n) as f32 };
            Ok(counts.iter().map(weight).collect())
        }
    }
}

/// Names of what a task is judged by: the main metric.
#[cfg(feature = "runs")]
pub(super) fn main_metric(task: &Task, objective: &Objective) -> &'static str {
    match task {
        Task::Classification { .. } => "accuracy",
        Task::Regression { .. } if objective.is_yes_or_no() => "accuracy",
        Task::Regression { .. } => "r2",
    }
}
