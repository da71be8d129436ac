//! The second run of a step: gradients of parameters are completed and handed to the update, stretch by stretch.

use std::ops::Range;
use std::sync::{Mutex, RwLockReadGuard};

use super::{Executor, MAX_WORKERS};
use crate::ops::conv::Geometry;
use crate::plan::{Finish, Plan};
use crate::steps::combine::{Join, combine};
use crate::steps::{Extent, Loc, Scratch, Span, free};
use kernels::gemm::{Epilogue, Mat, Part as Product, gemm};
use kernels::views::Aligned;

/// Elements whose gradient is made and used at a time: with values, two states and the factors they stay in the
/// second-level cache.
const BLOCK_ELEMENTS: usize = 32 * 1024;
/// Rows that a block is a multiple of, so that blocks are whole tiles of the matrix product.
const ROW_GRAIN: usize = 16;

/// A piece of one parameter with its gradient.
pub struct Piece<'a, 's> {
    /// index of the parameter
    pub param: usize,
    /// place of the piece in the flat vector
    pub range: Range<usize>,
    /// values, to be changed
    pub values: &'a mut [f32],
    /// their gradient
    pub gradient: &'a [f32],
    /// the same piece of each state vector
    pub states: &'a mut [&'s mut [f32]],
}

/// What is done to a parameter once its gradient is complete. Pieces come in any order, from several threads.
pub trait Update: Sync {
    /// Changes the values of one piece.
    fn apply(&self, piece: Piece);
}

/// One gradient, or some rows of it.
#[derive(Clone, Debug, PartialEq)]
struct Task {
    param: usize,
    range: Range<usize>,
}

/// A worker's part of the flat vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    range: Range<usize>,
    tasks: Vec<Task>,
}

/// Cuts the flat vector into one stretch a worker, of about as many elements.
pub(super) fn stretches(plan: &Plan) -> Vec<Stretch> {
    let tasks: Vec<Task> = plan.finish.iter().enumerate().flat_map(|(p, f)| tasks_of(plan, p, f)).collect();
    let total: usize = tasks.iter().map(|t| t.range.len()).sum();
    let workers = plan.options.workers;
    let mut left = tasks.into_iter().peekable();
    let (mut at, mut done) = (0, 0);
    let mut stretches = Vec::with_capacity(workers);
    for w in 0..workers {
        let mut own = Vec::new();
        while let Some(task) =
            left.next_if(|t| w + 1 == workers || (done + t.range.len() / 2) * workers < total * (w + 1))
        {
            done += task.range.len();
            own.push(task);
        }
        let end = own.last().map_or(at, |t: &Task| t.range.end);
        stretches.push(Stretch { range: at..end, tasks: own });
        at = end;
    }
    stretches
}

/// Elements of the longest task.
pub(super) fn longest(stretches: &[Stretch]) -> usize {
    stretches.iter().flat_map(|s| &s.tasks).map(|t| t.range.len()).max().unwrap_or(0)
}

fn tasks_of(plan: &Plan, param: usize, finish: &Finish) -> Vec<Task> {
    let all = plan.params.slots[param].range();
    let block = match finish {
        Finish::Gemm { n, .. } if *n > 0 => (BLOCK_ELEMENTS / n / ROW_GRAIN).max(1) * ROW_GRAIN * n,
        Finish::Conv { conv, .. } => conv.block_len(),
        Finish::Shards { join: Join::ConvSums(_), .. } => all.len().max(1),
        Finish::Shards { .. } => BLOCK_ELEMENTS,
        _ => all.len().max(1),
    };
    let starts = all.clone().step_by(block);
    starts.map(|start| Task { param, range: start..(start + block).min(all.end) }).collect()
}

/// What a worker does with a task, its share, and the task's place in it.
type RunTask<'r> = dyn Fn(&mut Scratch, &Task, &mut Share, Range<usize>) + Sync + 'r;

/// A worker's slices of the flat vectors.
struct Share<'a> {
    values: &'a mut [f32],
    gradient: &'a mut [f32],
    states: [&'a mut [f32]; MAX_STATES],
}

/// Most state vectors that an optimiser keeps.
pub const MAX_STATES: usize = 4;

impl Executor {
    /// Completes all gradients into `gradient`, a flat vector like the parameters.
    pub fn gradients(&mut self, gradient: &mut [f32]) {
        let own = &*self;
        own.share_out(&mut [], gradient, &mut [], &|scratch, task, share, local| {
            own.gradient_of(task, &mut share.gradient[local], &mut scratch.floats);
        });
    }

    /// Completes all gradients and updates the parameters, piece by piece; no gradient outlives its piece.
    pub fn update(&mut self, values: &mut [f32], states: &mut [&mut [f32]], update: &dyn Update) {
        let own = &*self;
        own.share_out(values, &mut [], states, &|scratch, task, share, local| {
            let gradient = &mut scratch.gradient[..local.len()];
            own.gradient_of(task, gradient, &mut scratch.floats);
            hand_over(update, task, share, local, gradient);
        });
    }

    /// Updates the parameters from gradients that are complete.
    pub fn apply(
        &mut self,
        values: &mut [f32],
        gradient: &mut [f32],
        states: &mut [&mut [f32]],
        update: &dyn Update,
    ) {
        self.share_out(values, gradient, states, &|_, task, share, local| {
            let gradient = std::mem::take(&mut share.gradient);
            hand_over(update, task, share, local.clone(), &gradient[local]);
            share.gradient = gradient;
        });
    }

    /// Gives each worker its stretch of every vector and runs its tasks, each with its place in the stretch.
    fn share_out(&self, values: &mut [f32], gradient: &mut [f32], states: &mut [&mut [f32]], run: &RunTask) {
        assert!(states.len() <= MAX_STATES, "at most {MAX_STATES} state vectors");
        let shares: [Mutex<Option<Share>>; MAX_WORKERS] = std::array::from_fn(|_| Mutex::new(None));
        let (mut values, mut gradient) = (values, gradient);
        let mut rest: [&mut [f32]; MAX_STATES] = std::array::from_fn(|_| &mut [][..]);
        rest.iter_mut().zip(states.iter_mut()).for_each(|(r, s)| *r = s);
        for (stretch, share) in self.stretches.iter().zip(&shares) {
            let len = stretch.range.len();
            let own = Share {
                values: take(&mut values, len),
                gradient: take(&mut gradient, len),
                states: std::array::from_fn(|i| take(&mut rest[i], len)),
            };
            *free(share.try_lock()) = Some(own);
        }
        self.pool.run(&|worker| {
            let stretch = &self.stretches[worker.index];
            let mut scratch = free(self.lanes[worker.index].scratch.try_lock());
            if let Some(share) = free(shares[worker.index].try_lock()).as_mut() {
                for task in &stretch.tasks {
                    let origin = stretch.range.start;
                    run(&mut scratch, task, share, task.range.start - origin..task.range.end - origin);
                }
            }
        });
    }

    fn gradient_of(&self, task: &Task, out: &mut [f32], scratch: &mut Aligned) {
        let start = task.range.start - self.plan.params.slots[task.param].offset;
        match &self.plan.finish[task.param] {
            Finish::Gemm { m, n, rows, a, b } => {
                let first = start / n.max(&1);
                self.weight_gradient(*m, *n, *rows, [*a, *b], first, out, scratch);
            }
            Finish::Conv { conv, x, dy } => self.conv_gradient(conv, [*x, *dy], start, out, scratch),
            Finish::Shards { join: Join::Moments(_), .. } => unreachable!("moments are never a gradient"),
            Finish::Shards { join, from } => {
                let all = start..start + out.len();
                combine(&self.lanes, self.plan.options, (*join, *from), all, out, scratch)
            }
            Finish::Ready(span) => match (span.loc, span.len) {
                (Loc::Const(value), _) => out.fill(value),
                (Loc::Arena(at), Extent::Fixed(_)) => {
                    out.copy_from_slice(&free(self.lanes[0].arena.try_read())[at + start..][..out.len()]);
                }
                // a batch of one row, whose gradient was never summed
                _ => self.read(*span, out),
            },
        }
    }

    /// The arenas of all workers.
    fn arenas(&self) -> [Option<RwLockReadGuard<'_, Aligned>>; MAX_WORKERS] {
        std::array::from_fn(|w| self.lanes.get(w).map(|lane| free(lane.arena.try_read())))
    }

    /// Elements `start..` of a convolution's weight gradient, summed over the images of all workers in order.
    fn conv_gradient(
        &self,
        conv: &Geometry,
        [x, dy]: [Span; 2],
        start: usize,
        out: &mut [f32],
        scratch: &mut Aligned,
    ) {
        let (x_start, dy_start) = (start_of(x), start_of(dy));
        let guards = self.arenas();
        let mut parts: [(&[f32], &[f32]); MAX_WORKERS] = [(&[], &[]); MAX_WORKERS];
        for ((part, arena), lane) in parts.iter_mut().zip(guards.iter().flatten()).zip(&self.lanes) {
            let of = |start: usize, span: Span| &arena[start..start + span.len.of(lane.rows.len())];
            *part = (of(x_start, x), of(dy_start, dy));
        }
        conv.weight_gradient_block(&parts[..self.lanes.len()], start, out, scratch);
    }

    /// Rows `first..` of `aᵀ·b`, summed over the rows of all workers in order.
    #[allow(clippy::too_many_arguments, reason = "the fields of one kernel and the memory it runs in")]
    fn weight_gradient(
        &self,
        m: usize,
        n: usize,
        rows: usize,
        [a, b]: [Span; 2],
        first: usize,
        out: &mut [f32],
        scratch: &mut Aligned,
    ) {
        let [a, b] = [a, b].map(start_of);
        let guards = self.arenas();
        let empty = Mat { data: &[], row_stride: 1, col_stride: 1 };
        let mut parts = [Product { a: empty, b: empty, k: 0 }; MAX_WORKERS];
        for ((part, arena), lane) in parts.iter_mut().zip(guards.iter().flatten()).zip(&self.lanes) {
            let k = rows * lane.rows.len();
            if k > 0 {
                *part = Product {
                    a: Mat { data: &arena[a + first..a + k * m], row_stride: 1, col_stride: m },
                    b: Mat { data: &arena[b..b + k * n], row_stride: n, col_stride: 1 },
                    k,
                };
            }
        }
        let rows_out = out.len() / n.max(1);
        gemm(rows_out, n, out, n, &parts[..self.lanes.len()], false, Epilogue::default(), scratch);
    }
}

/// Where a value of all rows starts in every arena.
fn start_of(span: Span) -> usize {
    match span.loc {
        Loc::Arena(start) => start,
        _ => unreachable!("factors belong to rows"),
    }
}

fn take<'a>(slice: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let whole = std::mem::take(slice);
    let cut = len.min(whole.len());
    let (first, rest) = whole.split_at_mut(cut);
    *slice = rest;
    first
}

fn hand_over(update: &dyn Update, task: &Task, share: &mut Share, local: Range<usize>, gradient: &[f32]) {
    let mut states =
        share.states.each_mut().map(|s| if s.is_empty() { &mut [][..] } else { &mut s[local.clone()] });
    let n = states.iter().take_while(|s| !s.is_empty()).count();
    update.apply(Piece {
        param: task.param,
        range: task.range.clone(),
        values: &mut share.values[local],
        gradient,
        states: &mut states[..n],
    });
}
