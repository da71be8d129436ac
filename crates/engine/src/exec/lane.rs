//! The first run of a step: one worker, its rows, every kernel of the plan.

use super::{Executor, Feed, StepContext};
use crate::batch::PlanOptions;
use crate::plan::Loop;
use crate::steps::{Chunk, Kernel, Lane, Memory, Run, free};
use kernels::pool::Worker;

pub(super) fn run_lane(executor: &Executor, worker: Worker, context: StepContext, feed: &dyn Feed) {
    let lane = &executor.lanes[worker.index];
    let plan = &executor.plan;
    let all = Chunk { rows: 0..lane.rows.len(), shards: lane.shards.clone(), resume: false };
    let (options, lanes) = (plan.options, &executor.lanes[..]);
    let mut run = Run { options, lanes, lane, context, feed, chunk: all.clone() };
    let mut scratch = free(lane.scratch.try_lock());
    let mut loops = plan.loops.as_slice();
    let mut segment = 0;
    loop {
        let mut arena = free(lane.arena.try_write());
        let mut partial = free(lane.partials[segment].try_write());
        let meets =
            |l: &Loop| l.steps.len() == 1 && matches!(plan.steps[l.steps.start].kernel, Kernel::Meet(_));
        let end = loops.iter().position(meets);
        for l in &loops[..end.unwrap_or(loops.len())] {
            let mut go = |chunk: Chunk| {
                run.chunk = chunk;
                for step in &plan.steps[l.steps.clone()] {
                    let memory = Memory { arena: &mut arena, partial: &mut partial, scratch: &mut scratch };
                    step.kernel.get().run(&run, memory);
                }
            };
            match l.chunk {
                None => go(all.clone()),
                Some(most) => chunks(options, lane, most).for_each(go),
            }
        }
        let Some(end) = end else { return };
        drop((arena, partial));
        worker.barrier();
        loops = &loops[end + 1..];
        segment += 1;
    }
}

/// The worker's rows, shard by shard, at most `most` at a time. A shard without rows is one chunk without rows, since
/// its results are joined too.
fn chunks(options: PlanOptions, lane: &Lane, most: usize) -> impl Iterator<Item = Chunk> {
    let first = lane.rows.start;
    lane.shards.clone().flat_map(move |s| {
        let rows = options.shard_rows(s);
        let (start, end) = (rows.start - first, rows.end - first);
        (start..end.max(start + 1)).step_by(most).map(move |at| Chunk {
            rows: at..(at + most).min(end),
            shards: s..s + 1,
            resume: at > start,
        })
    })
}
