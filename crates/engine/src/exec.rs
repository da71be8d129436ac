//! Running a plan on worker threads.
//!
//! A step has two runs. In the first, every worker takes its rows through all steps of the plan, in its own arena,
//! and meets the others where results over the whole batch are joined. In the second, the flat parameter vector is cut
//! into one stretch a worker: each completes the gradient of its stretch, from the arenas of all, and updates it
//! while it is in cache. Nothing is allocated and no lock is waited for: locks only state who may touch what, and
//! finding one taken would be a fault of the plan.

mod finish;
mod lane;
mod share;

use std::sync::{Arc, Mutex, RwLock};

use crate::plan::Plan;
use crate::steps::{Extent, Lane, Loc, Scratch, Span, free};
use kernels::pool::Pool;
use kernels::update::NORM_BLOCK;
use kernels::views::Aligned;

pub use crate::steps::{Feed, StepContext};
pub use share::{Piece, StateVec, Update};

/// Most workers that an executor takes.
pub const MAX_WORKERS: usize = 64;

/// A plan with the memory that it runs in. What works in that memory takes the executor alone, by `&mut`; several
/// threads may read what came of it.
#[derive(Debug)]
pub struct Executor {
    plan: Arc<Plan>,
    pool: Arc<Pool>,
    lanes: Vec<Lane>,
    /// the stretch of the flat parameters of each worker, and the tasks in it
    stretches: Vec<share::Stretch>,
    /// the same with whole parameters
    whole: Vec<share::Stretch>,
    /// for each worker, memory for lists of states
    lists: Vec<Mutex<share::Lists>>,
    /// sums of squares of blocks of a flat vector
    squares: Vec<f64>,
}

impl Executor {
    /// Memory for a plan. The plan's number of workers must be the pool's.
    pub fn new(plan: Arc<Plan>, pool: Arc<Pool>) -> Self {
        let options = plan.options;
        assert_eq!(options.workers, pool.n_workers(), "plan and pool must have as many workers");
        assert!(options.workers <= MAX_WORKERS, "at most {MAX_WORKERS} workers");
        let stretches = share::stretches(finish::tasks(&plan), options.workers);
        let whole = share::stretches(finish::whole_tasks(&plan), options.workers);
        let n_blocks = plan.params.len().div_ceil(NORM_BLOCK) + 1;
        let lane = |w: usize| {
            let shards = options.worker_shards(w);
            let partial = |len: &usize| RwLock::new(vec![0.0; len * shards.len()]);
            Lane {
                rows: options.worker_rows(w),
                partials: plan.segments.iter().map(partial).collect(),
                arena: RwLock::new(Aligned::filled(plan.arena_len, f32::NAN)),
                scratch: Mutex::new(Scratch {
                    floats: Aligned::filled(plan.scratch_len, 0.0),
                    gradient: Aligned::filled(share::longest(&stretches), 0.0),
                    ends: Vec::with_capacity(shards.len()),
                }),
                shards,
            }
        };
        let lanes = (0..options.workers).map(lane).collect();
        let lists = (0..options.workers).map(|_| Mutex::default()).collect();
        Executor { plan, pool, lanes, stretches, whole, lists, squares: vec![0.0; n_blocks] }
    }

    /// The plan being run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Bytes of memory for values, per-shard results and scratch.
    pub fn bytes(&self) -> usize {
        Self::bytes_for(&self.plan)
    }

    /// Bytes that an executor of a plan takes, at most `usize::MAX`: whether they can be had is for the caller to find
    /// out, since [`Executor::new`] cannot fail.
    pub fn bytes_for(plan: &Plan) -> usize {
        let (longest, tasks) = finish::sizes_of_tasks(plan);
        let lane = [plan.arena_len, plan.scratch_len, longest].into_iter().fold(0, usize::saturating_add);
        let partials = plan.segments.iter().fold(0usize, |sum, len| sum.saturating_add(*len));
        let lanes = lane.saturating_mul(plan.options.workers);
        let floats = lanes.saturating_add(partials.saturating_mul(plan.options.shards));
        floats.saturating_mul(size_of::<f32>()).saturating_add(tasks)
    }

    /// Takes a batch through the plan: afterwards outputs can be read and gradients completed.
    pub fn run(&mut self, context: StepContext, feed: &dyn Feed) {
        assert!(context.params.len() >= self.plan.params.len(), "too few parameters");
        assert!(context.buffers.len() >= self.plan.buffers.len(), "too few buffers");
        let tangents = if self.plan.reads_tangents { self.plan.params.len() } else { 0 };
        assert!(context.tangents.len() >= tangents, "too few tangents");
        let own = &*self;
        own.pool.run(&|worker| lane::run_lane(own, worker, context, feed));
    }

    /// Copies output `index` to `out`: all rows of the batch, or the one value.
    pub fn output(&self, index: usize, out: &mut [f32]) {
        self.read(self.plan.outputs[index], out);
    }

    /// An output that is a single number.
    pub fn scalar(&self, index: usize) -> f32 {
        let mut value = [f32::NAN];
        self.output(index, &mut value);
        value[0]
    }

    /// Elements of output `index` for the whole batch.
    pub fn output_len(&self, index: usize) -> usize {
        self.plan.outputs[index].len.of(self.plan.options.batch)
    }

    /// Writes the new values of buffers.
    pub fn assign(&self, buffers: &mut [f32]) {
        for (range, span) in &self.plan.assigns {
            self.read(*span, &mut buffers[range.clone()]);
        }
    }

    fn read(&self, span: Span, out: &mut [f32]) {
        let start = match span.loc {
            Loc::Const(value) => return out.fill(value),
            Loc::Arena(start) => start,
            Loc::Param(_) | Loc::Buffer(_) | Loc::Tangent(_) => {
                unreachable!("what is read after the steps is in the arena")
            }
            Loc::Chunk(_) => unreachable!("what is read after the steps is kept for all rows"),
        };
        match span.len {
            Extent::Fixed(n) => {
                out[..n].copy_from_slice(&free(self.lanes[0].arena.try_read())[start..start + n])
            }
            Extent::OfBatch(_) => unreachable!("only steps read a part of a value"),
            Extent::PerRow(n) => {
                for lane in &self.lanes {
                    let arena = free(lane.arena.try_read());
                    let len = n * lane.rows.len();
                    out[n * lane.rows.start..][..len].copy_from_slice(&arena[start..start + len]);
                }
            }
        }
    }
}
