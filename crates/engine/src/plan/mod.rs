//! A plan: a graph compiled to a flat list of steps over memory that is laid out in advance.
//!
//! Compilation removes dead nodes, says which values belong to rows of the batch and which are the same for all
//! (`place`), fuses (`fuse`), orders steps so that workers meet as rarely as possible (`schedule`), cuts them into
//! loops over a few rows that fit into the cache (`loops`), and lays out memory by liveness (`memory`). An executor
//! needs nothing but the plan.

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
use crate::ops::conv::Geometry;
use crate::steps::combine::Join;

pub use crate::batch::{CACHE_BYTES, PlanOptions};
pub use crate::steps::{Cost, Extent, Kernel, Loc, Partial, Span, Step};
pub use kernels::conv::Direction;
pub use loops::Loop;
pub use print::Stage;

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
    /// layout of the parameters, and of the tangents
    pub params: Layout,
    /// whether a direction is read
    pub reads_tangents: bool,
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
