//! The first run of a step: one worker, its rows, every kernel of the plan.

use std::ops::Range;

use super::{Executor, Feed, Lane, Scratch, StepContext, free};
use crate::plan::{Extent, Factor, Join, Kernel, Loc, Loop, Part, Partial, PlanOptions, Span, Tail};
use kernels::channels;
use kernels::fold::fold_middle;
use kernels::gemm::{Epilogue, Mat, Part as Product, gemm};
use kernels::map::{Access, Call, Draw, Fold, MAX_OPERANDS, MAX_OUTS, MAX_PARTS, Program};
use kernels::permute::copy_strided;
use kernels::pool::Worker;
use kernels::resample::resample;
use kernels::views::{Aligned, views};
use kernels::window;

/// Most slices of one kernel.
const MAX_READS: usize = MAX_OPERANDS;
const MAX_WRITES: usize = MAX_OUTS + MAX_PARTS;

/// The rows that a worker takes through a loop at a time.
#[derive(Clone)]
struct Piece {
    /// among the worker's rows
    rows: Range<usize>,
    /// the shards that they belong to
    shards: Range<usize>,
    /// whether they are not the first of their shard
    resume: bool,
}

/// A worker on its way through the plan.
struct Run<'a> {
    executor: &'a Executor,
    lane: &'a Lane,
    context: StepContext<'a>,
    piece: Piece,
}

pub(super) fn run_lane(executor: &Executor, worker: Worker, context: StepContext, feed: &dyn Feed) {
    let lane = &executor.lanes[worker.index];
    let plan = &executor.plan;
    let all = Piece { rows: 0..lane.rows.len(), shards: lane.shards.clone(), resume: false };
    let mut run = Run { executor, lane, context, piece: all.clone() };
    let mut scratch = free(lane.scratch.try_lock());
    let mut loops = plan.loops.as_slice();
    let mut segment = 0;
    loop {
        let mut arena = free(lane.arena.try_write());
        let mut partial = free(lane.partials[segment].try_write());
        let meets = |l: &Loop| l.steps.len() == 1 && plan.steps[l.steps.start].kernel == Kernel::Meet;
        let end = loops.iter().position(meets);
        for l in &loops[..end.unwrap_or(loops.len())] {
            let mut go = |piece: Piece| {
                run.piece = piece;
                for step in &plan.steps[l.steps.clone()] {
                    run.kernel(&step.kernel, &mut arena, &mut partial, &mut scratch, feed);
                }
            };
            match l.chunk {
                None => go(all.clone()),
                Some(most) => chunks(plan.options, lane, most).for_each(go),
            }
        }
        let Some(end) = end else { return };
        drop((arena, partial));
        worker.barrier();
        loops = &loops[end + 1..];
        segment += 1;
    }
}

/// The worker's rows, shard by shard, at most so many at a time.
fn chunks(options: PlanOptions, lane: &Lane, most: usize) -> impl Iterator<Item = Piece> {
    let first = lane.rows.start;
    lane.shards.clone().flat_map(move |s| {
        let rows = options.shard_rows(s);
        let (start, end) = (rows.start - first, rows.end - first);
        (start..end).step_by(most).map(move |at| Piece {
            rows: at..(at + most).min(end),
            shards: s..s + 1,
            resume: at > start,
        })
    })
}

impl<'a> Run<'a> {
    /// Rows at hand.
    fn rows(&self) -> usize {
        self.piece.rows.len()
    }

    fn range(&self, span: Span) -> Range<usize> {
        match (span.loc, span.len) {
            (Loc::Arena(start), Extent::PerRow(n)) => {
                start + n * self.piece.rows.start..start + n * self.piece.rows.end
            }
            (Loc::Arena(start) | Loc::Chunk(start), len) => start..start + len.of(self.rows()),
            _ => 0..0,
        }
    }

    /// A value that may lie in the arena (then `arena` is it already) or with the caller.
    fn pick<'s>(&self, span: Span, arena: &'s [f32]) -> &'s [f32]
    where
        'a: 's,
    {
        match span.loc {
            Loc::Arena(_) | Loc::Chunk(_) => arena,
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
                let (first, rows) = (self.lane.rows.start, &self.piece.rows);
                feed.fill(*input, first + rows.start..first + rows.end, &mut arena[self.range(*out)]);
            }
            Kernel::Fill { value, out } => arena[self.range(*out)].fill(*value),
            Kernel::Gemm { m, n, k, a, b, out, tail } => {
                self.gemm(m.of(self.rows()), *n, *k, [*a, *b], *out, *tail, arena, scratch);
            }
            Kernel::GemmPartial { m, n, rows, a, b, out } => {
                self.gemm_partial([*m, *n, *rows], [*a, *b], *out, arena, partial, scratch);
            }
            Kernel::Prepare { conv, direction, w, out } => {
                let ([w0], [out]) = self.one_to_one(*w, *out, arena);
                conv.prepare(*direction, self.pick(*w, w0), out, &mut scratch.floats);
            }
            Kernel::Conv { conv, images, x, w, out, tail } => {
                let ([x, w], tail, y) = self.tailed([*x, *w], *out, *tail, arena);
                conv.forward(images.of(self.rows()), x, w, y, tail, &mut scratch.floats);
            }
            Kernel::ConvInput { conv, images, x, w, out, tail } => {
                let ([dy, w], tail, dx) = self.tailed([*x, *w], *out, *tail, arena);
                conv.input_gradient(images.of(self.rows()), dy, w, dx, tail, &mut scratch.floats);
            }
            Kernel::ConvPartial { conv, x, dy, out } => {
                let [x, dy] = [x, dy].map(|s| self.pick(*s, &arena[self.range(*s)]));
                let (a, b) = (conv.input.iter().product::<usize>(), conv.output.iter().product::<usize>());
                self.each_shard(*out, self.rows(), partial, |dw, at| {
                    let (x, dy) = (&x[at.start * a..at.end * a], &dy[at.start * b..at.end * b]);
                    conv.weight_gradient(at.len(), x, dy, dw, self.piece.resume, &mut scratch.floats);
                });
            }
            Kernel::Map { program, rows, cols, operands, outs, parts } => {
                let frame = (*rows, *cols);
                self.map(program, frame, operands, outs, parts, arena, partial, scratch);
            }
            Kernel::Fold { fold, outer, mid, inner, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                fold_middle(*fold, [outer.of(self.rows()), *mid, *inner], self.pick(*x, x0), out);
            }
            Kernel::Copy { sizes, batched, strides, start, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                let rows = if *batched { self.rows() } else { 1 };
                if !out.is_empty() {
                    copy_strided(rows, sizes, strides, &self.pick(*x, x0)[*start..], out);
                }
            }
            Kernel::Place { outer, inner, out_stride, out_start, zero, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                let x = self.pick(*x, x0);
                if *zero {
                    out.fill(0.0);
                }
                for o in 0..outer.of(self.rows()) {
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
                    if !self.piece.resume {
                        part.fill(0.0);
                    }
                    scatter(part, *rows, *width, &index[at.clone()], &x[at.start * width..at.end * width]);
                });
            }
            Kernel::Moments { rows, channels, whole_shards, x, out } => {
                let x = self.pick(*x, &arena[self.range(*x)]);
                self.each_shard(*out, rows * self.rows(), partial, |part, at| {
                    let block = if *whole_shards { at.len().max(1) } else { *rows };
                    let seen = self.seen() * rows;
                    channels::moments(
                        &x[at.start * channels..at.end * channels],
                        *channels,
                        block,
                        seen,
                        part,
                    );
                });
            }
            Kernel::MaxPick { window, channels, x, v, out } => {
                let reads = [self.range(*x), self.range(*v)];
                let ([x0, v0], [out]) = views::<2, 1>(arena, &reads, &[self.range(*out)]);
                window::pick(window, *channels, self.pick(*x, x0), self.pick(*v, v0), out);
            }
            Kernel::MaxSpread { window, channels, x, dy, out } => {
                let reads = [self.range(*x), self.range(*dy)];
                let ([x0, dy0], [out]) = views::<2, 1>(arena, &reads, &[self.range(*out)]);
                window::spread(window, *channels, self.pick(*x, x0), self.pick(*dy, dy0), out);
            }
            Kernel::Resample { rows, columns, channels, x, out } => {
                let ([x0, ..], [out, ..]) = self.one_to_one(*x, *out, arena);
                resample(rows, columns, *channels, self.pick(*x, x0), out, &mut scratch.floats);
            }
            Kernel::Combine { join, from, out } => {
                let out = &mut arena[self.range(*out)];
                combine(self.executor, *join, *from, 0..from.len, out, &mut scratch.floats);
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
        let ([a, b], epilogue, out) = self.tailed(factors.map(|f| f.span), out, tail, arena);
        let mat = |f: Factor, data| Mat { data, row_stride: f.row_stride, col_stride: f.col_stride };
        let part = Product { a: mat(factors[0], a), b: mat(factors[1], b), k };
        gemm(m, n, out, n, &[part], false, epilogue, &mut scratch.floats);
    }

    /// Two factors, what follows their product, and where it goes.
    fn tailed<'s>(
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
        self.each_shard(to, rows * self.rows(), partial, |part, at| {
            let k = at.len();
            let a = Mat { data: &a[at.start * m..], row_stride: 1, col_stride: m };
            let b = Mat { data: &b[at.start * n..], row_stride: n, col_stride: 1 };
            let resume = self.piece.resume;
            gemm(m, n, part, n, &[Product { a, b, k }], resume, Epilogue::default(), &mut scratch.floats);
        });
    }

    /// The rows of a shard among those at hand.
    fn of_shard(&self, shard: usize) -> Range<usize> {
        let rows = self.executor.plan.options.shard_rows(shard);
        let first = self.lane.rows.start + self.piece.rows.start;
        let within = |row: usize| row.max(first).min(first + self.rows()) - first;
        within(rows.start)..within(rows.end)
    }

    /// Rows of the batch that a shard has behind it, where it is taken in several pieces.
    fn seen(&self) -> usize {
        let start = self.executor.plan.options.shard_rows(self.piece.shards.start).start;
        if self.piece.resume { self.lane.rows.start + self.piece.rows.start - start } else { 0 }
    }

    /// Calls `f` for each shard at hand with its place among per-shard results and its part of `len` rows.
    fn each_shard(
        &self,
        to: Partial,
        len: usize,
        partial: &mut [f32],
        mut f: impl FnMut(&mut [f32], Range<usize>),
    ) {
        let each = len / self.rows().max(1);
        let start = to.offset * self.lane.shards.len();
        for shard in self.piece.shards.clone() {
            let rows = self.of_shard(shard);
            let at = start + (shard - self.lane.shards.start) * to.len;
            f(&mut partial[at..][..to.len], rows.start * each..rows.end * each);
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
                    let skipped = self.piece.shards.start - self.lane.shards.start;
                    let start = p.offset * self.lane.shards.len() + skipped * p.len;
                    let (_, from) = rest.split_at_mut(start - at);
                    let (this, after) = from.split_at_mut(p.len * self.piece.shards.len());
                    at = start + this.len();
                    *slot = this;
                    rest = after;
                }
            }
        }
        let n_rows = rows.of(self.rows());
        self.shard_ends(rows, &mut scratch.ends);
        let first_row = match rows {
            Extent::PerRow(n) => {
                let row = self.context.draw.first_row + (self.lane.rows.start + self.piece.rows.start) as u64;
                row * n as u64
            }
            Extent::Fixed(_) => 0,
        };
        let call = Call {
            rows: n_rows,
            cols,
            operands: &values[..operands.len()],
            outs: stored,
            parts: &mut folded[..parts.len()],
            group_ends: &scratch.ends,
            resume: self.piece.resume,
            draw: Draw { first_row, ..self.context.draw },
        };
        program.run(call, &mut scratch.floats);
    }

    /// The rows of a frame at which each shard at hand ends; one group where the frame has no batch.
    fn shard_ends(&self, rows: Extent, ends: &mut Vec<usize>) {
        ends.clear();
        match rows {
            Extent::Fixed(n) => ends.push(n),
            Extent::PerRow(n) => {
                ends.extend(self.piece.shards.clone().map(|s| self.of_shard(s).end * n));
            }
        }
    }
}

/// Joins the per-shard results of elements `range`, shard after shard, into `out`. Sums of a convolution's weight
/// gradient, which are longer than the gradient, are joined as a whole.
pub(super) fn combine(
    executor: &Executor,
    join: Join,
    from: Partial,
    range: Range<usize>,
    out: &mut [f32],
    scratch: &mut [f32],
) {
    if let Join::ConvSums(conv) = join {
        let sums = &mut scratch[..from.len];
        combine(executor, Join::Fold(Fold::Sum), from, 0..from.len, sums, &mut []);
        return conv.gradient_of_sums(sums, out);
    }
    out.fill(if let Join::Fold(fold) = join { fold.neutral() } else { 0.0 });
    let mut seen = 0;
    for lane in &executor.lanes {
        let partial = free(lane.partials[from.segment].try_read());
        let start = from.offset * lane.shards.len();
        for (i, shard) in lane.shards.clone().enumerate() {
            let part = &partial[start + i * from.len..][..from.len][range.clone()];
            match join {
                Join::Moments(each) => {
                    let rows = executor.plan.options.shard_rows(shard).len() * each;
                    channels::join_moments(out, seen, part, rows);
                    seen += rows;
                }
                Join::Fold(fold) => out.iter_mut().zip(part).for_each(|(t, x)| *t = fold.join(*t, *x)),
                Join::ConvSums(_) => unreachable!("joined as plain sums"),
            }
        }
    }
    if let Join::Moments(_) = join {
        let n = out.len() / 2;
        out[n..].iter_mut().for_each(|s| *s /= seen as f32);
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
