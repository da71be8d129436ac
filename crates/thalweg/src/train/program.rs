//! A model and its loss compiled for a batch size, in training or evaluation; programs are kept for each size.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use engine::exec::MAX_WORKERS;
use engine::graph::{Built, Graph, Var};
use engine::{Draw, Executor, Fault, Feed, GraphError, Plan, PlanOptions, Pool, StepContext, Wanted};

use super::memory;
use super::objective::{Mixture, Objective};
use super::prepared::{Prepared, Reading};
use crate::data::Dataset;
use crate::data::augment::Pipeline;
use crate::model::{Mode, Model};

/// Why a step was not made.
#[derive(Debug)]
pub enum StepError {
    /// The loss is not finite.
    NonFinite {
        /// its value
        loss: f32,
    },
    /// The batch does not fit the layers.
    Graph(GraphError),
}

/// Supplies a batch by the indices of its samples; each worker copies its own rows, reading and preprocessing in one
/// pass, and augments them where training does.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub set: &'a Dataset,
    pub reading: &'a Reading,
    pub indices: &'a [u32],
    /// random changes, and the epoch that they are of
    pub augment: Option<(&'a Pipeline, u64)>,
}

impl Feed for Batch<'_> {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        let indices = &self.indices[rows];
        let (set, reading) = (self.set, self.reading);
        match (input, self.augment) {
            (0, None) => set.gather(indices, &reading.inputs, out),
            (0, Some((pipeline, epoch))) => pipeline.gather(set, indices, epoch, &reading.inputs, out),
            (PARTNERS, Some((pipeline, epoch))) => {
                for (i, out) in indices.iter().zip(out.chunks_exact_mut(set.n_targets())) {
                    set.gather_targets(&[pipeline.mixed(*i, epoch).partner], &reading.targets, out);
                }
            }
            (SHARES, Some((pipeline, epoch))) => {
                indices.iter().zip(out).for_each(|(i, out)| *out = pipeline.mixed(*i, epoch).own);
            }
            _ => set.gather_targets(indices, &reading.targets, out),
        }
    }
}

/// Inputs of a program that mixes samples, behind the inputs and the targets.
const PARTNERS: usize = 2;
const SHARES: usize = 3;

/// A model, its loss, and the programs compiled so far.
#[derive(Debug)]
pub struct Session {
    /// the model
    pub model: Model,
    objective: Objective,
    /// whether training has two targets a sample
    mixes: bool,
    /// for each parameter whether it stays as it is
    frozen: Vec<bool>,
    pool: Arc<Pool>,
    shards: usize,
    plans: HashMap<(bool, usize), Arc<Plan>>,
    programs: HashMap<(bool, usize), Executor>,
}

/// Positions of what a program gives.
pub(super) const LOSS: usize = 0;
pub(super) const OUTPUTS: usize = 1;

impl Session {
    pub(super) fn new(model: Model, objective: Objective, threads: usize, shards: usize) -> Self {
        let pool = Arc::new(Pool::new(threads.clamp(1, MAX_WORKERS)));
        let (plans, programs) = (HashMap::new(), HashMap::new());
        let (mixes, frozen) = (false, vec![false; model.params().slots.len()]);
        Session { model, objective, mixes, frozen, pool, shards: shards.max(1), plans, programs }
    }

    /// Trains on mixed samples, whose batches have a second target and the share of the first.
    pub(super) fn mix(&mut self) {
        self.mixes = true;
        self.plans.clear();
        self.programs.clear();
    }

    /// Takes another loss. Programs that were compiled for the one before are of no use to it.
    #[cfg(feature = "runs")]
    pub(super) fn aim(&mut self, objective: Objective) {
        if self.objective != objective {
            self.objective = objective;
            self.plans.clear();
            self.programs.clear();
        }
    }

    /// Leaves parameters as they are: their gradients are not computed.
    pub(super) fn freeze(&mut self, frozen: Vec<bool>) {
        self.frozen = frozen;
        self.plans.clear();
        self.programs.clear();
    }

    /// The graph of a batch: in training with gradients, in evaluation with the loss of every sample.
    ///
    /// # Errors
    /// When a layer cannot train on so small a batch.
    pub fn graph(&self, mode: Mode, batch: usize) -> Built<(Graph, Wanted)> {
        let mut g = Graph::new();
        let x = self.model.input(&mut g, batch)?;
        let target = g.input("target", self.objective.target_shape(batch))?;
        let outputs = self.model.forward(&mut g, x, mode)?;
        let mixture = if self.mixes && mode == Mode::Train {
            let partner = g.input("partner", self.objective.target_shape(batch))?;
            Some(Mixture { partner, own: g.input("own_share", [batch])? })
        } else {
            None
        };
        let loss = self.objective.build(&mut g, outputs, target, mixture)?;
        let wanted = match mode {
            Mode::Eval => Wanted { outputs: vec![loss.each, outputs], gradients: vec![], assigns: false },
            Mode::Train => {
                let gradients = self.gradients(&mut g, loss.mean)?;
                Wanted { outputs: vec![loss.mean, outputs], gradients, assigns: true }
            }
        };
        Ok((g, wanted))
    }

    /// The gradient of each parameter, of those that are frozen a constant.
    fn gradients(&self, g: &mut Graph, loss: Var) -> Built<Vec<Var>> {
        let params = self.model.param_vars(g);
        let trained = params.iter().zip(&self.frozen).filter(|(_, frozen)| !**frozen).map(|(v, _)| *v);
        let mut gradients = g.gradients(loss, &trained.collect::<Vec<_>>())?.into_iter();
        let one = |(v, frozen): (&Var, &bool)| {
            if *frozen {
                let shape = g.shape(*v).clone();
                return g.constant(0.0, shape);
            }
            gradients.next().ok_or_else(|| unreachable!("a gradient for each parameter that is trained"))
        };
        params.iter().zip(&self.frozen).map(one).collect()
    }

    /// How a batch is cut and by whom it is computed.
    pub fn options(&self, batch: usize) -> PlanOptions {
        PlanOptions::new(batch, self.shards, self.pool.n_workers())
    }

    /// Threads in use.
    pub fn n_threads(&self) -> usize {
        self.pool.n_workers()
    }

    /// The program for a batch size, compiled at first use.
    pub(super) fn program(&mut self, mode: Mode, batch: usize) -> Result<&Executor, GraphError> {
        let key = (mode == Mode::Train, batch);
        if !self.programs.contains_key(&key) {
            let plan = self.plan(mode, batch)?;
            let bytes = Executor::bytes_for(&plan);
            if !memory::has_room(bytes) {
                let (op, layer) = ("plan", String::new());
                return Err(GraphError { op, layer, fault: Fault::Memory { bytes } });
            }
            self.programs.insert(key, Executor::new(plan, self.pool.clone()));
        }
        Ok(&self.programs[&key])
    }

    /// The plan for a batch size, compiled at first use.
    fn plan(&mut self, mode: Mode, batch: usize) -> Result<Arc<Plan>, GraphError> {
        let key = (mode == Mode::Train, batch);
        if let Some(plan) = self.plans.get(&key) {
            return Ok(plan.clone());
        }
        let (graph, wanted) = self.graph(mode, batch)?;
        let plan = Arc::new(Plan::compile(&graph, &wanted, self.options(batch))?);
        self.plans.insert(key, plan.clone());
        Ok(plan)
    }

    /// Bytes that the program for a batch size takes, or will take when it is first used.
    ///
    /// # Errors
    /// When a layer cannot work on so small a batch, or a size is too large.
    pub(super) fn program_bytes(&mut self, mode: Mode, batch: usize) -> Result<usize, GraphError> {
        Ok(Executor::bytes_for(&*self.plan(mode, batch)?))
    }

    /// The training program of a batch size that was compiled before.
    pub(super) fn compiled(&self, batch: usize) -> Option<&Executor> {
        self.programs.get(&(true, batch))
    }

    /// Runs a model forward over samples, batch by batch, and hands each batch's indices, losses and outputs on.
    pub(super) fn forward(
        &mut self,
        weights: (&[f32], &[f32]),
        data: (&Dataset, &Reading),
        indices: &[u32],
        batch: usize,
        mut each: impl FnMut(&[u32], &[f32], &[f32]),
    ) -> Result<(), GraphError> {
        let width = self.model.n_outputs();
        let batch = batch.min(indices.len());
        let (mut losses, mut outputs) = (vec![0.0; batch], vec![0.0; batch * width]);
        for chunk in indices.chunks(batch.max(1)) {
            let program = self.program(Mode::Eval, chunk.len())?;
            let context =
                StepContext { params: weights.0, buffers: weights.1, tangents: &[], draw: Draw::default() };
            program.run(context, &Batch { set: data.0, reading: data.1, indices: chunk, augment: None });
            let n = chunk.len();
            program.output(LOSS, &mut losses[..n]);
            program.output(OUTPUTS, &mut outputs[..n * width]);
            each(chunk, &losses[..n], &outputs[..n * width]);
        }
        Ok(())
    }

    /// The loss.
    pub(super) fn objective(&self) -> &Objective {
        &self.objective
    }

    pub(super) fn pool(&self) -> Arc<Pool> {
        self.pool.clone()
    }
}

/// The seed's part in random masks.
pub(super) fn draw(seed: u64, step: u64) -> Draw {
    Draw { seed, step, first_row: 0 }
}

/// Samples of a part, for programs over a whole split.
pub(super) fn source(data: &Prepared) -> (&Dataset, &Reading) {
    (&data.set, &data.reading)
}
