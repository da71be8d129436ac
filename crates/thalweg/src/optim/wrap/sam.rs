//! Sharpness-aware minimization: the gradient is taken where the loss is largest nearby.

use settings::{Entry, Range, settings};

use super::Wrap;
use crate::optim::{Level, Outer, OuterMemory, StepInfo, Stopped};

pub(super) const ENTRY: Entry = Entry {
    name: Sam::NAME,
    summary: "sharpness-aware minimization: two gradients per update",
    formula: "g ← ∇L(θ + ρ·∇L(θ)/|∇L(θ)|), on the same batch",
    source: "Foret, Kleiner, Mobahi, Neyshabur, Sharpness-aware minimization for efficiently improving generalization, \
             ICLR 2021, arxiv.org/abs/2010.01412",
    keys: Sam::KEYS,
};

settings! {
    /// The gradient at θ + ρ·g/‖g‖ takes the place of g, the gradient at θ; the norm is that of all parameters.
    ///
    /// Both gradients are of the same batch with the same random masks. The loss that is told and the running
    /// statistics of batch norm are those of the first. Clipping acts on the second. 1e-12 is added to the norm, as
    /// in the authors' code.
    ///
    /// Cost: twice the gradient, one vector like the parameters.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Sam of "sam" {
        /// distance ρ at which the second gradient is taken
        pub rho: f64 = 0.05, unit "of the weights", in Range::Above(0.0);
    }
}

impl Sam {
    pub(super) fn build(&self) -> Wrap {
        Wrap::Outer(Box::new(*self))
    }
}

impl Outer for Sam {
    fn n_scratch(&self) -> usize {
        1
    }

    fn gradient(
        &self,
        _info: &StepInfo,
        below: &mut dyn Level,
        memory: &mut OuterMemory<'_>,
        params: &[f32],
        out: &mut [f32],
    ) -> Result<f32, Stopped> {
        let [nearby] = memory.scratch else { unreachable!("`sam` asks for one vector") };
        let loss = below.gradient(params, out)?;
        let step = self.rho / (below.norm(out) + 1e-12);
        below.add(nearby, params, step as f32, out);
        below.gradient(nearby, out)?;
        Ok(loss)
    }
}
