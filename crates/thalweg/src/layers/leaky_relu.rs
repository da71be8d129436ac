//! LeakyRelu: x above 0, slope·x below.

use super::Layer;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: LeakyRelu::NAME,
    summary: "a small slope below 0",
    formula: "x above 0, slope·x below",
    source: "Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013",
    keys: LeakyRelu::KEYS,
};

settings! {
    /// A small slope below 0: x above 0, slope·x below.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct LeakyRelu of "leaky_relu" {
        /// slope below 0
        pub slope: f64 = 0.01, in Range::Within(f32::MIN as f64, f32::MAX as f64);
    }
}

impl Layer for LeakyRelu {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        b.leaky_relu(x, self.slope as f32)
    }

    fn describe(&self) -> String {
        format!("leaky_relu(slope {})", self.slope)
    }

    fn gain(&self) -> Option<f64> {
        Some((2.0 / (1.0 + self.slope * self.slope)).sqrt())
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
