//! Flat vectors cut into one stretch a worker: what an update sees of values, gradient and states.

use std::ops::Range;
use std::sync::Mutex;

use super::{Executor, MAX_WORKERS, Scratch, free};
use crate::graph::Layout;
use kernels::update::{NORM_BLOCK, sum_squares_blocks};

/// A piece of one parameter with its gradient.
#[derive(Debug)]
pub struct Piece<'a, 's> {
    /// index of the parameter
    pub param: usize,
    /// place of the piece in the flat vector
    pub range: Range<usize>,
    /// values, to be changed
    pub values: &'a mut [f32],
    /// their gradient; an update may edit it, as nobody reads it afterwards
    pub gradient: &'a mut [f32],
    /// the same piece of each state; of a state that is not as long as the parameter all, where the piece is the
    /// whole parameter, and nothing otherwise
    pub states: &'a mut [&'s mut [f32]],
}

/// What is done to a parameter once its gradient is complete. Pieces come in any order, from several threads.
pub trait Update: Sync {
    /// Changes the values of one piece.
    fn apply(&self, piece: Piece);
}

/// One state over all parameters: a part for each, as long as the parameter, or of another length, or empty.
#[derive(Clone, Debug, PartialEq)]
pub struct StateVec {
    values: Vec<f32>,
    /// where each parameter's part starts, and the end
    starts: Vec<usize>,
}

impl StateVec {
    /// Zeros, with a part of this length for each parameter.
    pub fn new(lens: impl IntoIterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        starts.extend(lens.into_iter().scan(0, |end, len| {
            *end += len;
            Some(*end)
        }));
        StateVec { values: vec![0.0; starts[starts.len() - 1]], starts }
    }

    /// Zeros, with a part as long as each parameter.
    pub fn like(params: &Layout) -> Self {
        StateVec::new(params.slots.iter().map(|s| s.shape.numel()))
    }

    /// All parts, one after the other.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All parts, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Where a parameter's part lies.
    pub fn range(&self, param: usize) -> Range<usize> {
        own_range(&self.starts, param)
    }
}

/// The worker's slice of one state.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    values: &'a mut [f32],
    starts: &'a [usize],
    /// where the slice starts in the state
    origin: usize,
}

impl Cut<'_> {
    /// The part of a piece of a parameter.
    fn piece(&mut self, whole: &Range<usize>, task: &Task) -> &mut [f32] {
        let own = own_range(self.starts, task.param);
        let range = match own.len() == whole.len() {
            true => own.start + (task.range.start - whole.start)..own.start + (task.range.end - whole.start),
            false if task.range == *whole => own,
            false => return &mut [],
        };
        &mut self.values[range.start - self.origin..range.end - self.origin]
    }
}

fn own_range(starts: &[usize], param: usize) -> Range<usize> {
    starts[param]..starts[param + 1]
}

/// One gradient, or some rows of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Task {
    pub param: usize,
    pub range: Range<usize>,
}

/// A worker's part of the flat vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    pub range: Range<usize>,
    pub tasks: Vec<Task>,
}

/// Cuts the flat vector into one stretch a worker, of about as many elements.
pub(super) fn stretches(tasks: Vec<Task>, workers: usize) -> Vec<Stretch> {
    let total: usize = tasks.iter().map(|t| t.range.len()).sum();
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

/// What a worker does with a task, its share, and the task's place in it.
pub(super) type RunTask<'r> = dyn Fn(&mut Scratch, &Task, &mut Share, Range<usize>) + Sync + 'r;

/// A worker's slices of the flat vectors.
pub(super) struct Share<'a> {
    pub values: &'a mut [f32],
    pub gradient: &'a mut [f32],
    /// sums of squares of those blocks of the gradient that lie in the stretch as a whole
    pub squares: &'a mut [f64],
    states: Vec<Cut<'a>>,
    /// empty memory for the slices of one piece
    slices: Vec<&'static mut [f32]>,
}

/// Flat vectors to be shared out; those that a run does not need are empty.
pub(super) struct Vectors<'a> {
    pub values: &'a mut [f32],
    pub gradient: &'a mut [f32],
    pub squares: &'a mut [f64],
    pub states: &'a mut [StateVec],
}

/// Lists of references whose memory lasts from step to step; they are empty between steps.
#[derive(Debug, Default)]
pub(super) struct Lists {
    cuts: Vec<Cut<'static>>,
    slices: Vec<&'static mut [f32]>,
}

/// The memory of an empty list for references of another life: collecting a vector's own iterator keeps its memory,
/// to which `tests/alloc.rs` of the library holds the compiler.
fn recycled<From, To>(mut list: Vec<From>) -> Vec<To> {
    list.clear();
    list.into_iter().map(|_| unreachable!("the list is empty")).collect()
}

impl Executor {
    /// Gives each worker its stretch of every vector and runs its tasks, each with its place in the stretch.
    pub(super) fn share_out(&self, stretches: &[Stretch], vectors: Vectors, run: &RunTask) {
        let Vectors { mut values, mut gradient, mut squares, states } = vectors;
        let shares: [Mutex<Option<Share>>; MAX_WORKERS] = std::array::from_fn(|_| Mutex::new(None));
        for ((stretch, share), lists) in stretches.iter().zip(&shares).zip(&self.lists) {
            let len = stretch.range.len();
            let blocks = whole_blocks(&stretch.range);
            let lists = std::mem::take(&mut *free(lists.try_lock()));
            *free(share.try_lock()) = Some(Share {
                values: take(&mut values, len),
                gradient: take(&mut gradient, len),
                squares: take(&mut squares, blocks.len()),
                states: recycled(lists.cuts),
                slices: lists.slices,
            });
        }
        for state in states {
            self.share_state(stretches, &shares, state);
        }
        self.pool.run(&|worker| {
            let stretch = &stretches[worker.index];
            let mut scratch = free(self.lanes[worker.index].scratch.try_lock());
            if let Some(share) = free(shares[worker.index].try_lock()).as_mut() {
                for task in &stretch.tasks {
                    let origin = stretch.range.start;
                    run(&mut scratch, task, share, task.range.start - origin..task.range.end - origin);
                }
            }
        });
        for (share, lists) in shares.iter().zip(&self.lists) {
            if let Some(share) = free(share.try_lock()).take() {
                *free(lists.try_lock()) = Lists { cuts: recycled(share.states), slices: share.slices };
            }
        }
    }

    /// Cuts one state as the parameters are cut.
    fn share_state<'s>(
        &self,
        stretches: &[Stretch],
        shares: &[Mutex<Option<Share<'s>>>],
        state: &'s mut StateVec,
    ) {
        let params = &self.plan.params;
        let StateVec { values, starts } = state;
        assert_eq!(starts.len(), params.slots.len() + 1, "a state has a part for each parameter");
        let (mut rest, mut at) = (&mut values[..], 0);
        for (stretch, share) in stretches.iter().zip(shares) {
            let end = stretch.tasks.last().map_or(at, |last| {
                let (own, whole) = (own_range(starts, last.param), params.slots[last.param].range());
                if own.len() == whole.len() { own.start + (last.range.end - whole.start) } else { own.end }
            });
            if let Some(share) = free(share.try_lock()).as_mut() {
                share.states.push(Cut { values: take(&mut rest, end - at), starts, origin: at });
            }
            at = end;
        }
    }

    /// Gives a piece to the update, with its gradient and its states.
    pub(super) fn hand_over(
        &self,
        update: &dyn Update,
        task: &Task,
        share: &mut Share,
        local: Range<usize>,
        gradient: &mut [f32],
    ) {
        let whole = self.plan.params.slots[task.param].range();
        let mut slices = recycled(std::mem::take(&mut share.slices));
        slices.extend(share.states.iter_mut().map(|cut| cut.piece(&whole, task)));
        update.apply(Piece {
            param: task.param,
            range: task.range.clone(),
            values: &mut share.values[local],
            gradient,
            states: &mut slices,
        });
        share.slices = recycled(slices);
    }

    /// Σx² of a flat vector as long as the parameters: sums over fixed blocks, added in order.
    pub fn sum_squares(&mut self, x: &[f32]) -> f64 {
        let sums = &mut self.squares;
        let n_blocks = x.len().div_ceil(NORM_BLOCK);
        let parts: [Mutex<&mut [f64]>; MAX_WORKERS] = std::array::from_fn(|_| Mutex::new(&mut [][..]));
        let per_worker = n_blocks.div_ceil(self.pool.n_workers()).max(1);
        for (own, part) in sums[..n_blocks].chunks_mut(per_worker).zip(&parts) {
            *free(part.try_lock()) = own;
        }
        self.pool.run(&|worker| {
            let start = (worker.index * per_worker * NORM_BLOCK).min(x.len());
            sum_squares_blocks(&x[start..], &mut free(parts[worker.index].try_lock())[..]);
        });
        sums[..n_blocks].iter().fold(0.0, |total, sum| total + sum)
    }
}

/// Blocks of the flat vector whose every element lies in a stretch.
pub(super) fn whole_blocks(range: &Range<usize>) -> Range<usize> {
    let first = range.start.div_ceil(NORM_BLOCK);
    first..(range.end / NORM_BLOCK).max(first)
}

pub(super) fn take<'a, T>(slice: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let whole = std::mem::take(slice);
    let cut = len.min(whole.len());
    let (first, rest) = whole.split_at_mut(cut);
    *slice = rest;
    first
}
