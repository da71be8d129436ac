//! Outer stages: they wrap a whole optimizer, may ask for the gradient at other weights, and may move the weights
//! themselves.

use std::fmt::Debug;

use engine::StateVec;

use super::StepInfo;
use super::updater::Stopped;

/// What an outer stage wraps: the optimizer, or another outer stage around it.
pub trait Level {
    /// The loss of this update's batch at some weights, and its gradient into `out`.
    ///
    /// # Errors
    /// When the loss is not finite.
    fn gradient(&mut self, params: &[f32], out: &mut [f32]) -> Result<f32, Stopped>;

    /// Moves the weights along a gradient, which it may overwrite.
    ///
    /// # Errors
    /// When an outer stage below asked for a gradient and the loss was not finite.
    fn apply(&mut self, params: &mut [f32], gradient: &mut [f32]) -> Result<(), Stopped>;

    /// Euclidean length of a vector like the parameters: the same bits for any number of threads.
    fn norm(&mut self, x: &[f32]) -> f64;

    /// out ← a + s·b, on all threads.
    fn add(&mut self, out: &mut [f32], a: &[f32], s: f32, b: &mut [f32]);
}

/// A stage around the whole optimizer. Each of its two questions is answered by what it wraps, unless it does
/// otherwise.
pub trait Outer: Send + Sync + Debug {
    /// Names of what it keeps from step to step, each a vector like the parameters that starts at zero. None.
    fn states(&self) -> Vec<String> {
        Vec::new()
    }

    /// Vectors like the parameters that it needs within a step only. None.
    fn n_scratch(&self) -> usize {
        0
    }

    /// Which gradient the weights move along, and the loss that is told. SAM's is that of other weights.
    ///
    /// # Errors
    /// When the loss is not finite.
    fn gradient(
        &self,
        _info: &StepInfo,
        below: &mut dyn Level,
        _memory: &mut OuterMemory<'_>,
        params: &[f32],
        out: &mut [f32],
    ) -> Result<f32, Stopped> {
        below.gradient(params, out)
    }

    /// How the weights move along a gradient. A line search tries several lengths.
    ///
    /// # Errors
    /// When it asked for a gradient and the loss was not finite; the weights must then be as before.
    fn apply(
        &self,
        _info: &StepInfo,
        below: &mut dyn Level,
        _memory: &mut OuterMemory<'_>,
        params: &mut [f32],
        gradient: &mut [f32],
    ) -> Result<(), Stopped> {
        below.apply(params, gradient)
    }
}

/// The memory of an outer stage.
#[derive(Debug)]
pub struct OuterMemory<'a> {
    /// What it keeps, in the order of [`Outer::states`].
    pub states: &'a mut [StateVec],
    /// What it may write to within a step.
    pub scratch: &'a mut [Vec<f32>],
}

/// An outer stage with what it wraps.
struct Wrapped<'a> {
    outer: &'a dyn Outer,
    info: StepInfo,
    memory: OuterMemory<'a>,
    below: &'a mut dyn Level,
}

impl Level for Wrapped<'_> {
    fn gradient(&mut self, params: &[f32], out: &mut [f32]) -> Result<f32, Stopped> {
        self.outer.gradient(&self.info, self.below, &mut self.memory, params, out)
    }

    fn apply(&mut self, params: &mut [f32], gradient: &mut [f32]) -> Result<(), Stopped> {
        self.outer.apply(&self.info, self.below, &mut self.memory, params, gradient)
    }

    fn norm(&mut self, x: &[f32]) -> f64 {
        self.below.norm(x)
    }

    fn add(&mut self, out: &mut [f32], a: &[f32], s: f32, b: &mut [f32]) {
        self.below.add(out, a, s, b);
    }
}

/// One update through outer stages, each with the number of states that it keeps; the first is the innermost.
pub(super) fn step(
    outers: &[(Box<dyn Outer>, usize)],
    memory: OuterMemory<'_>,
    info: StepInfo,
    below: &mut dyn Level,
    (params, gradient): (&mut [f32], &mut [f32]),
) -> Result<f32, Stopped> {
    let Some(((outer, n_states), outers)) = outers.split_first() else {
        let loss = below.gradient(params, gradient)?;
        below.apply(params, gradient)?;
        return Ok(loss);
    };
    let (states, other_states) = memory.states.split_at_mut(*n_states);
    let (scratch, other_scratch) = memory.scratch.split_at_mut(outer.n_scratch());
    let memory = OuterMemory { states, scratch };
    let mut level = Wrapped { outer: &**outer, info, memory, below };
    let others = OuterMemory { states: other_states, scratch: other_scratch };
    step(outers, others, info, &mut level, (params, gradient))
}
