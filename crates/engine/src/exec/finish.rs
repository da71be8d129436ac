//! The second run of a step: gradients of parameters are completed and handed to the update, stretch by stretch.

use std::sync::RwLockReadGuard;

use super::share::{StateVec, Stretch, Task, Update, Vectors, whole_blocks};
use super::{Executor, MAX_WORKERS};
use crate::ops::conv::Geometry;
use crate::plan::{Finish, Plan};
use crate::steps::combine::{Join, combine};
use crate::steps::{Extent, Loc, Scratch, Span, free};
use kernels::gemm::{Epilogue, Mat, Term, gemm};
use kernels::update::{NORM_BLOCK, sum_squares_blocks};
use kernels::views::Aligned;

/// Elements whose gradient is made and used at a time: with values, two states and the factors they stay in the
/// second-level cache.
const BLOCK_ELEMENTS: usize = 32 * 1024;
/// Rows that a block is a multiple of, so that blocks are whole tiles of the matrix product.
const ROW_GRAIN: usize = 16;

/// The tasks of a plan: one gradient each, or some rows of it.
pub(super) fn tasks(plan: &Plan) -> Vec<Task> {
    plan.finish.iter().enumerate().flat_map(|(p, f)| tasks_of(plan, p, f)).collect()
}

/// Tasks of whole parameters.
pub(super) fn whole_tasks(plan: &Plan) -> Vec<Task> {
    let slots = plan.params.slots.iter().take(plan.finish.len()).enumerate();
    slots.map(|(param, slot)| Task { param, range: slot.range() }).collect()
}

/// Elements of the longest task and bytes of the list of all, told without making it: where blocks are short, it is
/// longer than what it describes.
pub(super) fn sizes_of_tasks(plan: &Plan) -> (usize, usize) {
    let (mut longest, mut n_tasks) = (0, 0usize);
    for (param, finish) in plan.finish.iter().enumerate() {
        let (len, block) = (plan.params.slots[param].range().len(), block_of(plan, param, finish));
        longest = longest.max(block.min(len));
        n_tasks += len.div_ceil(block);
    }
    // the tasks of all, and those of each worker, which grow by doubling
    (longest, n_tasks.saturating_mul(4 * size_of::<Task>()))
}

fn tasks_of(plan: &Plan, param: usize, finish: &Finish) -> Vec<Task> {
    let all = plan.params.slots[param].range();
    let block = block_of(plan, param, finish);
    let starts = all.clone().step_by(block);
    starts.map(|start| Task { param, range: start..(start + block).min(all.end) }).collect()
}

/// Elements of a parameter whose gradient is completed at a time, at least 1.
fn block_of(plan: &Plan, param: usize, finish: &Finish) -> usize {
    let all = plan.params.slots[param].range();
    match finish {
        Finish::Gemm { n, .. } if *n > 0 => (BLOCK_ELEMENTS / n / ROW_GRAIN).max(1) * ROW_GRAIN * n,
        Finish::Conv { conv, .. } => conv.block_len().max(1),
        Finish::Shards { join: Join::ConvSums(_), .. } => all.len().max(1),
        Finish::Shards { .. } | Finish::Ready(Span { loc: Loc::Const(_), .. }) => BLOCK_ELEMENTS,
        _ => all.len().max(1),
    }
}

impl Executor {
    /// Completes all gradients into `gradient`, a flat vector like the parameters.
    pub fn gradients(&mut self, gradient: &mut [f32]) {
        let vectors = Vectors { values: &mut [], gradient, squares: &mut [], states: &mut [] };
        self.share_out(&self.stretches, vectors, &|scratch, task, share, local| {
            self.gradient_of(task, &mut share.gradient[local], &mut scratch.floats);
        });
    }

    /// Completes all gradients into `gradient`, and gives the sum of their squares: that of
    /// [`Executor::sum_squares`], bit for bit. Each block is squared where it was just completed, so that memory is
    /// not read again.
    pub fn gradients_squared(&mut self, gradient: &mut [f32]) -> f64 {
        let mut squares = std::mem::take(&mut self.squares);
        let blocks: usize = self.stretches.iter().map(|s| whole_blocks(&s.range).len()).sum();
        let (whole, cut) = squares.split_at_mut(blocks);
        let vectors = Vectors { values: &mut [], gradient, squares: whole, states: &mut [] };
        self.share_out(&self.stretches, vectors, &|scratch, task, share, local| {
            self.gradient_of(task, &mut share.gradient[local.clone()], &mut scratch.floats);
            let origin = task.range.start - local.start;
            let first = origin.div_ceil(NORM_BLOCK);
            let done = (task.range.start / NORM_BLOCK).max(first)..(task.range.end / NORM_BLOCK).max(first);
            if done.is_empty() {
                return;
            }
            let elements = done.start * NORM_BLOCK - origin..done.end * NORM_BLOCK - origin;
            let sums = &mut share.squares[done.start - first..done.end - first];
            sum_squares_blocks(&share.gradient[elements], sums);
        });
        let total = self.join_squares(gradient, whole, cut);
        self.squares = squares;
        total
    }

    /// Adds the sums of all blocks in order; those that a stretch's end cuts are made here.
    fn join_squares(&self, gradient: &[f32], whole: &[f64], one: &mut [f64]) -> f64 {
        let (mut total, mut at) = (0.0, 0);
        let mut blocks = self.stretches.iter().flat_map(|s| whole_blocks(&s.range)).zip(whole).peekable();
        while at * NORM_BLOCK < gradient.len() {
            total += match blocks.next_if(|(block, _)| *block == at) {
                Some((_, sum)) => *sum,
                None => {
                    let end = ((at + 1) * NORM_BLOCK).min(gradient.len());
                    sum_squares_blocks(&gradient[at * NORM_BLOCK..end], &mut one[..1]);
                    one[0]
                }
            };
            at += 1;
        }
        total
    }

    /// Completes all gradients and updates the parameters, piece by piece; no gradient outlives its piece.
    pub fn update(&mut self, values: &mut [f32], states: &mut [StateVec], update: &dyn Update) {
        let vectors = Vectors { values, gradient: &mut [], squares: &mut [], states };
        self.share_out(&self.stretches, vectors, &|scratch, task, share, local| {
            let Scratch { floats, gradient, .. } = scratch;
            let gradient = &mut gradient[..local.len()];
            self.gradient_of(task, gradient, floats);
            self.hand_over(update, task, share, local, gradient);
        });
    }

    /// Updates the parameters from gradients that are complete, piece by piece.
    pub fn apply(
        &mut self,
        values: &mut [f32],
        gradient: &mut [f32],
        states: &mut [StateVec],
        update: &dyn Update,
    ) {
        self.apply_to(&self.stretches, Vectors { values, gradient, squares: &mut [], states }, update);
    }

    /// The same with whole parameters as pieces, each of which one worker has.
    pub fn apply_whole(
        &mut self,
        values: &mut [f32],
        gradient: &mut [f32],
        states: &mut [StateVec],
        update: &dyn Update,
    ) {
        self.apply_to(&self.whole, Vectors { values, gradient, squares: &mut [], states }, update);
    }

    fn apply_to(&self, stretches: &[Stretch], vectors: Vectors, update: &dyn Update) {
        self.share_out(stretches, vectors, &|_, task, share, local| {
            let gradient = std::mem::take(&mut share.gradient);
            self.hand_over(update, task, share, local.clone(), &mut gradient[local]);
            share.gradient = gradient;
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
            Finish::Shards { join: Join::Moments(_), .. } => unreachable!("moments are joined in the steps"),
            Finish::Shards { join, from, start: first } => {
                let all = first + start..first + start + out.len();
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
        let mut parts = [Term { a: empty, b: empty, k: 0 }; MAX_WORKERS];
        for ((part, arena), lane) in parts.iter_mut().zip(guards.iter().flatten()).zip(&self.lanes) {
            let k = rows * lane.rows.len();
            if k > 0 {
                *part = Term {
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
