//! A recipe ready for a model: chains for every parameter, the states that they keep, and one update.

use std::sync::Arc;

use engine::{Executor, Layout, Piece, Slot, StateVec, Update};

use super::average::Average;
use super::chain::{Chain, Stuff};
use super::outer::{self, Level, OuterMemory};
use super::{
    Factors, NamedState, Optimizer, Outer, Recipe, RecipeError, Stage, Start, StateSpec, StepInfo, groups,
};

/// The loss is not finite, or the batch could not be run; who supplies the gradient knows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// One part of the batch of an update.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its number, from 0.
    pub index: usize,
    /// Whether this is the first time that it is run in this update: only then figures and running statistics count.
    pub first: bool,
}

/// Supplies loss and gradient of one update's batch, in one part or several.
pub trait Slope {
    /// Parts that the batch is run in.
    fn n_parts(&self) -> usize {
        1
    }

    /// What a part counts in the batch's mean: its samples, or the sum of their weights.
    fn weight(&self, _part: usize) -> f64 {
        1.0
    }

    /// Takes a part through the model at these weights and gives its loss.
    ///
    /// # Errors
    /// When the loss is not finite, or the part cannot be run.
    fn run(&mut self, part: Part, params: &[f32]) -> Result<f32, Stopped>;

    /// What ran last: completes its gradients.
    fn program(&mut self) -> &mut Executor;
}

/// An optimizer with all that goes around it, ready for a model's parameters.
#[derive(Debug)]
pub struct Updater {
    recipe: Recipe,
    params: Layout,
    chains: Vec<Chain>,
    /// for each parameter its chain; none where it is frozen
    chain_of: Vec<Option<usize>>,
    group_of: Vec<Option<usize>>,
    /// for each parameter the state that holds the average of its weights; none where there is none
    average_of: Vec<Option<usize>>,
    n_phases: usize,
    states: Vec<NamedState>,
    /// how many of the states are those of chains; the others are those of outer stages
    n_chain_states: usize,
    /// the recipe's outer stages, each with the number of its states
    outers: Vec<(Box<dyn Outer>, usize)>,
    /// the whole gradient, where it is needed, since the first step that needed it
    gradient: Vec<f32>,
    /// what outer stages write to within a step
    scratch: Vec<Vec<f32>>,
}

impl Updater {
    /// Makes a recipe ready for parameters.
    ///
    /// # Errors
    /// When a pattern fits no parameter, or nothing is left to train.
    pub fn new(recipe: Recipe, params: &Layout) -> Result<Self, RecipeError> {
        let names: Vec<&str> = params.slots.iter().map(|s| s.name.as_str()).collect();
        let group_of = groups::assign(&recipe.groups, &names)?;
        check_decay(&recipe, params, &group_of)?;
        let mut updater = Updater {
            chain_of: vec![None; params.slots.len()],
            average_of: vec![None; params.slots.len()],
            group_of,
            recipe,
            params: params.clone(),
            chains: Vec::new(),
            n_phases: 1,
            states: Vec::new(),
            n_chain_states: 0,
            outers: Vec::new(),
            gradient: Vec::new(),
            scratch: Vec::new(),
        };
        updater.add_chains();
        updater.add_outer_states();
        Ok(updater)
    }

    fn add_chains(&mut self) {
        let mut known: Vec<(Option<usize>, u64)> = Vec::new();
        let mut wanted = Vec::new();
        let params = self.params.clone();
        for (p, slot) in params.slots.iter().enumerate() {
            let (group, Some((lr, decay, stages))) = (self.group_of[p], self.stages_of(p)) else { continue };
            let ids: Vec<usize> = specs_of(&stages, &slot.shape)
                .into_iter()
                .map(|(name, spec)| {
                    let id = self.state_named(&mut wanted, name, spec.start);
                    if spec.shape != [0] {
                        self.states[id].add(p, &spec.shape);
                    }
                    id
                })
                .collect();
            // the average is the last stage, and keeps nothing else
            self.average_of[p] = if self.averages() { ids.last().copied() } else { None };
            let key = (group, decay.to_bits());
            let at = known.iter().position(|k| *k == key).unwrap_or_else(|| {
                let mut next = ids.iter().copied();
                let id = |_: &StateSpec| next.next().unwrap_or_else(|| unreachable!("one id for each state"));
                let chain = Chain::new(lr, &stages, id);
                self.n_phases = self.n_phases.max(chain.n_phases());
                self.chains.push(chain);
                known.push(key);
                known.len() - 1
            });
            self.chain_of[p] = Some(at);
        }
        self.n_chain_states = self.states.len();
    }

    /// Step size, strength of decay and stages of a parameter; none where it is frozen.
    fn stages_of(&self, param: usize) -> Option<(f64, f64, Vec<Stage>)> {
        let recipe = &self.recipe;
        let slot = &self.params.slots[param];
        let group = self.group_of[param].map(|i| &recipe.groups[i]);
        if group.is_some_and(|g| g.freeze) {
            return None;
        }
        let optimizer = group.and_then(|g| g.optimizer.as_ref()).unwrap_or(&recipe.optimizer);
        let by_rule = match optimizer.decay_on().decays(&slot.name, slot.shape.len()) {
            true => optimizer.weight_decay(),
            false => 0.0,
        };
        let decay = group.and_then(|g| g.weight_decay).unwrap_or(by_rule);
        let lr = optimizer.lr() * group.map_or(1.0, |g| g.lr_factor);
        let clip = recipe.clip_value.map(|clip| Stage::ClipValue(clip.limit()));
        let average = recipe.average.map(|average| Stage::Element(Arc::new(average)));
        let behind = recipe.behind.iter().cloned().map(Stage::Element).chain(average);
        Some((lr, decay, clip.into_iter().chain(optimizer.stages(decay)).chain(behind).collect()))
    }

    /// The state that several chains may share: `wanted` is what each of the states was asked for as.
    fn state_named(&mut self, wanted: &mut Vec<(String, Start)>, name: String, start: Start) -> usize {
        let asked = (name, start);
        wanted.iter().position(|one| *one == asked).unwrap_or_else(|| {
            let name = unique(&asked.0, self.states.iter().map(|s| s.name.as_str()));
            self.states.push(NamedState::new(name, start, &self.params));
            wanted.push(asked);
            wanted.len() - 1
        })
    }

    fn add_outer_states(&mut self) {
        for outer in std::mem::take(&mut self.recipe.outers) {
            let names = outer.states();
            self.outers.push((outer, names.len()));
            for name in names {
                let shape = |slot: &Slot| Some(slot.shape.to_vec());
                let name = unique(&name, self.states.iter().map(|s| s.name.as_str()));
                self.states.push(NamedState::of(name, &self.params, shape));
            }
        }
    }

    /// The optimizer that parameters have which no group gives another.
    pub fn optimizer(&self) -> &dyn Optimizer {
        &*self.recipe.optimizer
    }

    /// What is kept from step to step, in the order of a checkpoint.
    pub fn states(&self) -> &[NamedState] {
        &self.states
    }

    /// The states before the first update of these parameters.
    pub fn start(&self, params: &[f32]) -> Vec<StateVec> {
        let one = |named: &NamedState| {
            let mut state = named.zeros();
            for (p, slot) in self.params.slots.iter().enumerate().filter(|_| named.start == Start::Param) {
                let (own, whole) = (state.range(p), slot.range());
                if own.len() == whole.len() {
                    state.values_mut()[own].copy_from_slice(&params[whole]);
                }
            }
            state
        };
        self.states.iter().map(one).collect()
    }

    /// For each parameter whether it stays as it is.
    pub fn frozen(&self) -> Vec<bool> {
        self.chain_of.iter().map(Option::is_none).collect()
    }

    /// The step size of the update that follows `done` updates, without the factors of groups.
    pub fn lr(&self, done: u64) -> f32 {
        (self.recipe.optimizer.lr() * self.recipe.factors(done).lr) as f32
    }

    /// What groups there are, a line each, for people.
    pub fn notes(&self) -> Vec<String> {
        let line = |(i, group): (usize, &super::Group)| {
            let own = self.params.slots.iter().zip(&self.group_of).filter(|(_, g)| **g == Some(i));
            let (count, numbers) = own.fold((0, 0), |(c, n), (slot, _)| (c + 1, n + slot.shape.numel()));
            let mut words = Vec::new();
            if group.freeze {
                words.push("frozen".to_owned());
            } else {
                words.extend((group.lr_factor != 1.0).then(|| format!("lr times {}", group.lr_factor)));
                words.extend(group.weight_decay.map(|decay| format!("weight decay {decay}")));
                words.extend(group.optimizer.is_some().then(|| "an optimizer of their own".to_owned()));
            }
            format!(
                "group `{}`: {count} parameters of {numbers} numbers, {}",
                group.pattern,
                words.join(", ")
            )
        };
        self.recipe.groups.iter().enumerate().map(line).collect()
    }

    /// Whether an average of the weights is kept.
    pub fn averages(&self) -> bool {
        self.recipe.average.is_some()
    }

    /// The averaged weights after `done` updates, where there are any by then; frozen parameters are as they are.
    pub fn averaged(&self, params: &[f32], states: &[StateVec], done: u64) -> Option<Vec<f32>> {
        self.recipe.average.filter(|average: &Average| average.count(done) > 0)?;
        let mut averaged = params.to_vec();
        for (p, slot) in self.params.slots.iter().enumerate() {
            let Some(at) = self.average_of[p] else { continue };
            let (own, whole) = (states[at].range(p), slot.range());
            if own.len() == whole.len() {
                averaged[whole].copy_from_slice(&states[at].values()[own]);
            }
        }
        Some(averaged)
    }

    /// Whether an update of that many parts is one pass, which needs no gradient in memory.
    fn is_one_pass(&self, n_parts: usize) -> bool {
        self.n_phases == 1 && self.recipe.clip_norm.is_none() && self.outers.is_empty() && n_parts == 1
    }

    /// Vectors like the parameters that outer stages write to within a step.
    fn n_scratch(&self) -> usize {
        self.outers.iter().map(|(outer, _)| outer.n_scratch()).sum()
    }

    /// Vectors like the parameters that updates of that many parts take, besides the parameters and the states.
    pub fn n_vectors(&self, n_parts: usize) -> usize {
        if self.is_one_pass(n_parts) { 0 } else { 1 + self.n_scratch() }
    }

    /// One update, the one after `done`, and the loss before it. Nothing is allocated after the first of a kind.
    ///
    /// # Errors
    /// When the loss is not finite; parameters and states are then as before.
    pub fn step(
        &mut self,
        done: u64,
        slope: &mut dyn Slope,
        params: &mut [f32],
        states: &mut [StateVec],
    ) -> Result<f32, Stopped> {
        let Factors { lr, momentum, decay } = self.recipe.factors(done);
        let info = StepInfo { step: done + 1, lr: self.lr(done), momentum, decay, grad_scale: 1.0 };
        let (clips, outer) = (self.recipe.clip_norm.is_some(), !self.outers.is_empty());
        if self.is_one_pass(slope.n_parts()) {
            let loss = slope.run(Part { index: 0, first: true }, params)?;
            slope.program().update(params, states, &Pass { updater: self, info, lr, phase: 0 });
            return Ok(loss);
        }
        let mut gradient = std::mem::take(&mut self.gradient);
        let mut scratch = std::mem::take(&mut self.scratch);
        gradient.resize(self.params.len(), 0.0);
        scratch.resize_with(self.n_scratch(), || vec![0.0; self.params.len()]);
        let (own, others) = states.split_at_mut(self.n_chain_states);
        let squares = clips && !outer && slope.n_parts() == 1;
        let mut base =
            Base { updater: self, slope, states: own, info, lr, first: true, squares, squared: None };
        let memory = OuterMemory { states: others, scratch: &mut scratch };
        let result = outer::step(&self.outers, memory, info, &mut base, (params, &mut gradient));
        (self.gradient, self.scratch) = (gradient, scratch);
        result
    }
}

/// Patterns of `decay_on` that fit none of the parameters that they are for.
fn check_decay(recipe: &Recipe, params: &Layout, group_of: &[Option<usize>]) -> Result<(), RecipeError> {
    let infos = || params.slots.iter().map(|s| (s.name.as_str(), s.shape.len()));
    recipe.optimizer.decay_on().apply(&infos().collect::<Vec<_>>())?;
    for (i, group) in recipe.groups.iter().enumerate() {
        if let Some(optimizer) = &group.optimizer {
            let own = infos().zip(group_of).filter(|(_, g)| **g == Some(i)).map(|(info, _)| info);
            optimizer.decay_on().apply(&own.collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// What stages keep, with names that differ within the chain.
fn specs_of(stages: &[Stage], shape: &[usize]) -> Vec<(String, StateSpec)> {
    let mut found: Vec<(String, StateSpec)> = Vec::new();
    for spec in stages.iter().flat_map(|stage| stage.states(shape)) {
        let name = unique(&spec.name, found.iter().map(|(name, _)| name.as_str()));
        found.push((name, spec));
    }
    found
}

/// The name, or the first of `NAME_2`, `NAME_3` and so on that is not taken.
fn unique<'a>(name: &str, taken: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut found = name.to_owned();
    for i in 2.. {
        if !taken.clone().any(|other| other == found) {
            break;
        }
        found = format!("{name}_{i}");
    }
    found
}

/// One phase of one update.
struct Pass<'a> {
    updater: &'a Updater,
    info: StepInfo,
    lr: f64,
    phase: usize,
}

impl Update for Pass<'_> {
    fn apply(&self, piece: Piece) {
        let Some(chain) = self.updater.chain_of[piece.param].map(|c| &self.updater.chains[c]) else { return };
        let slot = &self.updater.params.slots[piece.param];
        let info = StepInfo { lr: (chain.lr * self.lr) as f32, ..self.info };
        let stuff = Stuff {
            name: &slot.name,
            shape: &slot.shape,
            param: piece.values,
            update: piece.gradient,
            states: piece.states,
        };
        chain.run(self.phase, &info, stuff);
    }
}

/// The innermost level: the batch's gradient, and the chains.
struct Base<'a> {
    updater: &'a Updater,
    slope: &'a mut dyn Slope,
    states: &'a mut [StateVec],
    info: StepInfo,
    /// the schedule's factor of step sizes
    lr: f64,
    /// whether no gradient has been taken yet
    first: bool,
    /// whether gradients are squared as they are completed
    squares: bool,
    squared: Option<f64>,
}

/// Adds a share of a gradient to a sum.
struct AddUp(f32);

impl Update for AddUp {
    fn apply(&self, piece: Piece) {
        kernels::update::add(self.0, piece.values, piece.gradient);
    }
}

impl Level for Base<'_> {
    fn gradient(&mut self, params: &[f32], out: &mut [f32]) -> Result<f32, Stopped> {
        let first = std::mem::replace(&mut self.first, false);
        let n_parts = self.slope.n_parts();
        if n_parts == 1 {
            let loss = self.slope.run(Part { index: 0, first }, params)?;
            match self.squares {
                true => self.squared = Some(self.slope.program().gradients_squared(out)),
                false => self.slope.program().gradients(out),
            }
            return Ok(loss);
        }
        let total: f64 = (0..n_parts).map(|part| self.slope.weight(part)).sum();
        out.fill(0.0);
        let mut loss = 0.0;
        for index in 0..n_parts {
            // where no sample of any part counts, nothing is learned
            let share = if total > 0.0 { self.slope.weight(index) / total } else { 0.0 };
            loss += f64::from(self.slope.run(Part { index, first }, params)?) * share;
            self.slope.program().update(out, &mut [], &AddUp(share as f32));
        }
        Ok(loss as f32)
    }

    fn apply(&mut self, params: &mut [f32], gradient: &mut [f32]) -> Result<(), Stopped> {
        let program = self.slope.program();
        let mut info = self.info;
        if let Some(clip) = self.updater.recipe.clip_norm {
            let squared = self.squared.take().unwrap_or_else(|| program.sum_squares(gradient));
            info.grad_scale = clip.factor(squared.sqrt());
        }
        for phase in 0..self.updater.n_phases {
            let pass = Pass { updater: self.updater, info, lr: self.lr, phase };
            match phase.is_multiple_of(2) {
                true => program.apply(params, gradient, self.states, &pass),
                false => program.apply_whole(params, gradient, self.states, &pass),
            }
        }
        Ok(())
    }

    fn norm(&mut self, x: &[f32]) -> f64 {
        self.slope.program().sum_squares(x).sqrt()
    }

    fn add(&mut self, out: &mut [f32], a: &[f32], s: f32, b: &mut [f32]) {
        out.copy_from_slice(a);
        self.slope.program().apply(out, b, &mut [], &AddUp(s));
    }
}
