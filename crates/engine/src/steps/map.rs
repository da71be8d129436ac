//! A fused element-wise program over the rows of a frame, with sums down its columns.

use std::ops::Range;

use super::{Extent, Memory, Run, Span, StepKernel, Target, times};
use kernels::map::{Access, Call, Draw, MAX_OPERANDS, MAX_OUTS, MAX_PARTS, MapProgram};
use kernels::views::views;

const MAX_WRITES: usize = MAX_OUTS + MAX_PARTS;

/// `outs, sums = program(operands)`
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// the instructions
    pub program: MapProgram,
    /// rows of the frame
    pub rows: Extent,
    /// columns of the frame
    pub cols: usize,
    /// what is read, and how it lies in the frame
    pub operands: Vec<(Span, Access)>,
    /// what is stored
    pub outs: Vec<Span>,
    /// reductions of columns
    pub sums: Vec<Target>,
}

impl StepKernel for Map {
    fn reads(&self) -> Vec<Span> {
        self.operands.iter().map(|(span, _)| *span).collect()
    }

    fn writes(&self) -> Vec<Span> {
        self.outs.iter().copied().chain(self.whole_sums()).collect()
    }

    fn describe(&self) -> String {
        let sums = if self.sums.is_empty() { String::new() } else { format!(" +{} sums", self.sums.len()) };
        format!("map [{}, {}] {} instr{sums}", self.rows.text(), self.cols, self.program.instrs().len())
    }

    fn flops(&self, batch: usize) -> u64 {
        times(&[self.program.instrs().len(), self.rows.of(batch), self.cols])
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        self.program.scratch_len(self.cols)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let mut reads: [Range<usize>; MAX_OPERANDS] = std::array::from_fn(|_| 0..0);
        let mut writes: [Range<usize>; MAX_WRITES] = std::array::from_fn(|_| 0..0);
        self.operands.iter().zip(&mut reads).for_each(|((span, _), range)| *range = at.range(*span));
        let written = self.outs.iter().copied().chain(self.whole_sums());
        let n_writes = written.zip(&mut writes).map(|(span, range)| *range = at.range(span)).count();
        let (own, mut written) = views::<MAX_OPERANDS, MAX_WRITES>(
            memory.arena,
            &reads[..self.operands.len()],
            &writes[..n_writes],
        );
        let mut values: [&[f32]; MAX_OPERANDS] = [&[]; MAX_OPERANDS];
        for (i, (span, _)) in self.operands.iter().enumerate() {
            values[i] = at.pick(*span, own[i]);
        }
        let (stored, wholes) = written.split_at_mut(self.outs.len());
        let mut sums = self.targets(at, wholes, memory.partial);
        self.shard_ends(at, &mut memory.scratch.ends);
        let first_row = match self.rows {
            Extent::PerRow(n) => (at.context.draw.first_row + at.first_row() as u64) * n as u64,
            Extent::Fixed(_) | Extent::OfBatch(_) => 0,
        };
        let call = Call {
            rows: self.rows.of(at.rows()),
            cols: self.cols,
            operands: &values[..self.operands.len()],
            outs: stored,
            parts: &mut sums[..self.sums.len()],
            group_ends: &memory.scratch.ends,
            seen: at.seen() * self.rows.of(1),
            draw: Draw { first_row, ..at.context.draw },
        };
        self.program.run(call, &mut memory.scratch.floats);
    }
}

impl Map {
    fn whole_sums(&self) -> impl Iterator<Item = Span> {
        self.sums.iter().filter_map(|sum| sum.whole())
    }

    /// Where each reduction of columns goes: to memory, or among the per-shard results of the shards at hand.
    fn targets<'m>(
        &self,
        at: &Run,
        mut wholes: &mut [&'m mut [f32]],
        partial: &'m mut [f32],
    ) -> [&'m mut [f32]; MAX_PARTS] {
        let mut targets: [&mut [f32]; MAX_PARTS] = std::array::from_fn(|_| &mut [][..]);
        let mut rest = partial;
        let mut passed = 0;
        for (target, sum) in targets.iter_mut().zip(&self.sums) {
            match sum {
                Target::Whole(_) => {
                    let (first, others) = wholes.split_at_mut(1);
                    *target = std::mem::take(&mut first[0]);
                    wholes = others;
                }
                Target::Shards(p) => {
                    // the results of one program are laid out in order
                    let skipped = at.chunk.shards.start - at.lane.shards.start;
                    let start = p.offset * at.lane.shards.len() + skipped * p.len;
                    let (_, from) = rest.split_at_mut(start - passed);
                    let (own, after) = from.split_at_mut(p.len * at.chunk.shards.len());
                    passed = start + own.len();
                    (*target, rest) = (own, after);
                }
            }
        }
        targets
    }

    /// The rows of the frame at which each shard at hand ends; one group where the frame has no batch.
    fn shard_ends(&self, at: &Run, ends: &mut Vec<usize>) {
        ends.clear();
        match self.rows {
            Extent::Fixed(n) => ends.push(n),
            Extent::PerRow(n) | Extent::OfBatch(n) => {
                ends.extend(at.chunk.shards.clone().map(|s| at.of_shard(s).end * n))
            }
        }
    }
}
