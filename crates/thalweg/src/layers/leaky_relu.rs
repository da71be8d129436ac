//! LeakyRelu: x above 0, slope·x below.

use super::Layer;
use crate::model::Builder;
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Var};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "leaky_relu",
    summary: "a small slope below 0",
    formula: "x above 0, slope·x below",
    source: "Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013",
    keys: &[Key {
        name: "slope",
        default: "0.01",
        unit: "",
        range: Range::Within(f32::MIN as f64, f32::MAX as f64),
        help: "slope below 0",
    }],
};

/// A small slope below 0: x above 0, slope·x below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyRelu {
    /// Slope below 0; 0.01.
    pub slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { slope: 0.01 }
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
        ENTRY.check("slope", self.slope)
    }
}
