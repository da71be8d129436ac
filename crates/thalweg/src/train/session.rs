//! A model, its loss, and the programs that were compiled of them, each at its first use.

use std::collections::HashMap;
use std::sync::Arc;

use engine::exec::MAX_WORKERS;
use engine::graph::{Built, Graph, Var};
use engine::{Draw, Executor, Fault, GraphError, Plan, PlanOptions, Pool};

use super::error::TrainError;
use super::memory;
use super::objective::{Mixture, Objective, Term, Total, Truth, of_members};
use super::program::{Batch, Blueprint, Fed, Feeding, Output, Program, ProgramKey, Quantity, Work};
use crate::data::Task;
use crate::losses::Costs;
use crate::model::{Model, Traced};
use crate::source::{Pass, Source};

/// A model, its loss, and the programs compiled so far.
#[derive(Debug)]
pub struct Session {
    /// the model
    pub model: Model,
    pub(super) objective: Objective,
    /// whether training has two targets a sample
    mixes: bool,
    /// where samples have weights, the factor that brings those to train on near 1
    weighs: Option<f64>,
    /// for each parameter whether it stays as it is
    frozen: Vec<bool>,
    pool: Arc<Pool>,
    shards: usize,
    plans: HashMap<ProgramKey, (Blueprint, Arc<Plan>)>,
    programs: HashMap<ProgramKey, Program>,
}

impl Session {
    pub(super) fn new(model: Model, objective: Objective, threads: usize, shards: usize) -> Self {
        let pool = Arc::new(Pool::new(threads.clamp(1, MAX_WORKERS)));
        let (plans, programs) = (HashMap::new(), HashMap::new());
        let (mixes, weighs, frozen) = (false, None, vec![false; model.params().slots.len()]);
        Session { model, objective, mixes, weighs, frozen, pool, shards: shards.max(1), plans, programs }
    }

    /// Trains on mixed samples, whose batches have a second target and the share of the first.
    pub(super) fn mix(&mut self) {
        self.mixes = true;
        self.forget();
    }

    /// Trains on samples with weights, each times a factor.
    pub(super) fn weigh(&mut self, factor: f64) {
        self.weighs = Some(factor);
        self.forget();
    }

    #[cfg(feature = "runs")]
    /// Takes another loss; programs of the old one are given up.
    pub(super) fn set_objective(&mut self, objective: Objective) {
        self.objective = objective;
        self.forget();
    }

    /// Leaves parameters as they are: their gradients are not computed.
    pub(super) fn freeze(&mut self, frozen: Vec<bool>) {
        self.frozen = frozen;
        self.forget();
    }

    /// Gives up what was compiled.
    fn forget(&mut self) {
        self.plans.clear();
        self.programs.clear();
    }

    /// The graph of a program.
    ///
    /// # Errors
    /// When a layer cannot train on so small a batch, or a probe names a layer that there is not.
    pub fn graph(&self, key: &ProgramKey) -> Built<Blueprint> {
        let (mut g, batch) = (Graph::new(), key.batch);
        let mut fed = vec![Fed::Inputs];
        let x = self.model.input(&mut g, batch)?;
        let truths = match key.work {
            Work::Answer => Vec::new(),
            Work::Train | Work::Measure => self.truths(&mut g, key, &mut fed, Whose::Own)?,
        };
        let (outputs, layers) = self.model.trace(&mut g, x, key.behavior())?;
        let mixture = if self.mixes && key.work == Work::Train {
            let partners = self.truths(&mut g, key, &mut fed, Whose::Partner)?;
            fed.push(Fed::Share);
            Some(Mixture { partners, own: g.input("own_share", [batch])? })
        } else {
            None
        };
        let answers = match self.model.is_ensemble() {
            true => self.objective.joined(&mut g, outputs)?,
            false => outputs,
        };
        let judged = match key.work {
            Work::Train if self.model.is_ensemble() => of_members(&mut g, outputs)?,
            _ => vec![answers],
        };
        let loss = match key.work {
            Work::Answer => None,
            Work::Train | Work::Measure => {
                Some(self.objective.build(&mut g, &judged, &truths, mixture.as_ref())?)
            }
        };
        let mut named = loss.as_ref().map_or_else(Vec::new, |loss| self.named(key.work, loss, answers));
        named.push((Output::Outputs, answers, answers));

        let params = if key.work == Work::Train { self.model.param_vars(&g) } else { Vec::new() };
        let probed =
            key.probes.iter().map(|p| find(&g, &layers, &p.layer)).collect::<Built<Vec<&Traced>>>()?;
        let pairs = || key.probes.iter().zip(&probed);
        let results = pairs().filter(|(p, _)| p.quantity == Quantity::Gradient).map(|(_, l)| l.output);
        let moves = params.iter().zip(&self.frozen).filter(|(_, frozen)| !**frozen).map(|(v, _)| *v);
        let sources: Vec<_> = moves.clone().chain(results).collect();
        let gradients = match loss {
            _ if sources.is_empty() => Vec::new(),
            Some(loss) => g.gradients(loss.mean, &sources)?,
            None => return Err(g.error("probe", Fault::NoGradient)),
        };
        let (moving, of_results) = gradients.split_at(moves.count());
        let mut moving = moving.iter().copied();
        let one = |(v, frozen): (&Var, &bool)| {
            if *frozen {
                let shape = g.shape(*v).clone();
                return g.constant(0.0, shape);
            }
            moving.next().ok_or_else(|| unreachable!("a gradient for each parameter that is trained"))
        };
        let gradients = params.iter().zip(&self.frozen).map(one).collect::<Built<Vec<Var>>>()?;
        let mut of_results = of_results.iter();
        for (probe, layer) in pairs() {
            let value = match probe.quantity {
                Quantity::Result => Some(layer.output),
                Quantity::Gradient => of_results.next().copied(),
                Quantity::Moments => Some(g.batch_moments(layer.input)?),
            };
            named.extend(value.map(|v| (Output::Probe(probe.clone()), v, layer.input)));
        }
        let map = |what: &Fed| match what {
            Fed::Target(head) | Fed::Partner(head) => self.objective.terms()[*head].head.map.clone(),
            _ => None,
        };
        let factor = if key.work == Work::Train { self.weighs } else { None };
        let fed = fed.into_iter().map(|what| Feeding { map: map(&what), what, factor }).collect();
        Ok(Blueprint::new(g, gradients, named, fed))
    }

    /// The losses that a program gives, each with what it is made of.
    fn named(&self, work: Work, loss: &Total, answers: Var) -> Vec<(Output, Var, Var)> {
        if work == Work::Train {
            return vec![(Output::Loss, loss.mean, answers)];
        }
        let of = |(term, costs): (&Term, &Costs)| {
            let head = &term.head.name;
            let weights = costs.weight.map(|w| (Output::Weights(head.clone()), w, answers));
            std::iter::once((Output::Losses(head.clone()), costs.each, answers)).chain(weights)
        };
        self.objective.terms().iter().zip(&loss.costs).flat_map(of).collect()
    }

    /// Declares the targets of all heads, and what samples count. Measuring takes the samples' own weights into account
    /// when losses are added up.
    fn truths(&self, g: &mut Graph, key: &ProgramKey, fed: &mut Vec<Fed>, whose: Whose) -> Built<Vec<Truth>> {
        let (batch, weighs) = (key.batch, key.work == Work::Train && self.weighs.is_some());
        let mut truths = Vec::new();
        for (i, term) in self.objective.terms().iter().enumerate() {
            let full = |name: &str| match &*term.head.name {
                "" => name.to_owned(),
                head => format!("{name}.{head}"),
            };
            let shape = match &term.head.task {
                Task::Classification { .. } => vec![batch],
                task @ Task::Regression { .. } => vec![batch, task.n_outputs()],
            };
            let [(target, target_name), (present, present_name)] = match whose {
                Whose::Own => [(Fed::Target(i), "target"), (Fed::Present(i), "present")],
                Whose::Partner => [(Fed::Partner(i), "partner"), (Fed::PartnerPresent(i), "partner_present")],
            };
            fed.push(target);
            let target = g.input(&full(target_name), shape)?;
            let present = if term.head.may_miss || weighs {
                fed.push(present);
                Some(g.input(&full(present_name), [batch])?)
            } else {
                None
            };
            truths.push(Truth { target, present });
        }
        Ok(truths)
    }

    /// How a batch is cut and by whom it is computed.
    pub fn options(&self, batch: usize) -> PlanOptions {
        PlanOptions::new(batch, self.shards, self.pool.n_workers())
    }

    /// Threads in use.
    pub fn n_threads(&self) -> usize {
        self.pool.n_workers()
    }

    /// The program of a key, compiled at its first use.
    ///
    /// # Errors
    /// As for [`Session::graph`], and where its memory cannot be had.
    pub fn program(&mut self, key: &ProgramKey) -> Result<&mut Program, GraphError> {
        if !self.programs.contains_key(key) {
            let (blueprint, plan) = self.planned(key)?;
            let bytes = Executor::bytes_for(&plan);
            if !memory::has_room(bytes) {
                return Err(blueprint.graph.error("plan", Fault::Memory { bytes }));
            }
            let executor = Executor::new(plan, self.pool.clone());
            self.programs.insert(key.clone(), Program::new(executor, &blueprint));
        }
        match self.programs.get_mut(key) {
            Some(program) => Ok(program),
            None => unreachable!("it was compiled above"),
        }
    }

    /// The plan of a key: the one that is kept, or a new one.
    fn planned(&mut self, key: &ProgramKey) -> Result<(Blueprint, Arc<Plan>), GraphError> {
        if let Some(planned) = self.plans.remove(key) {
            return Ok(planned);
        }
        let blueprint = self.graph(key)?;
        let plan = Plan::compile(&blueprint.graph, &blueprint.wanted, self.options(key.batch))?;
        Ok((blueprint, Arc::new(plan)))
    }

    /// A program that was compiled before.
    pub(super) fn compiled(&mut self, key: &ProgramKey) -> Option<&mut Program> {
        self.programs.get_mut(key)
    }

    /// The executor of such a program.
    pub(super) fn executor(&mut self, key: &ProgramKey) -> Option<&mut Executor> {
        self.programs.get_mut(key).map(Program::executor)
    }

    /// Bytes that the program of a key will take when it is first used; its plan is kept until then.
    ///
    /// # Errors
    /// As for [`Session::graph`].
    pub(super) fn program_bytes(&mut self, key: &ProgramKey) -> Result<usize, GraphError> {
        if let Some(program) = self.programs.get(key) {
            return Ok(program.bytes());
        }
        let planned = self.planned(key)?;
        let bytes = Executor::bytes_for(&planned.1);
        self.plans.insert(key.clone(), planned);
        Ok(bytes)
    }

    /// Runs the program of a key on `key.batch` samples: `weights` are flat parameters and flat buffers, the model's
    /// and behind them the loss's. Outputs can be read afterwards.
    ///
    /// # Errors
    /// As for [`Session::program`], and whatever keeps the source from giving the samples.
    pub fn run(
        &mut self,
        key: &ProgramKey,
        weights: (&[f32], &[f32]),
        draw: Draw,
        samples: (&dyn Source, &[u32], Pass),
    ) -> Result<&mut Program, TrainError> {
        let program = self.program(key)?;
        let batch = Batch::new(samples.0, samples.1, samples.2);
        program.pull(weights, draw, batch).map_err(TrainError::of_source)?;
        Ok(program)
    }

    pub(super) fn pool(&self) -> Arc<Pool> {
        self.pool.clone()
    }
}

/// Whose targets a program is fed with.
#[derive(Clone, Copy)]
enum Whose {
    Own,
    /// of the sample that it is mixed with
    Partner,
}

/// The layer of that full name.
fn find<'a>(g: &Graph, layers: &'a [Traced], name: &str) -> Built<&'a Traced> {
    layers.iter().find(|l| l.name == name).ok_or_else(|| {
        let nearest = settings::nearest(name, layers.iter().map(|l| l.name.as_str()));
        g.error("probe", Fault::NoLayer { name: name.to_owned(), nearest: nearest.unwrap_or_default() })
    })
}
