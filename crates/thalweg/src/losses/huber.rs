//! Huber's loss: square for small residuals, straight for large ones.

use super::{Compared, Costs, Loss};
use engine::graph::{Built, Graph};
use settings::{Entry, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Huber::NAME,
    summary: "square for small residuals, straight for large ones",
    formula: "½r² for |r| ≤ δ, else δ(|r| − ½δ)",
    source: "Huber, Robust estimation of a location parameter, 1964; PyTorch's HuberLoss",
    keys: Huber::KEYS,
};

settings! {
    /// The mean over a sample's outputs of ½r² for |r| ≤ δ, else δ(|r| − ½δ), with r = x − y.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Huber of "huber" {
        /// residual δ at which the line takes over
        pub delta: f64 = 1.0, unit "of the target", in Range::Above(0.0);
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
