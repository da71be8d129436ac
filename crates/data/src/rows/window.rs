//! The blocks that are in memory: those that are read next, at most so many.

use std::sync::Mutex;

use super::file::RowsFile;
use crate::DataError;

/// No slot holds a block.
const NONE: u32 = u32::MAX;
/// Of rows in a row, or of a block, at least one in so many must be wanted for whole blocks to be read.
const SPARSE: usize = 8;

/// Blocks in memory.
pub(super) struct Window {
    /// for each block its slot
    place: Vec<u32>,
    slots: Vec<Slot>,
    /// the most slots
    most: usize,
}

struct Slot {
    block: u32,
    bytes: Vec<u8>,
}

impl Window {
    /// At most `most` blocks of a file.
    pub fn new(file: &RowsFile, most: usize) -> Window {
        Window { place: vec![NONE; file.n_blocks()], slots: Vec::new(), most: most.max(1) }
    }

    /// The most blocks.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The inputs of a block that is held.
    pub fn get(&self, block: usize) -> Option<&[u8]> {
        let slot = self.slots.get(self.place[block] as usize)?;
        Some(&slot.bytes)
    }

    /// Holds the blocks of rows that are read next, as many as there is room for; blocks that are not among them go
    /// where the room is needed. Where few rows of many are wanted, nothing is: single rows are read faster then.
    pub fn hold(&mut self, file: &RowsFile, rows: &[u32]) -> Result<(), DataError> {
        let wanted = dense(file, rows, self.most);
        let mut keep = vec![false; self.slots.len()];
        let mut missing = Vec::new();
        for &block in &wanted {
            match keep.get_mut(self.place[block as usize] as usize) {
                Some(keep) => *keep = true,
                None => missing.push(block),
            }
        }
        let n_new = missing.len().saturating_sub(keep.iter().filter(|keep| !**keep).count());
        let n_new = n_new.min(self.most - self.slots.len());
        self.slots.extend((0..n_new).map(|_| Slot { block: NONE, bytes: Vec::new() }));
        keep.resize(self.slots.len(), false);
        let mut loads = Vec::with_capacity(missing.len());
        let mut missing = missing.into_iter();
        for ((index, slot), keep) in (0..NONE).zip(&mut self.slots).zip(keep) {
            let Some(block) = (if keep { None } else { missing.next() }) else { continue };
            if let Some(place) = self.place.get_mut(slot.block as usize) {
                *place = NONE;
            }
            // not there until it was read
            slot.block = NONE;
            loads.push((block, index, slot));
        }
        let places = &mut self.place;
        load(file, &mut loads)?;
        for (block, index, slot) in loads {
            slot.block = block;
            places[block as usize] = index;
        }
        Ok(())
    }
}

/// The blocks of rows that are to be read as a whole, ascending, at most `most` of them, those first that are wanted
/// first.
fn dense(file: &RowsFile, rows: &[u32], most: usize) -> Vec<u32> {
    let of = file.rows_in_block() as u32;
    let ascending = rows.is_sorted();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let mut blocks: Vec<u32> = Vec::new();
    if ascending {
        if rows.len() * SPARSE >= (last - first) as usize {
            rows.iter().map(|row| row / of).for_each(|block| {
                if blocks.last() != Some(&block) {
                    blocks.push(block);
                }
            });
        }
    } else {
        let mut counts = vec![0usize; file.n_blocks()];
        rows.iter().for_each(|row| counts[(row / of) as usize] += 1);
        let many = |(block, n): &(usize, &usize)| **n > 0 && **n * SPARSE >= file.rows_of(*block);
        blocks = counts.iter().enumerate().filter(many).map(|(block, _)| block as u32).collect();
    }
    blocks.truncate(most);
    blocks
}

/// Reads blocks into their slots, on all cores where they are many.
fn load(file: &RowsFile, loads: &mut [(u32, u32, &mut Slot)]) -> Result<(), DataError> {
    let read = |(block, _, slot): &mut (u32, u32, &mut Slot)| {
        slot.bytes.resize(file.bytes_of(*block as usize), 0);
        file.read_block(*block as usize, &mut slot.bytes)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(loads.len() / 8);
    if threads < 2 {
        return loads.iter_mut().try_for_each(read);
    }
    let work = Mutex::new(loads.iter_mut());
    let next = || work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let run = || std::iter::from_fn(next).try_for_each(read);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mine = run();
        let joined = |t: std::thread::ScopedJoinHandle<'_, _>| match t.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        others.into_iter().map(joined).fold(mine, Result::and)
    })
}
