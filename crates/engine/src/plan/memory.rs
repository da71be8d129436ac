//! Memory by liveness: values that are not alive at the same time share elements of the arena.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Elements to which every value is aligned: one cache line.
const ALIGN: usize = 16;

/// A value that needs memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    /// elements
    pub len: usize,
    /// the step that writes it first
    pub first: usize,
    /// the step that reads it last
    pub last: usize,
}

/// An offset for each value, and the length of the arena: values by their first step, each at the lowest gap.
pub(super) fn assign(values: &[Lifetime]) -> (Vec<usize>, usize) {
    let mut by_first: Vec<usize> = (0..values.len()).collect();
    by_first.sort_by_key(|i| (values[*i].first, std::cmp::Reverse(values[*i].len)));
    let mut offsets = vec![0; values.len()];
    let mut gaps = Gaps(BTreeMap::from([(0, usize::MAX)]));
    // values that live, by their last step
    let mut alive: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let mut total = 0;
    for i in by_first {
        let v = values[i];
        let len = v.len.next_multiple_of(ALIGN);
        while let Some(Reverse((last, over))) = alive.peek().copied()
            && last < v.first
        {
            alive.pop();
            gaps.give_back(offsets[over], values[over].len.next_multiple_of(ALIGN));
        }
        if len > 0 {
            offsets[i] = gaps.take(len);
            alive.push(Reverse((v.last, i)));
        }
        total = total.max(offsets[i] + len);
    }
    (offsets, total)
}

/// What is free: starts and ends, apart from each other.
struct Gaps(BTreeMap<usize, usize>);

impl Gaps {
    /// The start of the lowest gap that is long enough, which is taken.
    fn take(&mut self, len: usize) -> usize {
        let fit = self.0.iter().find(|(start, end)| *end - *start >= len);
        let Some((start, end)) = fit.map(|(s, e)| (*s, *e)) else { unreachable!("the last gap has no end") };
        self.0.remove(&start);
        if end - start > len {
            self.0.insert(start + len, end);
        }
        start
    }

    fn give_back(&mut self, start: usize, len: usize) {
        let mut end = start + len;
        if let Some(after) = self.0.remove(&end) {
            end = after;
        }
        let before = self.0.range(..start).next_back().map(|(first, end)| (*first, *end));
        let first = before.filter(|(_, end)| *end == start).map_or(start, |(first, _)| first);
        self.0.insert(first, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_live_together_do_not_overlap_and_others_share() {
        let at = |len, first, last| Lifetime { len, first, last };
        let values = [at(100, 0, 2), at(50, 1, 3), at(100, 3, 4), at(10, 2, 2), at(0, 1, 1)];
        let (offsets, total) = assign(&values);
        for i in 0..values.len() {
            for j in 0..i {
                let (a, b) = (values[i], values[j]);
                let together = a.first <= b.last && b.first <= a.last;
                let apart = offsets[i] + a.len <= offsets[j] || offsets[j] + b.len <= offsets[i];
                assert!(!together || apart, "{i} and {j}");
            }
        }
        assert_eq!(offsets[2], offsets[0]);
        assert!(total <= 192);
    }
}
