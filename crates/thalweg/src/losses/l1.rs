//! Mean absolute value.

use super::{Compared, Costs, Loss};
use crate::registry::{Entry, OutOfRange};
use engine::graph::{Built, Graph};
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "l1",
    summary: "mean absolute residual",
    formula: "mean |x − y|",
    source: "PyTorch's L1Loss",
    keys: &[],
};

/// The mean of |x − y| over a sample's outputs; classes are a 1 among zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {}

impl L1 {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

impl Loss for L1 {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, g: &mut Graph, at: &Compared<'_>) -> Built<Costs> {
        let target = at.target_rows(g)?;
        g.l1(at.outputs, target).map(Costs::from)
    }
}
