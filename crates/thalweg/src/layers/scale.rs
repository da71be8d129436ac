//! A factor for every feature.

use super::Layer;
use crate::init::Constant;
use crate::model::Builder;
use engine::graph::{Built, Var};
use settings::{Entry, OutOfRange, Range, settings};

pub(super) const ENTRY: Entry = Entry {
    name: Scale::NAME,
    summary: "a trained factor for every feature or channel",
    formula: "y = γ·x, γ: [C]",
    source: "Holzmüller, Grinsztajn and Steinwart, Better by default, NeurIPS 2024, arxiv.org/abs/2407.04491 (at the inputs); \
             Touvron et al., Going deeper with image transformers, ICCV 2021, arxiv.org/abs/2103.17239 (in residual blocks)",
    keys: Scale::KEYS,
};

settings! {
    /// x: [B, .., C] -> [B, .., C]; parameter `weight: [C]`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Scale of "scale" {
        /// what every factor starts with
        pub start: f64 = 1.0, in Range::Within(f32::MIN as f64, f32::MAX as f64);
    }
}

impl Layer for Scale {
    fn kind(&self) -> &'static str {
        ENTRY.name
    }

    fn build(&self, b: &mut Builder<'_>, x: Var) -> Built {
        let channels = b.shape(x).last_dim();
        let weight = b.param("weight", [channels], Constant { value: self.start })?;
        b.mul(x, weight)
    }

    fn gain(&self) -> Option<f64> {
        None
    }

    fn check(&self) -> Result<(), OutOfRange> {
        self.in_range()
    }
}
