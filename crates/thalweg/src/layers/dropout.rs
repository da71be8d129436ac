//! Dropout: in training each value is dropped with a given probability, and those that stay grow to make up for it.

use super::Layer;
use crate::model::{Builder, Masks};
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Dropout::NAME,
    summary: "drops values at random while training",
    formula: "y = x·m/(1 − drop), m = 0 with probability drop, else 1; in evaluation y = x",
    source: "Srivastava et al., Dropout, JMLR 2014, in the inverted form of PyTorch and Keras; the paper's p is the \
             probability of keeping",
    keys: Dropout::KEYS,
};

settings! {
    /// Inverted dropout; nothing in evaluation.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Dropout of "dropout" {
        /// probability of dropping a value
        pub drop: f64 = 0.5, in Range::Below(0.0, 1.0);
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
        self.in_range()
    }
}
