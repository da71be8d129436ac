//! A worker in the middle of a step: its memory, the rows at hand, and how kernels find their values.

use std::ops::Range;
use std::sync::{Mutex, RwLock};

use super::span::{Extent, Loc, Partial, Span, Tail};
use crate::batch::PlanOptions;
use kernels::gemm::Epilogue;
use kernels::map::Draw;
use kernels::views::{Aligned, views};

/// Supplies the rows of a batch.
pub trait Feed: Sync {
    /// Writes rows `rows` of input `input` to `out`, which has exactly their size.
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]);
}

/// Whole batches in memory, one slice for each input.
impl Feed for [&[f32]] {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        if !rows.is_empty() {
            let width = out.len() / rows.len();
            out.copy_from_slice(&self[input][rows.start * width..rows.end * width]);
        }
    }
}

impl<const N: usize> Feed for [&[f32]; N] {
    fn fill(&self, input: usize, rows: Range<usize>, out: &mut [f32]) {
        self[..].fill(input, rows, out);
    }
}

/// What a step depends on besides its inputs.
#[derive(Clone, Copy, Debug)]
pub struct StepContext<'a> {
    /// the flat parameters
    pub params: &'a [f32],
    /// the flat buffers
    pub buffers: &'a [f32],
    /// a direction as long as the parameters, where the plan reads one; else empty
    pub tangents: &'a [f32],
    /// which random numbers masks use; `first_row` is that of the batch, where it is a part of a larger one
    pub draw: Draw,
}

/// One worker's memory.
#[derive(Debug)]
pub(crate) struct Lane {
    pub rows: Range<usize>,
    pub shards: Range<usize>,
    pub arena: RwLock<Aligned>,
    /// per-shard results, for each stretch between meetings
    pub partials: Vec<RwLock<Vec<f32>>>,
    pub scratch: Mutex<Scratch>,
}

#[derive(Debug)]
pub(crate) struct Scratch {
    pub floats: Aligned,
    /// the gradient of one task of an update
    pub gradient: Aligned,
    /// ends of shards, in rows of the frame at hand
    pub ends: Vec<usize>,
}

/// The guard of a lock that nobody else can hold at this point of a plan.
pub(crate) fn free<T>(lock: Result<T, impl std::fmt::Debug>) -> T {
    lock.unwrap_or_else(|held| unreachable!("the plan lets one worker at a time touch this: {held:?}"))
}

/// What a kernel writes to.
#[derive(Debug)]
pub struct Memory<'m> {
    pub(crate) arena: &'m mut Aligned,
    pub(crate) partial: &'m mut [f32],
    pub(crate) scratch: &'m mut Scratch,
}

/// The rows that a worker takes through a loop at a time.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// among the worker's rows
    pub rows: Range<usize>,
    /// the shards that they belong to
    pub shards: Range<usize>,
    /// whether they are not the first of their shard
    pub resume: bool,
}

/// A worker on its way through a plan.
#[derive(Clone)]
pub struct Run<'a> {
    pub(crate) options: PlanOptions,
    pub(crate) lanes: &'a [Lane],
    pub(crate) lane: &'a Lane,
    pub(crate) context: StepContext<'a>,
    pub(crate) feed: &'a dyn Feed,
    pub(crate) chunk: Chunk,
}

impl<'a> Run<'a> {
    /// Rows at hand.
    pub(crate) fn rows(&self) -> usize {
        self.chunk.rows.len()
    }

    /// The first of them, counted in the whole batch.
    pub(crate) fn first_row(&self) -> usize {
        self.lane.rows.start + self.chunk.rows.start
    }

    /// Where a value lies in the arena; nowhere if the caller holds it.
    pub(crate) fn range(&self, span: Span) -> Range<usize> {
        match (span.loc, span.len) {
            (Loc::Arena(start), Extent::PerRow(n)) => {
                start + n * self.chunk.rows.start..start + n * self.chunk.rows.end
            }
            (Loc::Arena(start), len @ Extent::OfBatch(_)) => {
                let start = start + self.first_of(len);
                start..start + len.of(self.rows())
            }
            (Loc::Arena(start) | Loc::Chunk(start), len) => start..start + len.of(self.rows()),
            _ => 0..0,
        }
    }

    /// Elements of a value of the whole batch before the rows at hand; of any other, none.
    fn first_of(&self, len: Extent) -> usize {
        match len {
            Extent::OfBatch(n) => n * self.first_row(),
            Extent::PerRow(_) | Extent::Fixed(_) => 0,
        }
    }

    /// A value that may lie in the arena (then `arena` is it already) or with the caller.
    pub(crate) fn pick<'s>(&self, span: Span, arena: &'s [f32]) -> &'s [f32]
    where
        'a: 's,
    {
        let (flat, start) = match span.loc {
            Loc::Arena(_) | Loc::Chunk(_) => return arena,
            Loc::Param(start) => (self.context.params, start),
            Loc::Buffer(start) => (self.context.buffers, start),
            Loc::Tangent(start) => (self.context.tangents, start),
            Loc::Const(_) => unreachable!("constants are part of programs or filled in"),
        };
        &flat[start + self.first_of(span.len)..][..span.len.of(self.rows())]
    }

    /// A value to be read.
    pub(crate) fn read<'s>(&self, span: Span, arena: &'s Aligned) -> &'s [f32]
    where
        'a: 's,
    {
        self.pick(span, &arena[self.range(span)])
    }

    /// Values to be read and one to be written.
    pub(crate) fn io<'s, const N: usize>(
        &self,
        reads: [Span; N],
        out: Span,
        arena: &'s mut Aligned,
    ) -> ([&'s [f32]; N], &'s mut [f32])
    where
        'a: 's,
    {
        let (mut values, [out]) = views::<N, 1>(arena, &reads.map(|s| self.range(s)), &[self.range(out)]);
        for (value, span) in values.iter_mut().zip(reads) {
            *value = self.pick(span, value);
        }
        (values, out)
    }

    /// Two factors, what follows their product, and where it goes.
    pub(crate) fn tailed<'s>(
        &self,
        factors: [Span; 2],
        out: Span,
        tail: Tail,
        arena: &'s mut Aligned,
    ) -> ([&'s [f32]; 2], Epilogue<'s>, &'s mut [f32])
    where
        'a: 's,
    {
        let optional = |span: Option<Span>| span.map_or(0..0, |s| self.range(s));
        let reads =
            [self.range(factors[0]), self.range(factors[1]), optional(tail.bias), optional(tail.gate)];
        let ([a, b, bias, gate], [out]) = views::<4, 1>(arena, &reads, &[self.range(out)]);
        let epilogue = Epilogue {
            bias: tail.bias.map(|s| self.pick(s, bias)),
            relu: tail.relu,
            gate: tail.gate.map(|s| self.pick(s, gate)),
        };
        ([self.pick(factors[0], a), self.pick(factors[1], b)], epilogue, out)
    }

    /// The rows of a shard among those at hand.
    pub(crate) fn of_shard(&self, shard: usize) -> Range<usize> {
        let rows = self.options.shard_rows(shard);
        let first = self.first_row();
        let within = |row: usize| row.max(first).min(first + self.rows()) - first;
        within(rows.start)..within(rows.end)
    }

    /// Rows of the batch that a shard has behind it, where it is taken in several chunks.
    pub(crate) fn seen(&self) -> usize {
        let start = self.options.shard_rows(self.chunk.shards.start).start;
        if self.chunk.resume { self.first_row() - start } else { 0 }
    }

    /// Calls `f` for each shard at hand with its place among per-shard results and its part of `len` rows.
    pub(crate) fn each_shard(
        &self,
        to: Partial,
        len: usize,
        partial: &mut [f32],
        mut f: impl FnMut(&mut [f32], Range<usize>),
    ) {
        let each = len / self.rows().max(1);
        let start = to.offset * self.lane.shards.len();
        for shard in self.chunk.shards.clone() {
            let rows = self.of_shard(shard);
            let at = start + (shard - self.lane.shards.start) * to.len;
            f(&mut partial[at..][..to.len], rows.start * each..rows.end * each);
        }
    }
}
