//! A model and its loss compiled for a batch size, in training or evaluation; programs are kept for each size.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use engine::graph::{Built, Graph};
use engine::{Draw, Executor, Feed, GraphError, Plan, PlanOptions, Pool, StepContext, Wanted};

use super::objective::Objective;
use super::prepared::{Prepared, Reading};
use crate::data::Dataset;
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
/// pass.
pub(super) struct Batch<'a> {
    pub set: &'a Dataset,
    pub reading: &'a Reading,
    pub indices: &'a [u32],
}

impl Feed for Batch<'_> {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        let indices = &self.indices[rows];
        match input {
            0 => self.set.gather(indices, &self.reading.inputs, out),
            _ => self.set.gather_targets(indices, &self.reading.targets, out),
        }
    }
}

/// A model, its loss, and the programs compiled so far.
#[derive(Debug)]
pub struct Session {
    /// the model
    pub model: Model,
    pub(super) objective: Objective,
    pool: Arc<Pool>,
    shards: usize,
    programs: HashMap<(bool, usize), Executor>,
}

/// Positions of what a program gives.
pub(super) const LOSS: usize = 0;
pub(super) const OUTPUTS: usize = 1;

impl Session {
    pub(super) fn new(model: Model, objective: Objective, threads: usize, shards: usize) -> Self {
        let pool = Arc::new(Pool::new(threads.max(1)));
        Session { model, objective, pool, shards: shards.max(1), programs: HashMap::new() }
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
        let loss = self.objective.build(&mut g, outputs, target)?;
        let wanted = match mode {
            Mode::Eval => Wanted { outputs: vec![loss.each, outputs], gradients: vec![], assigns: false },
            Mode::Train => {
                let params = self.model.param_vars(&g);
                let gradients = g.gradients(loss.mean, &params)?;
                Wanted { outputs: vec![loss.mean, outputs], gradients, assigns: true }
            }
        };
        Ok((g, wanted))
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
            let (graph, wanted) = self.graph(mode, batch)?;
            let plan = Plan::compile(&graph, &wanted, self.options(batch))?;
            self.programs.insert(key, Executor::new(Arc::new(plan), self.pool.clone()));
        }
        Ok(&self.programs[&key])
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
        let (mut losses, mut outputs) = (vec![0.0; batch], vec![0.0; batch * width]);
        for chunk in indices.chunks(batch.max(1)) {
            let program = self.program(Mode::Eval, chunk.len())?;
            let context = StepContext { params: weights.0, buffers: weights.1, draw: Draw::default() };
            program.run(context, &Batch { set: data.0, reading: data.1, indices: chunk });
            let n = chunk.len();
            program.output(LOSS, &mut losses[..n]);
            program.output(OUTPUTS, &mut outputs[..n * width]);
            each(chunk, &losses[..n], &outputs[..n * width]);
        }
        Ok(())
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
