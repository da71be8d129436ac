//! Programs: a model and its loss compiled for one purpose, with names for everything that can be read after a run.

use std::ops::Range;
use std::sync::OnceLock;

use engine::graph::{Graph, Var};
use engine::kernels::affine::affine_in_place;
use engine::{Draw, Executor, Feed, GraphError, StepContext, Update, Wanted};

use super::error::TrainError;
use crate::model::{Behavior, Masks, Mode, Norms};
use crate::source::{Pass, Source, SourceError};

/// What a program computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Outputs, the mean loss, its gradient, and new values of buffers.
    Train,
    /// Outputs, and the loss of every sample.
    Measure,
    /// Outputs alone; needs no targets.
    Answer,
}

/// What a probe shows of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// What the layer gives, `[batch, ..]`; images are channels last.
    Result,
    /// The gradient of the mean loss with respect to that.
    Gradient,
    /// Means of the channels of what the layer is given, then their biased variances, over the whole batch: `[2, C]`.
    Moments,
}

/// A look into a layer while a program runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// the layer's full name, such as `3` or `block.0`, as [`crate::model::Model::trace`] gives it
    pub layer: String,
    /// what of it
    pub quantity: Quantity,
}

impl Probe {
    /// What a layer gives.
    pub fn result(layer: impl Into<String>) -> Self {
        Probe { layer: layer.into(), quantity: Quantity::Result }
    }

    /// The gradient of the mean loss with respect to what a layer gives.
    pub fn gradient(layer: impl Into<String>) -> Self {
        Probe { layer: layer.into(), quantity: Quantity::Gradient }
    }

    /// Mean and variance of every channel of what a layer is given.
    pub fn moments(layer: impl Into<String>) -> Self {
        Probe { layer: layer.into(), quantity: Quantity::Moments }
    }
}

/// All that a program is compiled for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProgramKey {
    /// what it computes
    pub work: Work,
    /// samples in a batch
    pub batch: usize,
    /// whether dropout draws masks
    pub masks: Masks,
    /// where norms over the batch take their statistics from
    pub norms: Norms,
    /// looks into layers
    pub probes: Vec<Probe>,
}

impl ProgramKey {
    fn new(work: Work, batch: usize, mode: Mode) -> Self {
        let Behavior { masks, norms } = mode.into();
        ProgramKey { work, batch, masks, norms, probes: Vec::new() }
    }

    /// A step of training.
    pub fn train(batch: usize) -> Self {
        ProgramKey::new(Work::Train, batch, Mode::Train)
    }

    /// The loss of every sample, in evaluation.
    pub fn measure(batch: usize) -> Self {
        ProgramKey::new(Work::Measure, batch, Mode::Eval)
    }

    /// Outputs alone, in evaluation.
    pub fn answer(batch: usize) -> Self {
        ProgramKey::new(Work::Answer, batch, Mode::Eval)
    }

    /// The same with looks into layers.
    pub fn with_probes(self, probes: Vec<Probe>) -> Self {
        ProgramKey { probes, ..self }
    }

    /// How layers behave in it.
    pub fn behavior(&self) -> Behavior {
        Behavior { masks: self.masks, norms: self.norms }
    }
}

/// A name for something that a program gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// The mean loss, of [`Work::Train`].
    Loss,
    /// The loss of every sample, `[batch]`, of [`Work::Measure`].
    Losses,
    /// What the model gives, `[batch, n_outputs]`.
    Outputs,
    /// What a probe shows.
    Probe(Probe),
}

/// A graph, what is wanted of it, and what each of its outputs is called.
#[derive(Debug)]
pub struct Blueprint {
    /// the graph
    pub graph: Graph,
    /// what it is to give
    pub wanted: Wanted,
    /// names of `wanted.outputs`
    pub names: Vec<Output>,
    /// where each name's value stems from: what [`Program::per_channel`] counts
    pub(super) origins: Vec<Var>,
}

impl Blueprint {
    pub(super) fn new(graph: Graph, gradients: Vec<Var>, outputs: Vec<(Output, Var, Var)>) -> Self {
        let assigns = !gradients.is_empty();
        let (mut names, mut vars, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for (name, var, origin) in outputs {
            (names.push(name), vars.push(var), origins.push(origin));
        }
        Blueprint { graph, wanted: Wanted { outputs: vars, gradients, assigns }, names, origins }
    }
}

/// A program with the memory that it runs in; whoever runs it has it alone.
#[derive(Debug)]
pub struct Program {
    executor: Executor,
    names: Vec<Output>,
    /// values of every channel in what an output stems from
    per_channel: Vec<usize>,
    /// what was read last
    read: Vec<f32>,
}

impl Program {
    pub(super) fn new(executor: Executor, blueprint: &Blueprint) -> Self {
        let longest = (0..blueprint.names.len()).map(|i| executor.output_len(i)).max().unwrap_or(0);
        let count = |v: &Var| {
            let shape = blueprint.graph.shape(*v);
            shape.numel() / shape.last_dim().max(1)
        };
        let per_channel = blueprint.origins.iter().map(count).collect();
        let names = blueprint.names.clone();
        Program { executor, names, per_channel, read: Vec::with_capacity(longest) }
    }

    /// Takes a batch through the program; afterwards outputs can be read.
    pub fn run(&mut self, weights: (&[f32], &[f32]), draw: Draw, feed: &dyn Feed) {
        let context = StepContext { params: weights.0, buffers: weights.1, draw };
        self.executor.run(context, feed);
    }

    fn index(&self, name: &Output) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// What the last run gave under a name; nothing where the program does not give it.
    pub fn output(&mut self, name: &Output) -> Option<&[f32]> {
        let index = self.index(name)?;
        self.read.resize(self.executor.output_len(index), f32::NAN);
        self.executor.output(index, &mut self.read);
        Some(&self.read)
    }

    /// The same, copied to where it is wanted, which has exactly its length.
    pub(super) fn copy(&self, name: &Output, out: &mut [f32]) {
        if let Some(index) = self.index(name) {
            self.executor.output(index, out);
        }
    }

    /// The mean loss of the last run; NaN where the program does not give one.
    pub fn loss(&self) -> f32 {
        self.index(&Output::Loss).map_or(f32::NAN, |index| self.executor.scalar(index))
    }

    /// Values of every channel that a probe's moments are of: samples, times positions in an image.
    pub fn per_channel(&self, probe: &Probe) -> Option<usize> {
        let index = self.names.iter().position(|n| matches!(n, Output::Probe(p) if p == probe))?;
        Some(self.per_channel[index])
    }

    /// Names of all outputs.
    pub fn names(&self) -> &[Output] {
        &self.names
    }

    /// Completes the gradient of the last run's mean loss, a flat vector like the parameters.
    pub fn gradients(&mut self, gradient: &mut [f32]) {
        self.executor.gradients(gradient);
    }

    pub(super) fn update(&mut self, params: &mut [f32], states: &mut [&mut [f32]], change: &dyn Update) {
        self.executor.update(params, states, change);
    }

    pub(super) fn apply(
        &mut self,
        params: &mut [f32],
        gradient: &mut [f32],
        states: &mut [&mut [f32]],
        change: &dyn Update,
    ) {
        self.executor.apply(params, gradient, states, change);
    }

    /// Writes the new values of buffers, such as running averages.
    pub fn assign(&self, buffers: &mut [f32]) {
        self.executor.assign(buffers);
    }
}

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
    /// The source cannot give the batch.
    Source(SourceError),
}

impl From<StepError> for TrainError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::NonFinite { loss } => TrainError::NonFinite { loss },
            StepError::Graph(error) => TrainError::Graph(error),
            StepError::Source(error) => TrainError::Source(error),
        }
    }
}

/// Supplies a batch by the numbers of its samples; each worker pulls its own rows.
pub(super) struct Batch<'a> {
    source: &'a dyn Source,
    pub samples: &'a [u32],
    pass: Pass,
    /// what kept the source from giving rows, the first of them
    fault: OnceLock<SourceError>,
}

/// Inputs of a program, by their places.
const INPUTS: usize = 0;
const TARGETS: usize = 1;
const PARTNERS: usize = 2;

impl<'a> Batch<'a> {
    pub fn new(source: &'a dyn Source, samples: &'a [u32], pass: Pass) -> Self {
        Batch { source, samples, pass, fault: OnceLock::new() }
    }

    /// What went wrong in the run that used this batch.
    pub fn fault(&mut self) -> Result<(), SourceError> {
        self.fault.take().map_or(Ok(()), Err)
    }

    fn epoch(&self) -> u64 {
        match self.pass {
            Pass::Train { epoch } => epoch,
            Pass::Measure => 0,
        }
    }

    /// Targets as the loss sees them.
    fn targets(&self, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        self.source.targets(samples, out)?;
        if let Some(map) = self.source.target_map() {
            affine_in_place(out, &map.scale, &map.shift);
        }
        Ok(())
    }

    fn pull(&self, input: usize, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        match input {
            INPUTS => self.source.inputs(samples, self.pass, out),
            TARGETS => self.targets(samples, out),
            PARTNERS => {
                let width = out.len() / samples.len().max(1);
                for (i, out) in samples.iter().zip(out.chunks_exact_mut(width.max(1))) {
                    self.targets(&[self.source.mixed(*i, self.epoch()).partner], out)?;
                }
                Ok(())
            }
            _ => {
                let own = |i: &u32| self.source.mixed(*i, self.epoch()).own;
                samples.iter().zip(out).for_each(|(i, out)| *out = own(i));
                Ok(())
            }
        }
    }
}

impl Feed for Batch<'_> {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        if let Err(error) = self.pull(input, &self.samples[rows], out) {
            // the run goes on with these, and its results are thrown away
            out.fill(f32::NAN);
            let _ = self.fault.set(error);
        }
    }
}

/// The seed's part in random masks.
pub(super) fn draw(seed: u64, step: u64) -> Draw {
    Draw { seed, step, first_row: 0 }
}
