//! A plan: a graph compiled to a flat list of steps over memory that is laid out in advance.
//!
//! Compilation removes dead nodes, says which values belong to rows of the batch and which are the same for all
//! (`place`), fuses (`fuse`), orders steps so that workers meet as rarely as possible (`schedule`), cuts them into
//! loops over a few rows that fit into the cache (`loops`), and lays out memory by liveness (`memory`). An executor
//! needs
//! nothing but the plan.

pub mod emit;
mod fuse;
mod layout;
mod loops;
mod lower;
mod memory;
mod place;
mod print;
mod schedule;

use std::ops::Range;

use crate::error::GraphError;
use crate::graph::{Graph, InputDecl, Layout, Var};
use crate::ops::reduce::Fold;
use kernels::map::{Access, Program};
use kernels::resample::Taps;
use kernels::window::Window;

use crate::ops::conv::Geometry;

pub use kernels::conv::Direction;
pub use loops::{CACHE_BYTES, Loop};
pub(crate) use lower::{images_of, padded_sums};
pub use print::Stage;

/// What a plan is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// rows of the batch
    pub batch: usize,
    /// parts of the batch that reductions over it are made of; with the batch it defines the bits of the result
    pub shards: usize,
    /// workers, each with a run of neighbouring shards; does not change the result
    pub workers: usize,
    /// whether operators are fused
    pub fuse: bool,
    /// bytes of values and weights that a chunk of rows may touch; does not change the result
    pub cache_bytes: usize,
}

impl PlanOptions {
    /// With fusion, and chunks for [`CACHE_BYTES`].
    pub fn new(batch: usize, shards: usize, workers: usize) -> Self {
        PlanOptions { batch, shards, workers, fuse: true, cache_bytes: CACHE_BYTES }
    }

    /// The rows of shard `s`.
    pub fn shard_rows(&self, s: usize) -> Range<usize> {
        self.batch * s / self.shards..self.batch * (s + 1) / self.shards
    }

    /// The shards of worker `w`.
    pub fn worker_shards(&self, w: usize) -> Range<usize> {
        self.shards * w / self.workers..self.shards * (w + 1) / self.workers
    }

    /// The rows of worker `w`.
    pub fn worker_rows(&self, w: usize) -> Range<usize> {
        let shards = self.worker_shards(w);
        self.batch * shards.start / self.shards..self.batch * shards.end / self.shards
    }

    fn max_over_workers(&self, f: impl Fn(usize) -> usize) -> usize {
        (0..self.workers).map(f).max().unwrap_or(0)
    }
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loc {
    /// in each worker's arena, from this element
    Arena(usize),
    /// in each worker's arena, for the rows of the chunk at hand only
    Chunk(usize),
    /// in the flat parameters
    Param(usize),
    /// in the flat buffers
    Buffer(usize),
    /// nowhere: this number, at every place
    Const(f32),
}

impl Loc {
    /// So many elements further on.
    fn plus(self, n: usize) -> Loc {
        match self {
            Loc::Arena(at) => Loc::Arena(at + n),
            Loc::Chunk(at) => Loc::Chunk(at + n),
            Loc::Param(at) => Loc::Param(at + n),
            Loc::Buffer(at) => Loc::Buffer(at + n),
            Loc::Const(x) => Loc::Const(x),
        }
    }
}

/// A value in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// where it starts
    pub loc: Loc,
    /// how long it is
    pub len: Extent,
}

/// A length: so many for each row of the batch that a worker has, or fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// times the worker's rows
    PerRow(usize),
    /// times the worker's rows, which are a part of a value that every worker has for the whole batch
    OfBatch(usize),
    /// the same for every worker
    Fixed(usize),
}

impl Extent {
    /// The length for a worker with `rows` rows.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Extent::PerRow(n) | Extent::OfBatch(n) => n * rows,
            Extent::Fixed(n) => n,
        }
    }

    /// The number without its unit.
    pub fn count(self) -> usize {
        match self {
            Extent::PerRow(n) | Extent::OfBatch(n) | Extent::Fixed(n) => n,
        }
    }

    /// The same unit, another number.
    pub fn with(self, n: usize) -> Extent {
        match self {
            Extent::PerRow(_) => Extent::PerRow(n),
            Extent::OfBatch(_) => Extent::OfBatch(n),
            Extent::Fixed(_) => Extent::Fixed(n),
        }
    }
}

/// A matrix in a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor {
    /// its elements
    pub span: Span,
    /// elements from one row to the next
    pub row_stride: usize,
    /// elements from one column to the next
    pub col_stride: usize,
}

/// What happens to each element of a product before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tail {
    /// added to every row
    pub bias: Option<Span>,
    /// then `max(·, 0)`
    pub relu: bool,
    /// then kept only where this is above 0
    pub gate: Option<Span>,
}

/// Per-shard results of a reduction over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// the stretch between two meetings in which it is made
    pub segment: usize,
    /// first element, to be multiplied by a worker's number of shards
    pub offset: usize,
    /// elements for one shard
    pub len: usize,
}

/// How per-shard results become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// sum or maximum, shard after shard
    Fold(Fold),
    /// sums of a convolution's weight gradient, from which the gradient is made at the end
    ConvSums(Geometry),
    /// means and squared deviations by Chan's formula, giving means and variances; rows of a shard are times this
    Moments(usize),
}

/// A reduction: into memory directly, or per shard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// the whole reduction
    Whole(Span),
    /// to be joined
    Shards(Partial),
}

/// What one step does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields are sizes and places, named by the formula above them")]
pub enum Kernel {
    /// `out = tail(a·b)`, with `m` rows
    Gemm { m: Extent, n: usize, k: usize, a: Factor, b: Factor, out: Span, tail: Tail },
    /// per shard `aᵀ·b` over its rows
    GemmPartial { m: usize, n: usize, rows: usize, a: Span, b: Span, out: Partial },
    /// a convolution's weights as a direction wants them, once for all chunks
    Prepare { conv: Geometry, direction: Direction, w: Span, out: Span },
    /// `out = tail(x * w)`, a convolution
    Conv { conv: Geometry, images: Extent, x: Span, w: Span, out: Span, tail: Tail },
    /// the input gradient of a convolution, or the transposed convolution
    ConvInput { conv: Geometry, images: Extent, x: Span, w: Span, out: Span, tail: Tail },
    /// the weight gradient of a convolution
    ConvPartial { conv: Geometry, x: Span, dy: Span, out: Part },
    /// a fused element-wise program
    Map {
        program: Program,
        rows: Extent,
        cols: usize,
        operands: Vec<(Span, Access)>,
        outs: Vec<Span>,
        parts: Vec<Part>,
    },
    /// a fold of the middle of `[outer, mid, inner]`
    Fold { fold: Fold, outer: Extent, mid: usize, inner: usize, x: Span, out: Span },
    /// copies with strides: `out[i…] = x[start + Σ i·stride]`
    Copy { sizes: Vec<usize>, batched: bool, strides: Vec<usize>, start: usize, x: Span, out: Span },
    /// blocks of `inner` elements, `outer` of them, placed in rows of `out`
    Place { outer: Extent, inner: usize, out_stride: usize, out_start: usize, zero: bool, x: Span, out: Span },
    /// rows of a table
    Gather { rows: usize, width: usize, table: Span, index: Span, out: Span },
    /// rows added into a table
    ScatterPartial { rows: usize, width: usize, index: Span, x: Span, out: Part },
    /// mean and squared deviations of every channel, made row by row of the batch, or of a shard as a whole
    Moments { rows: usize, channels: usize, whole_shards: bool, x: Span, out: Part },
    /// the values of `v` at the maxima of windows of `x`
    MaxPick { window: Window, channels: usize, x: Span, v: Span, out: Span },
    /// `dy` at the maxima of windows of `x`, else zero
    MaxSpread { window: Window, channels: usize, x: Span, dy: Span, out: Span },
    /// a separable linear map of images
    Resample { rows: Taps, columns: Taps, channels: usize, x: Span, out: Span },
    /// the same number everywhere
    Fill { value: f32, out: Span },
    /// the batch's rows of an input
    Feed { input: usize, out: Span },
    /// per-shard results become one
    Combine { join: Join, from: Partial, out: Span },
    /// all workers meet
    Meet,
}

/// A step and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// what it does
    pub kernel: Kernel,
    /// the nodes that it computes
    pub nodes: Vec<Var>,
    /// the layer of the last of them
    pub layer: String,
}

/// How the gradient of one parameter is completed after all workers have met.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields are sizes and places, named by the formula above them")]
pub enum Finish {
    /// `aᵀ·b` over the rows of all workers, `a: [rows, m]`, `b: [rows, n]`; `rows` for each row of the batch
    Gemm { m: usize, n: usize, rows: usize, a: Span, b: Span },
    /// a convolution's weight gradient over the images of all workers
    Conv { conv: Geometry, x: Span, dy: Span },
    /// shards are joined, from element `start` of each on
    Shards { join: Join, from: Partial, start: usize },
    /// it lies complete in every arena
    Ready(Span),
}

/// A compiled graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// what it was compiled for
    pub options: PlanOptions,
    /// what happens in one step
    pub steps: Vec<Step>,
    /// which stretches of the steps are taken chunk by chunk, in order; together they are all steps
    pub loops: Vec<Loop>,
    /// for each parameter that is trained, its gradient
    pub finish: Vec<Finish>,
    /// where the requested outputs are
    pub outputs: Vec<Span>,
    /// new values of buffers
    pub assigns: Vec<(Range<usize>, Span)>,
    /// elements of a worker's arena
    pub arena_len: usize,
    /// elements of each segment's per-shard results, for one shard
    pub segments: Vec<usize>,
    /// elements of scratch memory for any step
    pub scratch_len: usize,
    /// layout of the parameters
    pub params: Layout,
    /// layout of the buffers
    pub buffers: Layout,
    /// values fed at every step
    pub inputs: Vec<InputDecl>,
}

/// What a graph is compiled to give.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// values to be read after a step
    pub outputs: Vec<Var>,
    /// for each parameter its gradient; empty where nothing is trained
    pub gradients: Vec<Var>,
    /// whether buffers take their new values
    pub assigns: bool,
}

impl Wanted {
    /// What is read after a step as it is: outputs and new values of buffers.
    fn read(&self, graph: &Graph) -> impl Iterator<Item = Var> {
        let assigned = graph.assigns.iter().map(|(_, v)| *v).filter(|_| self.assigns);
        self.outputs.iter().copied().chain(assigned)
    }
}

impl Plan {
    /// Bytes of the values of all workers.
    pub fn arena_bytes(&self) -> usize {
        self.arena_len.saturating_mul(size_of::<f32>()).saturating_mul(self.options.workers)
    }

    /// Compiles a graph.
    ///
    /// # Errors
    /// Where an operation cuts or moves the batch axis.
    pub fn compile(graph: &Graph, wanted: &Wanted, options: PlanOptions) -> Result<Plan, GraphError> {
        let places = place::places(graph, wanted, options.batch)?;
        let units = fuse::units(graph, wanted, &places, options);
        lower::lower(graph, wanted, &places, &units, options)
    }
}
