//! The order of the samples in an epoch.
//!
//! By *rows*, each order is as likely as any other. By *blocks*, those of the cache (neighbors in the source), the
//! blocks come in random order, as many of them as are held in memory form a group, and the rows of a group come in
//! random order: what is read at a time is in one piece. Each epoch has groups of its own. Rows of one block are in the
//! same group, so the steps of a group see what those blocks have in common: with classes that lie one behind the
//! other in the source and K blocks in a group, the share of a class in a group differs from that in all by a factor of
//! about 1 ± 1/√(K·share).

use std::ops::Range;

use kernels::rng::{Purpose, Rng};
use settings::words;

use super::rows::{blocks_in_group, rows_in_block};

words! {
    /// How samples are brought into random order.
    pub enum Shuffle {
        /// Any sample may follow any other.
        Rows = "rows",
        /// By blocks of neighbors, and within groups of blocks.
        Blocks = "blocks",
    }
}

/// Positions `0..n` in the order of an epoch: a pure function of its arguments.
///
/// With `shuffle` off the order is that of the split (which is that of the source).
pub fn order(n: usize, seed: u64, epoch: u64, shuffle: bool) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    if shuffle {
        Rng::new(seed, Purpose::Shuffle, 0, epoch).shuffle(&mut order, 0);
    }
    order
}

/// Blocks of rows, and groups of blocks that are in memory together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Rows of a block.
    pub rows: usize,
    /// Blocks of a group.
    pub group: usize,
}

impl Blocks {
    /// Those of rows of `record` bytes in a run that may take `memory` bytes, whether they are streamed or not.
    pub fn of(record: usize, memory: usize) -> Blocks {
        Blocks { rows: rows_in_block(record), group: blocks_in_group(record, memory) }
    }
}

/// The order of samples, epoch after epoch, a part at a time: a pure function of samples, seed, epoch and blocks.
#[derive(Clone, Debug)]
pub struct Order {
    seed: u64,
    shuffle: bool,
    /// none for an order by rows
    blocks: Option<Blocks>,
    epoch: Option<u64>,
    /// where the samples of each block are among all of them, blocks in the order of the epoch
    runs: Vec<Range<u32>>,
    /// where each group begins in the epoch, and where the last one ends
    starts: Vec<usize>,
    /// samples of the epoch from place `first` on
    first: usize,
    samples: Vec<u32>,
    /// the last group that is among them
    group: usize,
    /// the samples of the group after it
    next: Vec<u32>,
}

impl Order {
    /// By blocks, or by rows without them.
    pub fn new(seed: u64, shuffle: bool, blocks: Option<Blocks>) -> Order {
        Order {
            seed,
            shuffle,
            blocks,
            epoch: None,
            runs: Vec::new(),
            starts: Vec::new(),
            first: 0,
            samples: Vec::new(),
            group: 0,
            next: Vec::new(),
        }
    }

    /// Makes the part of an epoch ready that has these places; `all` are the samples of every epoch, ascending. Calls
    /// `entered` with the samples of each group that comes in, and with those of the group behind it.
    ///
    /// # Errors
    /// Those of `entered`.
    pub fn reach<E>(
        &mut self,
        all: &[u32],
        epoch: u64,
        places: Range<usize>,
        mut entered: impl FnMut(&[u32], &[u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(blocks) = self.blocks else {
            if self.epoch != Some(epoch) {
                self.samples.clear();
                let order = order(all.len(), self.seed, epoch, self.shuffle);
                self.samples.extend(order.iter().map(|i| all[*i as usize]));
                self.epoch = Some(epoch);
            }
            return Ok(());
        };
        let fresh = self.epoch != Some(epoch);
        if fresh {
            self.begin(all, epoch, blocks);
        }
        if fresh || places.start < self.first || places.start > self.first + self.samples.len() {
            self.group = self.starts.partition_point(|start| *start <= places.start).saturating_sub(1);
            self.first = self.starts.get(self.group).copied().unwrap_or(0);
            self.samples = self.of_group(all, blocks, self.group);
            self.next = self.of_group(all, blocks, self.group + 1);
            entered(&self.samples, &self.next)?;
        }
        while self.first + self.samples.len() < places.end && !self.next.is_empty() {
            // what lies behind is not needed any more
            let passed = (places.start - self.first).min(self.samples.len());
            self.samples.drain(..passed);
            self.first += passed;
            self.group += 1;
            let after = self.of_group(all, blocks, self.group + 1);
            let group = std::mem::replace(&mut self.next, after);
            entered(&group, &self.next)?;
            self.samples.extend_from_slice(&group);
        }
        Ok(())
    }

    /// The samples at places that were reached.
    pub fn at(&self, places: Range<usize>) -> &[u32] {
        &self.samples[places.start - self.first..places.end - self.first]
    }

    /// Brings the blocks into the order of an epoch.
    fn begin(&mut self, all: &[u32], epoch: u64, blocks: Blocks) {
        self.epoch = Some(epoch);
        self.runs.clear();
        let mut start = 0;
        while let Some(first) = all.get(start) {
            let block = *first as usize / blocks.rows;
            let end = start + all[start..].partition_point(|sample| *sample as usize / blocks.rows == block);
            self.runs.push(start as u32..end as u32);
            start = end;
        }
        if self.shuffle {
            Rng::new(self.seed, Purpose::Shuffle, 1, epoch).shuffle(&mut self.runs, 0);
        }
        let sizes =
            self.runs.chunks(blocks.group).map(|group| group.iter().map(ExactSizeIterator::len).sum());
        self.starts.clear();
        self.starts.push(0);
        for size in sizes {
            let size: usize = size;
            self.starts.push(self.starts.last().copied().unwrap_or(0) + size);
        }
    }

    /// The samples of a group in their order; none behind the last one.
    fn of_group(&self, all: &[u32], blocks: Blocks, group: usize) -> Vec<u32> {
        let runs = self.runs.chunks(blocks.group).nth(group).unwrap_or_default();
        let mut samples: Vec<u32> =
            runs.iter().flat_map(|run| &all[run.start as usize..run.end as usize]).copied().collect();
        if self.shuffle {
            // behind the draws of the groups before, so that no two groups share any
            let first = self.starts.get(group).copied().unwrap_or(0) as u64;
            Rng::new(self.seed, Purpose::Shuffle, 2, self.epoch.unwrap_or(0)).shuffle(&mut samples, first);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn every_sample_comes_once_and_each_epoch_has_its_order() {
        let mut first = order(1000, 5, 0, true);
        assert_eq!(first, order(1000, 5, 0, true));
        assert_ne!(first, order(1000, 5, 1, true));
        assert_ne!(first, order(1000, 6, 0, true));
        first.sort_unstable();
        assert_eq!(first, order(1000, 5, 0, false));
        assert_eq!(order(0, 1, 1, true), Vec::<u32>::new());
        assert_eq!(order(1, 1, 1, true), vec![0]);
    }

    /// Samples of an epoch from some place on, `step` at a time, and the groups that came in.
    fn epoch(
        all: &[u32],
        blocks: Option<Blocks>,
        (epoch, from): (u64, usize),
        step: usize,
    ) -> (Vec<u32>, Vec<Vec<u32>>) {
        let mut order = Order::new(7, true, blocks);
        let (mut out, mut groups) = (Vec::new(), Vec::<Vec<u32>>::new());
        let mut later = None;
        for start in (from..all.len()).step_by(step) {
            let places = start..(start + step).min(all.len());
            let entered = |group: &[u32], next: &[u32]| {
                assert!(later.take().is_none_or(|later: Vec<u32>| later == group));
                later = Some(next.to_vec());
                groups.push(group.to_vec());
                Ok::<(), Infallible>(())
            };
            let Ok(()) = order.reach(all, epoch, places.clone(), entered);
            out.extend_from_slice(order.at(places));
        }
        (out, groups)
    }

    #[test]
    fn by_blocks_every_sample_comes_once_and_groups_are_whole() {
        let all: Vec<u32> = (0..1000).filter(|i| i % 3 != 1).collect();
        for (rows, group, step) in
            [(10, 4, 7), (10, 4, 300), (1, 1, 5), (7, 1000, 64), (2000, 1, 13), (64, 3, 1000)]
        {
            let blocks = Some(Blocks { rows, group });
            let (first, groups) = epoch(&all, blocks, (0, 0), step);
            let (second, _) = epoch(&all, blocks, (1, 0), step);
            assert_ne!(first, second);
            assert_eq!(groups.concat(), first, "groups come one after another");
            for samples in [&first, &second] {
                let mut sorted = samples.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, all, "{blocks:?} {step}");
            }
            for group_of in &groups {
                let mut own: Vec<usize> = group_of.iter().map(|sample| *sample as usize / rows).collect();
                own.sort_unstable();
                own.dedup();
                assert!(own.len() <= group);
            }
            // the same from any place on, and in steps of any size
            for from in [1, 35, 333, all.len() - 1] {
                assert_eq!(epoch(&all, blocks, (0, from), 11).0, first[from..], "{blocks:?} from {from}");
            }
        }
    }

    #[test]
    fn without_shuffling_samples_come_in_their_own_order() {
        let all: Vec<u32> = (0..100).step_by(2).collect();
        let mut order = Order::new(7, false, Some(Blocks { rows: 10, group: 2 }));
        for start in (0..50).step_by(8) {
            let places = start..(start + 8).min(50);
            let Ok(()) = order.reach(&all, 3, places.clone(), |_, _| Ok::<(), Infallible>(()));
            assert_eq!(order.at(places.clone()), &all[places]);
        }
    }

    /// A pure function of its arguments for ever: runs of today are resumed tomorrow.
    #[test]
    fn the_order_is_the_recorded_one() {
        let all: Vec<u32> = (0..24).collect();
        let got = epoch(&all, Some(Blocks { rows: 4, group: 2 }), (0, 0), 5).0;
        assert_eq!(got, RECORDED);
    }

    const RECORDED: [u32; 24] =
        [21, 23, 17, 20, 22, 19, 18, 16, 8, 2, 9, 0, 1, 11, 3, 10, 15, 7, 14, 5, 12, 4, 6, 13];
}
