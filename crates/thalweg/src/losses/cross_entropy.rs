//! Cross entropy: minus the log of the true class's probability.

use super::{Compared, Costs, Loss, LossError, Probabilities, Targets};
use crate::data::Task;
use engine::graph::{Built, Graph, Var};
use engine::ops::losses;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use settings::{Entry, Key, OutOfRange, Range, Setting, settings};
use std::fmt;

pub(super) const ENTRY: Entry = Entry {
    name: CrossEntropy::NAME,
    summary: "minus the log of the true class's probability",
    formula: "−Σ wᵧ log softmax(x)ᵧ / Σ wᵧ",
    source: "PyTorch's CrossEntropyLoss; smoothing: Szegedy et al., Rethinking the Inception architecture, 2016",
    keys: CrossEntropy::KEYS,
};

settings! {
    /// Softmax and negative log likelihood of the true class.
    ///
    /// The mean divides by the sum of the weights of the samples' classes.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CrossEntropy of "cross_entropy" {
        /// share ε of the target spread over all classes: y(1 − ε) + ε/K
        pub smoothing: f64 = 0.0, in Range::Below(0.0, 1.0);
        /// weight of each class: none, balanced, or a list
        pub class_weights: ClassWeights = ClassWeights::None => "\"none\"", in CLASS_WEIGHTS;
    }
}

const CLASS_WEIGHTS: Range = Range::Told(
    &Range::AtLeast(0.0),
    "`none`, `balanced` (n / (K·n_class)), or a list with a weight for each class",
);

/// How much each class counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// n / (K · n_class), counted on the training samples.
    Balanced,
    /// These, one for each class.
    List(Vec<f64>),
}

impl Setting for ClassWeights {
    fn check(&self, of: &'static str, key: &Key) -> Result<(), OutOfRange> {
        match self {
            ClassWeights::List(weights) => weights.check(of, key),
            _ => Ok(()),
        }
    }
}

impl CrossEntropy {
    /// The weight of each sample's class, `[B]`.
    fn weights_of(&self, g: &mut Graph, at: &Compared<'_>, weights: Var) -> Built {
        let hot = at.target_rows(g)?;
        let picked = g.mul(hot, weights)?;
        let row = g.sum_axes(picked, 1, 2)?;
        let batch = g.shape(at.target)[0];
        g.reshape(row, [batch])
    }
}

impl Loss for CrossEntropy {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn fit(&self, targets: &Targets<'_>) -> Result<Vec<f32>, LossError> {
        let Task::Classification { classes } = targets.task() else {
            let (needs, targets) = ("classes", "numbers".to_owned());
            return Err(LossError::Targets { loss: ENTRY.name, needs, targets });
        };
        let k = classes.len();
        match &self.class_weights {
            ClassWeights::None => Ok(Vec::new()),
            ClassWeights::List(list) if list.len() == k => Ok(list.iter().map(|w| *w as f32).collect()),
            ClassWeights::List(list) => Err(LossError::ClassWeights { got: list.len(), expected: k }),
            ClassWeights::Balanced => {
                let (mut counts, mut n) = (vec![0usize; k], 0);
                targets.each_train(|row| {
                    if !row[0].is_nan() {
                        counts[row[0] as usize] += 1;
                        n += 1;
                    }
                })?;
                // a class without training samples weighs 1, so that its samples to validate on count for something
                let weight = |count: &usize| if *count == 0 { 1.0 } else { n as f32 / (k * count) as f32 };
                Ok(counts.iter().map(weight).collect())
            }
        }
    }

    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let options = losses::CrossEntropy { smoothing: self.smoothing as f32, weights: at.constants };
        let loss = g.cross_entropy(at.outputs, at.target, options)?;
        let weight = at.constants.map(|weights| self.weights_of(g, at, weights)).transpose()?;
        Ok(Costs { each: loss.each, weight, mean: loss.mean })
    }

    fn weight(&self, constants: &[f32], class: f32) -> f64 {
        constants.get(class as usize).map_or(1.0, |w| f64::from(*w))
    }

    fn probabilities(&self) -> Probabilities {
        Probabilities::Softmax
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::None => to.serialize_str("none"),
            ClassWeights::Balanced => to.serialize_str("balanced"),
            ClassWeights::List(weights) => weights.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = ClassWeights;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`none`, `balanced`, or a list with a weight for each class")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<ClassWeights, E> {
                match word {
                    "none" => Ok(ClassWeights::None),
                    "balanced" => Ok(ClassWeights::Balanced),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ClassWeights, A::Error> {
                let mut weights = Vec::new();
                while let Some(weight) = seq.next_element()? {
                    weights.push(weight);
                }
                Ok(ClassWeights::List(weights))
            }
        }
        from.deserialize_any(Read)
    }
}
