//! Which loss is made small, and its settings.

use crate::registry::{Entry, Key, OutOfRange, Range};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Every loss's facts.
pub const ALL: &[Entry] = &[AUTO, CROSS_ENTROPY, BCE, MSE, HUBER, L1];

const AUTO: Entry = Entry {
    name: "auto",
    summary: "cross entropy for classes, mean square for numbers",
    formula: "cross_entropy or mse",
    source: "",
    keys: &[],
};

const CROSS_ENTROPY: Entry = Entry {
    name: "cross_entropy",
    summary: "minus the log of the true class's probability",
    formula: "−Σ wᵧ log softmax(x)ᵧ / Σ wᵧ",
    source: "PyTorch's CrossEntropyLoss; smoothing: Szegedy et al., Rethinking the Inception architecture, 2016",
    keys: &[
        Key {
            name: "smoothing",
            default: "0.0",
            unit: "",
            range: Range::Below(0.0, 1.0),
            help: "share ε of the target spread over all classes: y(1 − ε) + ε/K",
        },
        Key {
            name: "class_weights",
            default: "\"none\"",
            unit: "",
            range: Range::Other("`none`, `balanced` (n / (K·n_class)), or a list with a weight for each class"),
            help: "how much each class counts: none, balanced, or a list",
        },
    ],
};

const BCE: Entry = Entry {
    name: "bce",
    summary: "binary cross entropy of each output, with its sigmoid",
    formula: "mean of max(x, 0) − x·y + log(1 + e^−|x|)",
    source: "PyTorch's BCEWithLogitsLoss",
    keys: &[],
};

const MSE: Entry = Entry {
    name: "mse",
    summary: "mean square of the residuals",
    formula: "mean (x − y)²",
    source: "PyTorch's MSELoss: no factor ½",
    keys: &[],
};

const HUBER: Entry = Entry {
    name: "huber",
    summary: "square for small residuals, straight for large ones",
    formula: "½r² for |r| ≤ δ, else δ(|r| − ½δ)",
    source: "Huber, Robust estimation of a location parameter, 1964; PyTorch's HuberLoss",
    keys: &[Key {
        name: "delta",
        default: "1.0",
        unit: "of the target",
        range: Range::Above(0.0),
        help: "residual δ at which the line takes over",
    }],
};

const L1: Entry = Entry {
    name: "l1",
    summary: "mean absolute residual",
    formula: "mean |x − y|",
    source: "PyTorch's L1Loss",
    keys: &[],
};

/// A loss and its settings: `"mse"`, or a table such as `{ name = "huber", delta = 2.0 }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum LossConfig {
    /// Cross entropy for classes, mean square for numbers.
    #[default]
    Auto,
    /// Softmax and negative log likelihood.
    CrossEntropy(CrossEntropyConfig),
    /// Sigmoid and binary cross entropy of each output.
    Bce,
    /// Mean square.
    Mse,
    /// Square, then straight.
    Huber(HuberConfig),
    /// Mean absolute value.
    L1,
}

/// Settings of the cross entropy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropyConfig {
    /// Share ε of the target that is spread over all classes; 0.
    pub smoothing: f64,
    /// How much each class counts; all the same.
    pub class_weights: ClassWeights,
}

/// Settings of Huber's loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HuberConfig {
    /// Residual δ at which the line takes over; 1.
    pub delta: f64,
}

impl Default for HuberConfig {
    fn default() -> Self {
        HuberConfig { delta: 1.0 }
    }
}

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

#[derive(Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
enum Table {
    Auto,
    CrossEntropy(CrossEntropyConfig),
    Bce,
    Mse,
    Huber(HuberConfig),
    L1,
}

impl LossConfig {
    /// Facts about the chosen loss.
    pub fn entry(&self) -> &'static Entry {
        match self {
            LossConfig::Auto => &AUTO,
            LossConfig::CrossEntropy(_) => &CROSS_ENTROPY,
            LossConfig::Bce => &BCE,
            LossConfig::Mse => &MSE,
            LossConfig::Huber(_) => &HUBER,
            LossConfig::L1 => &L1,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first key whose value is not allowed.
    pub fn check(&self) -> Result<(), OutOfRange> {
        match self {
            LossConfig::CrossEntropy(c) => {
                CROSS_ENTROPY.check("smoothing", c.smoothing)?;
                let ClassWeights::List(weights) = &c.class_weights else { return Ok(()) };
                match weights.iter().find(|w| !Range::AtLeast(0.0).allows(**w)) {
                    Some(&value) => Err(OutOfRange {
                        of: CROSS_ENTROPY.name,
                        key: "class_weights",
                        value,
                        allowed: Range::AtLeast(0.0),
                        default: "\"none\"",
                    }),
                    None => Ok(()),
                }
            }
            LossConfig::Huber(h) => HUBER.check("delta", h.delta),
            _ => Ok(()),
        }
    }
}

impl From<Table> for LossConfig {
    fn from(table: Table) -> Self {
        match table {
            Table::Auto => LossConfig::Auto,
            Table::CrossEntropy(c) => LossConfig::CrossEntropy(c),
            Table::Bce => LossConfig::Bce,
            Table::Mse => LossConfig::Mse,
            Table::Huber(h) => LossConfig::Huber(h),
            Table::L1 => LossConfig::L1,
        }
    }
}

impl<'de> Deserialize<'de> for LossConfig {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::registry::name_or_table::<D, Table>(from).map(Self::from)
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
