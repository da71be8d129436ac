//! The first run of a step: one worker, its rows, every kernel of the plan.

use std::ops::Range;

use super::{Executor, Feed, Lane, Scratch, StepContext, free};
use crate::plan::{Extent, Factor, Join, Kernel, Loc, Part, Partial, Span, Tail};
use kernels::channels;
use kernels::gemm::{Epilogue, Mat, Part as Product, gemm};
use kernels::map::{Access, Call, Draw, Fold, MAX_OPERANDS, MAX_OUTS, MAX_PARTS, Program};
use kernels::pool::Worker;
use kernels::views::{Aligned, views};

/// Most slices of one kernel.
const MAX_READS: usize = MAX_OPERANDS;
const MAX_WRITES: usize = MAX_OUTS + MAX_PARTS;

/// A worker on its way through the plan.
struct Run<'a> {
    executor: &'a Executor,
    lane: &'a Lane,
    context: StepContext<'a>,
    rows: usize,
}

pub(super) fn run_lane(executor: &Executor, worker: Worker, context: StepContext, feed: &dyn Feed) {
    let lane = &executor.lanes[worker.index];
    let run = Run { executor, lane, context, rows: lane.rows.len() };
    let mut scratch = free(lane.scratch.try_lock());
    let mut steps = executor.plan.steps.as_slice();
    let mut segment = 0;
    loop {
        let mut arena = free(lane.arena.try_write());
        let mut partial = free(lane.partials[segment].try_write());
        let end = steps.iter().position(|s| s.kernel == Kernel::Meet);
        for step in &steps[..end.unwrap_or(steps.len())] {
            run.kernel(&step.kernel, &mut arena, &mut partial, &mut scratch, feed);
        }
        let Some(end) = end else { return };
        drop((arena, partial));
        worker.barrier();
        steps = &steps[end + 1..];
        segment += 1;
    }
}

impl<'a> Run<'a> {
    fn range(&self, span: Span) -> Range<usize> {
        match span.loc {
            Loc::Arena(start) => start..start + span.len.of(self.rows),
            _ => 0..0,
        }
    }

    /// A value that may lie in the arena (then `arena` is it already) or with the caller.
    fn pick<'s>(&self, span: Span, arena: &'s [f32]) -> &'s [f32]
    where
        'a: 's,
    {
        match span.loc {
            Loc::Arena(_) => arena,
            Loc::Param(start) => &self.context.params[start..start + span.len.count()],
            Loc::Buffer(start) => &self.context.buffers[start..start + span.len.count()],
            Loc::Const(_) => unreachable!("constants are part of programs or filled in"),
        }
    }

    fn kernel(
        &self,
        kernel: &Kernel,
        arena: &mut Aligned,
        partial: &mut [f32],
        scratch: &mut Scratch,
        feed: &dyn Feed,
    ) {
        match kernel {
            Kernel::Meet => {}
            Kernel::Feed { input, out } => {
                feed.fill(*input, self.lane.rows.clone(), &mut arena[self.range(*out)]);
            }
            Kernel::Fill { value, out } => arena[self.range(*out)].fill(*value),
            Kernel::Gemm { m, n, k, a, b, out, tail } => {
                self.gemm(m.of(self.rows), *n, *k, [*a, *b], *out, *tail, arena, scratch);
            }
            Kernel::GemmPartial { m, n, rows, a, b, out } => {
                self.gemm_partial([*m, *n, *rows], [*a, *b], *out, arena, partial, scratch);
            }
            Kernel::Map { program, rows, cols, operands, outs, parts } => {
                let frame = (*rows, *cols);
                self.map(program, frame, operands, outs, parts, arena, partial, scratch);
            }
            Kernel::Fold { fold, outer, mid, inner, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                fold_middle(*fold, outer.of(self.rows), *mid, *inner, self.pick(*x, x0), out);
            }
            Kernel::Copy { sizes, batched, strides, start, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                let lead = if *batched { sizes[0] * self.rows } else { sizes[0] };
                if !out.is_empty() {
                    copy_strided(lead, sizes, strides, &self.pick(*x, x0)[*start..], out);
                }
            }
            Kernel::Place { outer, inner, out_stride, out_start, zero, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                let x = self.pick(*x, x0);
                if *zero {
                    out.fill(0.0);
                }
                for o in 0..outer.of(self.rows) {
                    out[o * out_stride + out_start..][..*inner].copy_from_slice(&x[o * inner..][..*inner]);
                }
            }
            Kernel::Gather { rows, width, table, index, out } => {
                let reads = [self.range(*table), self.range(*index)];
                let ([t, i], [out]) = views::<2, 1>(arena, &reads, &[self.range(*out)]);
                gather(self.pick(*table, t), *rows, *width, self.pick(*index, i), out);
            }
            Kernel::ScatterPartial { rows, width, index, x, out } => {
                let index = self.pick(*index, &arena[self.range(*index)]);
                let x = self.pick(*x, &arena[self.range(*x)]);
                self.each_shard(*out, index.len(), partial, |part, at| {
                    part.fill(0.0);
                    scatter(part, *rows, *width, &index[at.clone()], &x[at.start * width..at.end * width]);
                });
            }
            Kernel::Moments { rows, channels, x, out } => {
                let x = self.pick(*x, &arena[self.range(*x)]);
                self.each_shard(*out, rows * self.rows, partial, |part, at| {
                    let n = at.len();
                    channels::moments(&x[at.start * channels..at.end * channels], *channels, n, 0, part);
                });
            }
            Kernel::Combine { join, from, out } => {
                let out = &mut arena[self.range(*out)];
                combine(self.executor, *join, *from, 0..from.len, out);
            }
        }
    }

    fn one_to_one<'s>(
        &self,
        x: Span,
        out: Span,
        arena: &'s mut Aligned,
    ) -> ([&'s [f32]; 1], [&'s mut [f32]; 1]) {
        views(arena, &[self.range(x)], &[self.range(out)])
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one kernel and the memory it runs in")]
    fn gemm(
        &self,
        m: usize,
        n: usize,
        k: usize,
        factors: [Factor; 2],
        out: Span,
        tail: Tail,
        arena: &mut Aligned,
        scratch: &mut Scratch,
    ) {
        let optional = |span: Option<Span>| span.map_or(0..0, |s| self.range(s));
        let reads = [
            self.range(factors[0].span),
            self.range(factors[1].span),
            optional(tail.bias),
            optional(tail.gate),
        ];
        let ([a, b, bias, gate], [out]) = views::<4, 1>(arena, &reads, &[self.range(out)]);
        let mat = |f: Factor, own| Mat {
            data: self.pick(f.span, own),
            row_stride: f.row_stride,
            col_stride: f.col_stride,
        };
        let part = Product { a: mat(factors[0], a), b: mat(factors[1], b), k };
        let epilogue = Epilogue {
            bias: tail.bias.map(|s| self.pick(s, bias)),
            relu: tail.relu,
            gate: tail.gate.map(|s| self.pick(s, gate)),
        };
        gemm(m, n, out, n, &[part], false, epilogue, &mut scratch.floats);
    }

    fn gemm_partial(
        &self,
        [m, n, rows]: [usize; 3],
        factors: [Span; 2],
        to: Partial,
        arena: &Aligned,
        partial: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let [a, b] = factors.map(|s| self.pick(s, &arena[self.range(s)]));
        self.each_shard(to, rows * self.rows, partial, |part, at| {
            let k = at.len();
            let a = Mat { data: &a[at.start * m..], row_stride: 1, col_stride: m };
            let b = Mat { data: &b[at.start * n..], row_stride: n, col_stride: 1 };
            gemm(m, n, part, n, &[Product { a, b, k }], false, Epilogue::default(), &mut scratch.floats);
        });
    }

    /// Calls `f` for each of the worker's shards with its place among per-shard results and its part of `len` rows.
    fn each_shard(
        &self,
        to: Partial,
        len: usize,
        partial: &mut [f32],
        mut f: impl FnMut(&mut [f32], Range<usize>),
    ) {
        let options = self.executor.plan.options;
        let each = len / self.rows.max(1);
        let start = to.offset * self.lane.shards.len();
        for (i, shard) in self.lane.shards.clone().enumerate() {
            let rows = options.shard_rows(shard);
            let at = (rows.start - self.lane.rows.start) * each..(rows.end - self.lane.rows.start) * each;
            f(&mut partial[start + i * to.len..][..to.len], at);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one kernel and the memory it runs in")]
    fn map(
        &self,
        program: &Program,
        (rows, cols): (Extent, usize),
        operands: &[(Span, Access)],
        outs: &[Span],
        parts: &[Part],
        arena: &mut Aligned,
        partial: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let mut reads: [Range<usize>; MAX_READS] = std::array::from_fn(|_| 0..0);
        let mut writes: [Range<usize>; MAX_WRITES] = std::array::from_fn(|_| 0..0);
        operands.iter().enumerate().for_each(|(i, (span, _))| reads[i] = self.range(*span));
        outs.iter().enumerate().for_each(|(i, span)| writes[i] = self.range(*span));
        let whole = parts.iter().filter_map(|p| match p {
            Part::Whole(span) => Some(self.range(*span)),
            Part::Shards(_) => None,
        });
        let mut n_writes = outs.len();
        for range in whole {
            writes[n_writes] = range;
            n_writes += 1;
        }
        let (own, mut written) =
            views::<MAX_READS, MAX_WRITES>(arena, &reads[..operands.len()], &writes[..n_writes]);
        let mut values: [&[f32]; MAX_READS] = [&[]; MAX_READS];
        for (i, (span, _)) in operands.iter().enumerate() {
            values[i] = self.pick(*span, own[i]);
        }
        let (stored, mut wholes) = written.split_at_mut(outs.len());
        let mut folded: [&mut [f32]; MAX_PARTS] = std::array::from_fn(|_| &mut [][..]);
        let mut rest = partial;
        let mut at = 0;
        for (slot, part) in folded.iter_mut().zip(parts) {
            match part {
                Part::Whole(_) => {
                    let (first, others) = wholes.split_at_mut(1);
                    *slot = std::mem::take(&mut first[0]);
                    wholes = others;
                }
                Part::Shards(p) => {
                    // parts of one program are laid out in order
                    let start = p.offset * self.lane.shards.len();
                    let (_, from) = rest.split_at_mut(start - at);
                    let (this, after) = from.split_at_mut(p.len * self.lane.shards.len());
                    at = start + this.len();
                    *slot = this;
                    rest = after;
                }
            }
        }
        let n_rows = rows.of(self.rows);
        self.shard_ends(rows, &mut scratch.ends);
        let first_row = match rows {
            Extent::PerRow(n) => (self.lane.rows.start * n) as u64,
            Extent::Fixed(_) => 0,
        };
        let call = Call {
            rows: n_rows,
            cols,
            operands: &values[..operands.len()],
            outs: stored,
            parts: &mut folded[..parts.len()],
            resume: false,
            group_ends: &scratch.ends,
            draw: Draw { first_row, ..self.context.draw },
        };
        program.run(call, &mut scratch.floats);
    }

    /// The rows of a frame at which each of the worker's shards ends; one group where the frame has no batch.
    fn shard_ends(&self, rows: Extent, ends: &mut Vec<usize>) {
        ends.clear();
        match rows {
            Extent::Fixed(n) => ends.push(n),
            Extent::PerRow(n) => {
                let options = self.executor.plan.options;
                let end = |s| (options.shard_rows(s).end - self.lane.rows.start) * n;
                ends.extend(self.lane.shards.clone().map(end));
            }
        }
    }
}

/// Joins the per-shard results of elements `range`, shard after shard, into `out`.
pub(super) fn combine(executor: &Executor, join: Join, from: Partial, range: Range<usize>, out: &mut [f32]) {
    match join {
        Join::Fold(Fold::Sum) => out.fill(0.0),
        Join::Fold(fold) => out.fill(fold.neutral()),
        Join::Moments(_) => out.fill(0.0),
    }
    let mut seen = 0;
    for lane in &executor.lanes {
        let partial = free(lane.partials[from.segment].try_read());
        let start = from.offset * lane.shards.len();
        for (i, shard) in lane.shards.clone().enumerate() {
            let part = &partial[start + i * from.len..][..from.len][range.clone()];
            match join {
                Join::Fold(fold) => out.iter_mut().zip(part).for_each(|(t, x)| *t = fold.join(*t, *x)),
                Join::Moments(each) => {
                    let rows = executor.plan.options.shard_rows(shard).len() * each;
                    channels::join_moments(out, seen, part, rows);
                    seen += rows;
                }
            }
        }
    }
    if let Join::Moments(_) = join {
        let n = out.len() / 2;
        out[n..].iter_mut().for_each(|s| *s /= seen as f32);
    }
}

fn fold_middle(fold: Fold, outer: usize, mid: usize, inner: usize, x: &[f32], out: &mut [f32]) {
    for o in 0..outer {
        let target = &mut out[o * inner..][..inner];
        target.fill(fold.neutral());
        for m in 0..mid {
            let row = &x[(o * mid + m) * inner..][..inner];
            target.iter_mut().zip(row).for_each(|(t, x)| *t = fold.join(*t, *x));
        }
    }
}

/// `out[i…] = x[Σ i·stride]` with the first axis of size `lead`.
fn copy_strided(lead: usize, sizes: &[usize], strides: &[usize], x: &[f32], out: &mut [f32]) {
    match sizes {
        [] => out[0] = x[0],
        [_] => (0..lead).for_each(|i| out[i] = x[i * strides[0]]),
        _ => {
            let chunk: usize = sizes[1..].iter().product();
            for i in 0..lead {
                if chunk > 0 {
                    copy_strided(
                        sizes[1],
                        &sizes[1..],
                        &strides[1..],
                        &x[i * strides[0]..],
                        &mut out[i * chunk..],
                    );
                }
            }
        }
    }
}

fn row_of(index: f32, rows: usize) -> Option<usize> {
    (index >= 0.0 && index < rows as f32).then_some(index as usize)
}

fn gather(table: &[f32], rows: usize, width: usize, index: &[f32], out: &mut [f32]) {
    for (i, target) in index.iter().zip(out.chunks_exact_mut(width.max(1))) {
        match row_of(*i, rows) {
            Some(row) => target.copy_from_slice(&table[row * width..][..width]),
            None => target.fill(f32::NAN),
        }
    }
}

fn scatter(table: &mut [f32], rows: usize, width: usize, index: &[f32], x: &[f32]) {
    for (i, source) in index.iter().zip(x.chunks_exact(width.max(1))) {
        if let Some(row) = row_of(*i, rows) {
            table[row * width..][..width].iter_mut().zip(source).for_each(|(t, x)| *t += x);
        }
    }
}
