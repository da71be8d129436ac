//! Cutting the sequence of steps into loops: which steps a few rows of the batch go through before the next few do.
//!
//! Steps one after the other over all rows would send every value through memory. Steps whose values for a few rows fit
//! into the second-level cache, weights included, form a loop that takes chunk after chunk of a shard through all of
//! them; values that nothing outside the loop reads are then never more than one chunk. Steps with large weights take
//! all rows at once, so that the weights are read once.

use std::collections::HashSet;
use std::ops::Range;

/// What a step touches.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    /// whether it works on rows of the batch
    pub rows: bool,
    /// values with a part for every row: index and bytes a row
    pub values: Vec<(usize, usize)>,
    /// bytes that are the same for all rows
    pub weights: usize,
    /// whether a chunk must be a whole shard
    pub whole_shard: bool,
}

/// Steps that a chunk goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// the steps
    pub steps: Range<usize>,
    /// most rows of a chunk, which never reaches beyond a shard; nothing where all rows of a worker go at once
    pub chunk: Option<usize>,
}

/// What chunks are chosen by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// bytes that a chunk may touch
    pub cache_bytes: usize,
    /// most rows of a shard
    pub shard: usize,
    /// most rows of a worker
    pub worker: usize,
}

/// Loops over a stretch of steps between two meetings, in their order; `at` is the index of the first.
pub(super) fn cut(stretch: &[Touched], at: usize, room: Room) -> Vec<Loop> {
    let mut loops: Vec<Loop> = Vec::new();
    let mut open = Open::default();
    let mut start = 0;
    for (i, step) in stretch.iter().enumerate() {
        // beyond half of the cache, weights are read once for all rows
        let most = room.cache_bytes / 2;
        let heavy = !step.rows || step.weights > most;
        if heavy || open.weights + step.weights > most {
            push(&mut loops, at + start..at + i, open.chunk(room));
            (open, start) = (Open::default(), i);
        }
        if heavy {
            push(&mut loops, at + i..at + i + 1, None);
            start = i + 1;
        } else {
            open.add(step);
        }
    }
    push(&mut loops, at + start..at + stretch.len(), open.chunk(room));
    loops
}

fn push(loops: &mut Vec<Loop>, steps: Range<usize>, chunk: Option<usize>) {
    match loops.last_mut() {
        _ if steps.is_empty() => {}
        Some(last) if last.chunk.is_none() && chunk.is_none() => last.steps.end = steps.end,
        _ => loops.push(Loop { steps, chunk }),
    }
}

/// A loop that grows.
#[derive(Default)]
struct Open {
    values: HashSet<(usize, usize)>,
    weights: usize,
    whole_shard: bool,
}

impl Open {
    fn add(&mut self, step: &Touched) {
        self.values.extend(&step.values);
        self.weights += step.weights;
        self.whole_shard |= step.whole_shard;
    }

    fn chunk(&self, room: Room) -> Option<usize> {
        let row: usize = self.values.iter().map(|(_, bytes)| bytes).sum();
        let left = room.cache_bytes.saturating_sub(self.weights);
        if row == 0 || row * room.worker <= left {
            return None;
        }
        let shard = room.shard.max(1);
        if self.whole_shard {
            return Some(shard);
        }
        let most = (left / row).clamp(1, shard);
        // as even as possible: 5 + 5 + 6 rather than 7 + 7 + 2
        Some(shard.div_ceil(shard.div_ceil(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::CACHE_BYTES;

    fn step(value: usize, kib_a_row: usize, weights_kib: usize) -> Touched {
        let values = vec![(value, kib_a_row * 1024), (value + 1, kib_a_row * 1024)];
        Touched { rows: true, values, weights: weights_kib * 1024, whole_shard: false }
    }

    const ROOM: Room = Room { cache_bytes: CACHE_BYTES, shard: 16, worker: 64 };

    #[test]
    fn neighbors_share_a_chunk_that_fits_the_cache() {
        let loops = cut(&[step(0, 64, 9), step(1, 64, 9), step(2, 64, 9)], 4, ROOM);
        assert_eq!(loops, [Loop { steps: 4..7, chunk: Some(2) }]);
    }

    #[test]
    fn large_weights_and_shared_work_take_all_rows() {
        let shared = Touched::default();
        let loops = cut(&[shared.clone(), step(0, 64, 0), step(1, 64, 300), shared, step(2, 1, 1)], 0, ROOM);
        let expected = [(0..1, None), (1..2, Some(4)), (2..5, None)];
        assert_eq!(loops, expected.map(|(steps, chunk)| Loop { steps, chunk }));
    }

    #[test]
    fn a_step_may_ask_for_whole_shards() {
        let whole = Touched { whole_shard: true, ..step(0, 64, 0) };
        assert_eq!(cut(&[whole], 0, ROOM), [Loop { steps: 0..1, chunk: Some(16) }]);
    }
}
