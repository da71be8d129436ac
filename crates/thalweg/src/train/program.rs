//! Programs: a model and its loss compiled for one purpose, with names for everything that can be read after a run.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use engine::graph::{Graph, Var};
use engine::kernels::affine::affine_in_place;
use engine::{Draw, Executor, Feed, GraphError, StepContext, Wanted};

use crate::data::Affine;
use crate::model::{Behavior, Masks, Mode, Norms};
use crate::source::{Pass, Source, SourceError, is_missing, n_targets, target_columns};

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
    /// The loss of every sample, `[batch]`, of [`Work::Measure`]: that of the head of this name, which is empty where
    /// there is only one. A sample whose target is missing has 0.
    Losses(String),
    /// What each sample counts in the mean of those losses, `[batch]`, where that is not 1 for all: by its class, and
    /// whether its target is known. Weights that the source gives to samples have no part in it.
    Weights(String),
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
    /// what each of the graph's inputs is fed with
    pub(super) fed: Arc<[Feeding]>,
}

impl Blueprint {
    pub(super) fn new(
        graph: Graph,
        gradients: Vec<Var>,
        outputs: Vec<(Output, Var, Var)>,
        fed: Arc<[Feeding]>,
    ) -> Self {
        let assigns = !gradients.is_empty();
        let (mut names, mut vars, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        for (name, var, origin) in outputs {
            names.push(name);
            vars.push(var);
            origins.push(origin);
        }
        let wanted = Wanted { outputs: vars, gradients, assigns };
        Blueprint { graph, wanted, names, origins, fed }
    }
}

/// A program with the memory that it runs in; whoever runs it has it alone.
#[derive(Debug)]
pub struct Program {
    executor: Executor,
    names: Vec<Output>,
    /// values of every channel in what an output stems from
    per_channel: Vec<usize>,
    fed: Arc<[Feeding]>,
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
        let fed = blueprint.fed.clone();
        Program { executor, names, per_channel, fed, read: Vec::with_capacity(longest) }
    }

    /// Takes a batch through the program; afterwards outputs can be read.
    pub fn run(&mut self, weights: (&[f32], &[f32]), draw: Draw, feed: &dyn Feed) {
        let context = StepContext { params: weights.0, buffers: weights.1, tangents: &[], draw };
        self.executor.run(context, feed);
    }

    /// The same with samples that are pulled from their source.
    pub(super) fn pull(
        &mut self,
        weights: (&[f32], &[f32]),
        draw: Draw,
        mut batch: Batch<'_>,
    ) -> Result<(), SourceError> {
        batch.fed = self.fed.clone();
        self.run(weights, draw, &batch);
        batch.fault.take().map_or(Ok(()), Err)
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

    /// The same, copied; false where the program does not give it.
    pub(super) fn copy_to(&self, name: &Output, out: &mut Vec<f32>) -> bool {
        let Some(index) = self.index(name) else { return false };
        out.resize(self.executor.output_len(index), f32::NAN);
        self.executor.output(index, out);
        true
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

    /// Bytes of memory that it runs in.
    pub fn bytes(&self) -> usize {
        self.executor.bytes()
    }

    /// Names of all outputs.
    pub fn names(&self) -> &[Output] {
        &self.names
    }

    /// Completes the gradient of the last run's mean loss, a flat vector like the parameters.
    pub fn gradients(&mut self, gradient: &mut [f32]) {
        self.executor.gradients(gradient);
    }

    pub(super) fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    /// Writes the new values of buffers, such as running averages.
    pub fn assign(&self, buffers: &mut [f32]) {
        self.executor.assign(buffers);
    }
}

/// Why a step was not made.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The loss is not finite.
    #[error("loss became {loss}")]
    NonFinite {
        /// its value
        loss: f32,
    },
    /// The batch does not fit the layers.
    #[error(transparent)]
    Graph(GraphError),
    /// The source cannot give the batch.
    #[error("cannot read samples: {0}")]
    Source(SourceError),
}

/// What an input of a program is fed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    Inputs,
    /// of a head, in its mapped unit; 0 where it is missing
    Target(usize),
    /// what a sample counts, and 0 where a head's target is missing
    Present(usize),
    /// the target of the sample that it is mixed with
    Partner(usize),
    /// what that sample counts, and 0 where that target is missing
    PartnerPresent(usize),
    /// share of the own target in a mixed sample
    Share,
}

/// The same with how it is brought to what the model learns.
#[derive(Debug)]
pub(super) struct Feeding {
    pub what: Fed,
    /// of a target, the map from numbers in their own unit: that of training, whatever the source of the samples says
    pub map: Option<Affine>,
    /// of what samples count, the factor of the weights that the source gives; none where these are not asked for
    pub factor: Option<f64>,
}

/// Supplies a batch by the numbers of its samples; each worker pulls its own rows.
pub(super) struct Batch<'a> {
    source: &'a dyn Source,
    pub samples: &'a [u32],
    pass: Pass,
    /// what the program's inputs are
    pub fed: Arc<[Feeding]>,
    /// what kept the source from giving rows, the first of them
    fault: OnceLock<SourceError>,
}

thread_local! {
    /// Targets of all heads of some samples. Grows at a thread's first batch.
    static ROWS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl<'a> Batch<'a> {
    pub fn new(source: &'a dyn Source, samples: &'a [u32], pass: Pass) -> Self {
        Batch { source, samples, pass, fed: Arc::default(), fault: OnceLock::new() }
    }

    fn mixed(&self, sample: u32) -> (u32, f32) {
        match self.pass {
            Pass::Train { epoch } => {
                let mixed = self.source.mixed(sample, epoch);
                (mixed.partner, mixed.own)
            }
            Pass::Measure => (sample, 1.0),
        }
    }

    /// Writes what an input is fed with for some samples.
    pub fn fill_with(&self, feeding: &Feeding, samples: &[u32], out: &mut [f32]) -> Result<(), SourceError> {
        let map = feeding.map.as_ref();
        let heads = self.source.heads();
        let mut partner = |head: usize, present: bool| {
            let width = out.len() / samples.len().max(1);
            samples.iter().zip(out.chunks_exact_mut(width.max(1))).try_for_each(|(i, out)| {
                let partner = [self.mixed(*i).0];
                if present {
                    self.present((head, feeding.factor), &partner, out)
                } else {
                    self.target((head, map), &partner, out)
                }
            })
        };
        match feeding.what {
            Fed::Inputs => self.source.inputs(samples, self.pass, out),
            Fed::Target(0) if heads.len() == 1 && !heads[0].may_miss => {
                self.source.targets(samples, out)?;
                apply(map, out);
                Ok(())
            }
            Fed::Target(head) => self.target((head, map), samples, out),
            Fed::Present(head) => self.present((head, feeding.factor), samples, out),
            Fed::Partner(head) => partner(head, false),
            Fed::PartnerPresent(head) => partner(head, true),
            Fed::Share => {
                samples.iter().zip(out).for_each(|(i, out)| *out = self.mixed(*i).1);
                Ok(())
            }
        }
    }

    /// The targets of one head; 0 where they may be missing and are.
    fn target(
        &self,
        (head, map): (usize, Option<&Affine>),
        samples: &[u32],
        out: &mut [f32],
    ) -> Result<(), SourceError> {
        let own = &self.source.heads()[head];
        self.rows(head, samples, |i, row| {
            let out = &mut out[i * row.len()..(i + 1) * row.len()];
            if own.may_miss && is_missing(row) {
                return out.fill(0.0);
            }
            out.copy_from_slice(row);
            apply(map, out);
        })
    }

    /// What samples count.
    fn present(
        &self,
        (head, factor): (usize, Option<f64>),
        samples: &[u32],
        out: &mut [f32],
    ) -> Result<(), SourceError> {
        if self.source.heads()[head].may_miss {
            self.rows(head, samples, |i, row| {
                out[i] = if is_missing(row) { 0.0 } else { 1.0 };
            })?;
        } else {
            out.fill(1.0);
        }
        if let Some(factor) = factor {
            let weigh = |(x, i): (&mut f32, &u32)| *x *= (self.source.weight(*i) * factor) as f32;
            out.iter_mut().zip(samples).for_each(weigh);
        }
        Ok(())
    }

    /// Calls `f` with the columns of one head for each sample.
    fn rows(
        &self,
        head: usize,
        samples: &[u32],
        mut f: impl FnMut(usize, &[f32]),
    ) -> Result<(), SourceError> {
        let heads = self.source.heads();
        let (own, all) = (target_columns(heads, head), n_targets(heads));
        ROWS.with_borrow_mut(|rows| {
            rows.resize(samples.len() * all, f32::NAN);
            self.source.targets(samples, rows)?;
            rows.chunks_exact(all.max(1)).enumerate().for_each(|(i, row)| f(i, &row[own.clone()]));
            Ok(())
        })
    }
}

/// Numbers in their own unit become those that the model learns.
fn apply(map: Option<&Affine>, out: &mut [f32]) {
    if let Some(map) = map {
        affine_in_place(out, &map.scale, &map.shift);
    }
}

/// Numbers of a sample that an input is fed with.
pub(super) fn width_of(fed: Fed, source: &dyn Source) -> usize {
    match fed {
        Fed::Inputs => source.input_shape().iter().product(),
        Fed::Target(head) | Fed::Partner(head) => source.heads()[head].task.n_targets(),
        Fed::Present(_) | Fed::PartnerPresent(_) | Fed::Share => 1,
    }
}

impl Feed for Batch<'_> {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        if let Err(error) = self.fill_with(&self.fed[input], &self.samples[rows], out) {
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
