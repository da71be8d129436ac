//! Mean absolute value.

use super::{Compared, Costs, Loss};
use engine::graph::{Built, Graph};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: L1::NAME,
    summary: "mean absolute residual",
    formula: "mean |x − y|",
    source: "PyTorch's L1Loss",
    keys: L1::KEYS,
};

settings! {
    /// The mean of |x − y| over a sample's outputs; classes are a 1 among zeros.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct L1 of "l1" {}
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
