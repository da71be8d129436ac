//! Dropout: in training each value is dropped with a given probability, and those that stay grow to make up for it.

use super::Layer;
use crate::model::{Builder, Masks};
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "dropout",
    summary: "drops values at random while training",
    formula: "y = x·m/(1 − drop), m = 0 with probability drop, else 1; in evaluation y = x",
    source: "Srivastava et al., Dropout, JMLR 2014, in the inverted form of PyTorch and Keras; the paper's p is the \
             probability of keeping",
    keys: &[Key {
        name: "drop",
        default: "0.5",
        unit: "",
        range: Range::Below(0.0, 1.0),
        help: "probability of dropping a value",
    }],
};

/// Inverted dropout; nothing in evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dropout {
    /// Probability of *dropping* a value; 0.5.
    pub drop: f64,
}

impl Default for Dropout {
    fn default() -> Self {
        Dropout { drop: 0.5 }
    }
}

impl Layer for Dropout {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        match b.behavior().masks {
            Masks::Drawn => b.dropout(x, self.drop as f32),
            Masks::Off => Ok(x),
        }
    }

    fn describe(&self) -> String {
        format!("dropout({})", self.drop)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("drop", self.drop)
    }
}
