//! Mean square.

use super::{Compared, Costs, Loss};
use crate::registry::{Entry, OutOfRange};
use engine::graph::{Built, Graph};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "mse",
    summary: "mean square of the residuals",
    formula: "mean (x − y)²",
    source: "PyTorch's MSELoss: no factor ½",
    keys: &[],
};

/// The mean of (x − y)² over a sample's outputs; classes are a 1 among zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mse {}

impl Mse {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

impl Loss for Mse {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let target = at.target_rows(g)?;
        g.mse(at.outputs, target).map(Costs::from)
    }
}
