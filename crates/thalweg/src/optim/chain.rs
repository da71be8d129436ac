//! A chain of stages, compiled: runs that a fused kernel covers become that kernel, and what is left runs block by
//! block while the block is in cache, so that composing costs no further pass over memory.

use kernels::update::{self as passes, AdamScale, Scale};

use super::stage::own;
use super::{Block, ElementStage, Stage, StateSpec, StepInfo, Tensor, TensorStage};
use std::sync::Arc;

/// Elements that go through all stages of a phase before the next: three or four vectors of them fit into first-level
/// cache.
const BLOCK: usize = 2048;

/// The stages of some parameters, ready to run. Phases alternate: element-wise stages, whole parameters, element-wise
/// stages, and so on.
#[derive(Debug)]
pub(super) struct Chain {
    /// The base step size, times the group's factor.
    pub lr: f64,
    phases: Vec<Phase>,
}

#[derive(Debug)]
enum Phase {
    Elements(Vec<Op>),
    Whole(Vec<Whole>),
}

#[derive(Debug)]
struct Whole {
    stage: Arc<dyn TensorStage>,
    own: Vec<usize>,
}

/// Something to do to a block, and the states that it needs among all.
#[derive(Debug)]
struct Op {
    what: What,
    own: Vec<usize>,
}

#[derive(Debug)]
enum What {
    /// Decay, direction and step in one kernel.
    Fused {
        l2: f64,
        direction: Option<Direction>,
        decay: f64,
    },
    ClipValue(f32),
    L2(f64),
    Direction(Direction),
    Decay(f64),
    Step,
    Own(Arc<dyn ElementStage>),
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Momentum { mu: f64, nesterov: bool },
    Adam { betas: [f64; 2], eps: f64, bias_correction: bool },
}

/// What a chain is run on: a piece of one parameter, or all of it.
pub(super) struct Stuff<'a, 's> {
    pub name: &'a str,
    pub shape: &'a [usize],
    pub param: &'a mut [f32],
    pub update: &'a mut [f32],
    pub states: &'a mut [&'s mut [f32]],
}

impl Chain {
    /// Compiles stages; `ids` gives each state of a stage its place among all.
    pub fn new(lr: f64, stages: &[Stage], mut ids: impl FnMut(&StateSpec) -> usize) -> Self {
        let mut own = |stage: &Stage| stage.states(&[]).iter().map(&mut ids).collect::<Vec<usize>>();
        let mut phases = Vec::new();
        let mut rest = stages;
        while !rest.is_empty() {
            let n = rest.iter().take_while(|s| !matches!(s, Stage::Tensor(_))).count();
            phases.push(Phase::Elements(elements(&rest[..n], &mut own)));
            rest = &rest[n..];
            let whole: Vec<Whole> = rest
                .iter()
                .map_while(|stage| match stage {
                    Stage::Tensor(inner) => Some(Whole { stage: inner.clone(), own: own(stage) }),
                    _ => None,
                })
                .collect();
            rest = &rest[whole.len()..];
            if !whole.is_empty() {
                phases.push(Phase::Whole(whole));
            }
        }
        Chain { lr, phases }
    }

    pub fn n_phases(&self) -> usize {
        self.phases.len()
    }

    /// Runs a phase on a piece; `info.lr` is the chain's own.
    pub fn run(&self, phase: usize, info: &StepInfo, stuff: Stuff<'_, '_>) {
        match self.phases.get(phase) {
            None => {}
            Some(Phase::Elements(ops)) => {
                run_elements(ops, &StepInfo { grad_scale: scale_of(phase, info), ..*info }, stuff)
            }
            Some(Phase::Whole(stages)) => {
                for Whole { stage, own } in stages {
                    let Stuff { name, shape, .. } = stuff;
                    let (param, update) = (&mut *stuff.param, &mut *stuff.update);
                    let mut tensor = Tensor { name, shape, param, update, states: &mut *stuff.states, own };
                    stage.apply(info, &mut tensor);
                }
            }
        }
    }
}

/// The gradient is scaled once, by the first phase.
fn scale_of(phase: usize, info: &StepInfo) -> f32 {
    if phase == 0 { info.grad_scale } else { 1.0 }
}

/// Element-wise stages as operations, those that a fused kernel covers as one.
fn elements(stages: &[Stage], own: &mut impl FnMut(&Stage) -> Vec<usize>) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut rest = stages;
    while let Some(stage) = rest.first() {
        let (what, n) = match fused(rest) {
            Some(found) => found,
            None => (single(stage), 1),
        };
        ops.push(Op { what, own: rest[..n].iter().flat_map(&mut *own).collect() });
        rest = &rest[n..];
    }
    ops
}

/// `[L2] [direction] [decay] step` at the start of the stages, as one operation, and how many stages it covers.
fn fused(stages: &[Stage]) -> Option<(What, usize)> {
    let mut n = 0;
    let mut l2 = 0.0;
    if let Some(Stage::L2(lambda)) = stages.get(n) {
        (l2, n) = (*lambda, n + 1);
    }
    let direction = stages.get(n).and_then(direction);
    n += usize::from(direction.is_some());
    let mut decay = 0.0;
    if let Some(Stage::Decay(lambda)) = stages.get(n) {
        (decay, n) = (*lambda, n + 1);
    }
    matches!(stages.get(n), Some(Stage::Step)).then_some((What::Fused { l2, direction, decay }, n + 1))
}

fn direction(stage: &Stage) -> Option<Direction> {
    match *stage {
        Stage::Momentum { mu, nesterov } => Some(Direction::Momentum { mu, nesterov }),
        Stage::Adam { betas, eps, bias_correction } => Some(Direction::Adam { betas, eps, bias_correction }),
        _ => None,
    }
}

fn single(stage: &Stage) -> What {
    if let Some(direction) = direction(stage) {
        return What::Direction(direction);
    }
    match stage {
        Stage::ClipValue(limit) => What::ClipValue(*limit),
        Stage::L2(lambda) => What::L2(*lambda),
        Stage::Decay(lambda) => What::Decay(*lambda),
        Stage::Element(own) => What::Own(own.clone()),
        Stage::Step => What::Step,
        Stage::Momentum { .. } | Stage::Adam { .. } | Stage::Tensor(_) => {
            unreachable!("directions are above, whole parameters are phases of their own")
        }
    }
}

fn run_elements(ops: &[Op], info: &StepInfo, stuff: Stuff<'_, '_>) {
    let n = stuff.param.len();
    let first_is_fused = matches!(ops, [Op { what: What::Fused { .. }, .. }, ..]);
    // One operation needs no smaller blocks: the piece is in cache.
    let step = if ops.len() == 1 { n.max(1) } else { BLOCK };
    let rest = if first_is_fused { *info } else { StepInfo { grad_scale: 1.0, ..*info } };
    for start in (0..n).step_by(step) {
        let range = start..(start + step).min(n);
        let update = &mut stuff.update[range.clone()];
        if !first_is_fused && info.grad_scale != 1.0 {
            passes::scale(info.grad_scale, update);
        }
        for (i, op) in ops.iter().enumerate() {
            let info = if i == 0 { &rest } else { &StepInfo { grad_scale: 1.0, ..rest } };
            let block = Block {
                param: &mut stuff.param[range.clone()],
                update: &mut *update,
                states: &mut *stuff.states,
                own: &op.own,
                range: range.clone(),
            };
            run_op(&op.what, info, block);
        }
    }
}

fn run_op(what: &What, info: &StepInfo, mut block: Block<'_, '_>) {
    match what {
        What::Fused { l2, direction, decay } => run_fused([*l2, *decay], *direction, info, block),
        What::ClipValue(limit) => passes::clip(*limit, block.update),
        What::L2(lambda) => passes::add(strength(*lambda, info) as f32, block.update, block.param),
        What::Direction(direction) => run_direction(*direction, info, block),
        What::Decay(lambda) => passes::scale(keep(*lambda, info), block.param),
        What::Step => passes::add(-info.lr, block.param, block.update),
        What::Own(stage) => stage.apply(info, &mut block),
    }
}

/// λ of this step.
fn strength(lambda: f64, info: &StepInfo) -> f64 {
    lambda * info.decay
}

/// What decoupled decay leaves: 1 − αλ.
fn keep(lambda: f64, info: &StepInfo) -> f32 {
    (1.0 - f64::from(info.lr) * strength(lambda, info)) as f32
}

fn run_fused([l2, decay]: [f64; 2], direction: Option<Direction>, info: &StepInfo, block: Block<'_, '_>) {
    let scale =
        Scale { lr: info.lr, grad: info.grad_scale, l2: strength(l2, info) as f32, keep: keep(decay, info) };
    let Block { param, update, states, own: ids, range } = block;
    match direction {
        None => passes::sgd(&scale, param, update),
        Some(Direction::Momentum { mu, nesterov }) => {
            let [buffer] = own(states, ids).map(|s: &mut [f32]| &mut s[range.clone()]);
            let pass = if nesterov { passes::nesterov } else { passes::momentum };
            pass(&scale, (mu * info.momentum) as f32, param, update, buffer);
        }
        Some(Direction::Adam { betas, eps, bias_correction }) => {
            let [m, v] = own(states, ids).map(|s: &mut [f32]| &mut s[range.clone()]);
            let a = adam_scale(f64::from(info.lr), betas, eps, bias_correction, info);
            passes::adam(&scale, &a, param, update, m, v);
        }
    }
}

fn run_direction(direction: Direction, info: &StepInfo, mut block: Block<'_, '_>) {
    match direction {
        Direction::Momentum { mu, nesterov } => {
            let (_, update, [buffer]) = block.split();
            passes::accumulate((mu * info.momentum) as f32, nesterov, update, buffer);
        }
        Direction::Adam { betas, eps, bias_correction } => {
            let (_, update, [m, v]) = block.split();
            passes::adam_direction(&adam_scale(1.0, betas, eps, bias_correction, info), update, m, v);
        }
    }
}

fn adam_scale(lr: f64, betas: [f64; 2], eps: f64, bias_correction: bool, info: &StepInfo) -> AdamScale {
    AdamScale::new(lr, [betas[0] * info.momentum, betas[1]], eps, bias_correction.then_some(info.step))
}
