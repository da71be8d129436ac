//! Rows in one file of the cache: written once, one after another, and read block by block, so that a data set may be
//! larger than memory.
//!
//! The file, all numbers little-endian: [`MAGIC`](layout) and words of 8 bytes; from byte 4096 on blocks of rows, in
//! each the inputs of its rows and behind them their targets; two checksums (CRC-32) for each block, of inputs and of
//! targets; the manifest, which is the business of whoever wrote the rows. A row has the same number of bytes
//! everywhere: inputs are bytes or f32, targets f32. A file comes to its name when all of it is on the disk, and is
//! never changed after that. At a start head, sums and manifest are checked; a block is when it is read.

mod file;
#[cfg(feature = "copies")]
mod kept;
mod layout;
mod ranks;
mod view;
mod window;
#[cfg(feature = "copies")]
mod writer;

pub(crate) use file::RowsFile;
#[cfg(feature = "copies")]
pub(crate) use file::Useless;
#[cfg(feature = "copies")]
pub(crate) use kept::{Kept, SourceFile, changed, kept};
pub(crate) use layout::Form;
pub(crate) use ranks::at_places;
pub use view::Rows;
#[cfg(feature = "copies")]
pub(crate) use writer::RowsWriter;

/// A block has as many rows as this many bytes hold, and at least one: few enough that a group of blocks mixes rows
/// from many places, enough that they are read at the speed of the disk.
const BLOCK_BYTES: usize = 128 << 10;

/// Rows of a block whose inputs have `record` bytes each.
pub(crate) fn rows_in_block(record: usize) -> usize {
    (BLOCK_BYTES / record.max(1)).max(1)
}

/// A group of blocks takes this part of the memory that a run may have.
const GROUP_SHARE: usize = 4;

/// Blocks that are held, and whose rows are mixed with each other, where a run may take `memory` bytes.
pub(crate) fn blocks_in_group(record: usize, memory: usize) -> usize {
    (memory / GROUP_SHARE / record.max(1) / rows_in_block(record)).max(1)
}

#[cfg(all(test, feature = "copies"))]
mod tests;
