//! Huber's loss: square for small residuals, straight for large ones.

use super::{Compared, Costs, Loss};
use crate::registry::{Entry, Key, OutOfRange, Range};
use engine::graph::{Built, Graph};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
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

/// The mean over a sample's outputs of ½r² for |r| ≤ δ, else δ(|r| − ½δ), with r = x − y.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// Residual δ at which the line takes over; 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl Huber {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        ENTRY.check("delta", self.delta)
    }
}

impl Loss for Huber {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let target = at.target_rows(g)?;
        g.huber(at.outputs, target, self.delta as f32).map(Costs::from)
    }
}
