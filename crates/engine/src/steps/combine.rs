//! Per-shard results become one, in the order of the shards.

use std::ops::Range;

use super::{Lane, Memory, Partial, Run, Span, StepKernel, free};
use crate::batch::PlanOptions;
use kernels::channels;
use kernels::conv::Conv;
use kernels::map::{Fold, add_exactly};

/// How per-shard results become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// sum or maximum, shard after shard
    Fold(Fold),
    /// sums of many rows, each as three numbers (see [`Instr::ColSum`](kernels::map::Instr::ColSum))
    Sums,
    /// sums of a convolution's weight gradient, from which the gradient is made at the end
    ConvSums(Conv),
    /// means and squared deviations by Chan's formula, giving means and variances; rows of a shard are times this
    Moments(usize),
}

impl Join {
    /// Elements of a shard's result, where the whole batch's has `numel`.
    pub(crate) fn partial_len(self, numel: usize) -> usize {
        match self {
            Join::Sums => 3 * numel,
            Join::ConvSums(conv) => conv.sums_len(),
            Join::Fold(_) | Join::Moments(_) => numel,
        }
    }

    /// Elements of scratch memory that joining results of `len` elements takes.
    pub(crate) fn scratch_len(self, len: usize) -> usize {
        match self {
            Join::Sums => len / 3,
            Join::ConvSums(_) => len,
            Join::Fold(_) | Join::Moments(_) => 0,
        }
    }
}

/// `out = join(from)`
#[derive(Clone, Debug, PartialEq)]
pub struct Combine {
    /// how
    pub join: Join,
    /// the results of each shard
    pub from: Partial,
    /// the whole batch's
    pub out: Span,
}

impl StepKernel for Combine {
    fn reads(&self) -> Vec<Span> {
        vec![]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("join {} over shards", self.from.len)
    }

    fn scratch_len(&self, _rows: usize) -> usize {
        self.join.scratch_len(self.from.len)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let out = &mut memory.arena[at.range(self.out)];
        let all = 0..out.len();
        combine(at.lanes, at.options, (self.join, self.from), all, out, &mut memory.scratch.floats);
    }
}

/// Joins the per-shard results of elements `range`, shard after shard, into `out`. Sums of a convolution's weight
/// gradient, which are longer than the gradient, are joined as a whole.
pub(crate) fn combine(
    lanes: &[Lane],
    options: PlanOptions,
    (join, from): (Join, Partial),
    range: Range<usize>,
    out: &mut [f32],
    scratch: &mut [f32],
) {
    if let Join::ConvSums(conv) = join {
        let sums = &mut scratch[..from.len];
        combine(lanes, options, (Join::Fold(Fold::Sum), from), 0..from.len, sums, &mut []);
        return conv.gradient_of_sums(sums, out);
    }
    out.fill(if let Join::Fold(fold) = join { fold.neutral() } else { 0.0 });
    let low = &mut scratch[..if join == Join::Sums { out.len() } else { 0 }];
    low.fill(0.0);
    let mut seen = 0;
    for lane in lanes {
        let partial = free(lane.partials[from.segment].try_read());
        let start = from.offset * lane.shards.len();
        for (i, shard) in lane.shards.clone().enumerate() {
            let part = &partial[start + i * from.len..][..from.len];
            if join == Join::Sums {
                let [run, high, rest] = [0, 1, 2].map(|p| &part[p * from.len / 3..][range.clone()]);
                add_exactly(out, low, high);
                add_exactly(out, low, run);
                low.iter_mut().zip(rest).for_each(|(l, x)| *l += x);
                continue;
            }
            let part = &part[range.clone()];
            match join {
                Join::Moments(each) => {
                    let rows = options.shard_rows(shard).len() * each;
                    channels::join_moments(out, seen, part, rows);
                    seen += rows;
                }
                Join::Fold(fold) => out.iter_mut().zip(part).for_each(|(t, x)| *t = fold.join(*t, *x)),
                Join::ConvSums(_) | Join::Sums => unreachable!("joined above"),
            }
        }
    }
    // beyond what f32 holds there is nothing to add
    out.iter_mut().zip(low).for_each(|(high, low)| *high += if high.is_finite() { *low } else { 0.0 });
    if let Join::Moments(_) = join {
        let n = out.len() / 2;
        out[n..].iter_mut().for_each(|s| *s /= seen as f32);
    }
}
