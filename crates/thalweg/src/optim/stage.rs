//! The stages of an optimizer: what each sees, what it keeps from step to step.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use super::StepInfo;

/// One stage of a chain. The update u starts as the gradient; [`Stage::Step`] moves the parameter along it.
#[derive(Clone, Debug)]
pub enum Stage {
    /// u ← u, each element cut to ±limit.
    ClipValue(f32),
    /// u ← u + λθ: the gradient of the penalty ½λ‖θ‖², or, behind Adam's direction, decay that a trust ratio scales.
    L2(f64),
    /// b ← μb + u; u ← b, or with Nesterov's step u + μb. State: `momentum_buffer`.
    Momentum {
        /// Share μ of the buffer that goes on.
        mu: f64,
        /// Whether the step looks ahead.
        nesterov: bool,
    },
    /// u ← m̂/(√v̂ + ε). States: `exp_avg`, `exp_avg_sq`.
    Adam {
        /// Decay of the averages of u and u².
        betas: [f64; 2],
        /// Added to the root.
        eps: f64,
        /// Whether the averages are divided by 1 − βᵗ.
        bias_correction: bool,
    },
    /// θ ← (1 − αλ)θ.
    Decay(f64),
    /// θ ← θ − αu.
    Step,
    /// One of one's own that acts on each element.
    Element(Arc<dyn ElementStage>),
    /// One of one's own that needs the parameter as a whole.
    Tensor(Arc<dyn TensorStage>),
}

/// A stage that acts on each element by itself. It runs on blocks of a few thousand elements while they are in cache,
/// from several threads; where the blocks are cut must not matter.
pub trait ElementStage: Send + Sync + Debug {
    /// What it keeps of a parameter of this shape; each state must have the parameter's shape. Nothing.
    fn states(&self, _shape: &[usize]) -> Vec<StateSpec> {
        Vec::new()
    }

    /// Edits a block. No allocation.
    fn apply(&self, info: &StepInfo, block: &mut Block<'_, '_>);
}

/// A stage that sees one whole parameter. Parameters are shared out among threads, and each is one thread's, so that
/// sums within it have one order.
pub trait TensorStage: Send + Sync + Debug {
    /// What it keeps of a parameter of this shape: the same names in the same order for every shape; a state that a
    /// shape does not need has the shape `[0]`. Nothing.
    fn states(&self, _shape: &[usize]) -> Vec<StateSpec> {
        Vec::new()
    }

    /// Edits the update, or the parameter. No allocation.
    fn apply(&self, info: &StepInfo, tensor: &mut Tensor<'_, '_>);
}

/// What a stage keeps of a parameter from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct StateSpec {
    /// In a checkpoint the state of `0.weight` is called `optimizer.NAME.0.weight`.
    pub name: Cow<'static, str>,
    /// Any shape: the parameter's, a vector of its rows, `[]` for a number.
    pub shape: Vec<usize>,
    /// What it holds before the first step.
    pub start: Start,
}

/// What a state holds before the first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Zeros.
    Zero,
    /// The parameter as it starts; for states of the parameter's shape.
    Param,
}

impl StateSpec {
    /// A state of the parameter's shape that starts at zero.
    pub fn like(name: &'static str, shape: &[usize]) -> Self {
        StateSpec { name: name.into(), shape: shape.to_vec(), start: Start::Zero }
    }

    /// A state of the parameter's shape that starts as the parameter.
    pub fn copy(name: &'static str, shape: &[usize]) -> Self {
        StateSpec { start: Start::Param, ..StateSpec::like(name, shape) }
    }
}

/// A block of the flat vectors, cut anywhere in one parameter; all slices are equally long.
#[derive(Debug)]
pub struct Block<'a, 's> {
    /// Parameters θ.
    pub param: &'a mut [f32],
    /// The update u so far: at first the gradient, scaled where it is clipped.
    pub update: &'a mut [f32],
    pub(super) states: &'a mut [&'s mut [f32]],
    /// The own states among all, and the block in them.
    pub(super) own: &'a [usize],
    pub(super) range: std::ops::Range<usize>,
}

impl Block<'_, '_> {
    /// Parameters, update, and the stage's states in the order of [`ElementStage::states`].
    ///
    /// # Panics
    /// When `N` is not the number of states.
    pub fn split<const N: usize>(&mut self) -> (&mut [f32], &mut [f32], [&mut [f32]; N]) {
        let states = own(self.states, self.own).map(|s: &mut [f32]| &mut s[self.range.clone()]);
        (self.param, self.update, states)
    }
}

/// One whole parameter.
#[derive(Debug)]
pub struct Tensor<'a, 's> {
    /// Such as `0.weight`.
    pub name: &'a str,
    /// Its shape in memory; of a convolution `[kh, kw, in, out]`.
    pub shape: &'a [usize],
    /// Parameters θ.
    pub param: &'a mut [f32],
    /// The update u so far.
    pub update: &'a mut [f32],
    pub(super) states: &'a mut [&'s mut [f32]],
    pub(super) own: &'a [usize],
}

impl Tensor<'_, '_> {
    /// Parameters, update, and the stage's states in the order of [`TensorStage::states`].
    ///
    /// # Panics
    /// When `N` is not the number of states.
    pub fn split<const N: usize>(&mut self) -> (&mut [f32], &mut [f32], [&mut [f32]; N]) {
        (self.param, self.update, own(self.states, self.own))
    }

    /// Euclidean length, added in a fixed order in f64.
    pub fn norm(x: &[f32]) -> f64 {
        kernels::update::sum_squares(x).sqrt()
    }
}

/// The states of a stage among all of a piece.
pub(super) fn own<'b, const N: usize>(states: &'b mut [&mut [f32]], own: &[usize]) -> [&'b mut [f32]; N] {
    assert_eq!(own.len(), N, "states that a stage keeps, and that it asks for");
    let ids: [usize; N] = std::array::from_fn(|i| own[i]);
    let Ok(found) = states.get_disjoint_mut(ids) else { unreachable!("each state has a place of its own") };
    found.map(|s| &mut **s)
}

impl Stage {
    /// What the stage keeps of a parameter of this shape.
    pub fn states(&self, shape: &[usize]) -> Vec<StateSpec> {
        let like = |name| StateSpec::like(name, shape);
        match self {
            Stage::Momentum { .. } => vec![like("momentum_buffer")],
            Stage::Adam { .. } => vec![like("exp_avg"), like("exp_avg_sq")],
            Stage::Element(own) => own.states(shape),
            Stage::Tensor(own) => own.states(shape),
            Stage::ClipValue(_) | Stage::L2(_) | Stage::Decay(_) | Stage::Step => Vec::new(),
        }
    }
}
