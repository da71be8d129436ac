//! Mean square.

use super::{Compared, Costs, Loss};
use engine::graph::{Built, Graph};
use settings::{Entry, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Mse::NAME,
    summary: "mean square of the residuals",
    formula: "mean (x − y)²",
    source: "PyTorch's MSELoss: no factor ½",
    keys: Mse::KEYS,
};

settings! {
    /// The mean of (x − y)² over a sample's outputs; classes are a 1 among zeros.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Mse of "mse" {}
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
