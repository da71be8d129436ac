//! Tables that are larger than the memory that they may take (`data.memory`).
//!
//! There is one reader of tables, not two. What a table in memory holds as a vector of cells is here a file of cells
//! without a name ([`Scratch`](super::scratch::Scratch)), and a column gives its cells one after the other in both
//! cases: so kinds, roles, moments, fills and remarks are found by the same code, in the same order of rows, and are
//! the same to the bit. The steps:
//!
//! 1. *Survey*: one pass over the text finds its encoding, whether lines end in carriage returns, lines that may be
//!    comments, and escaped quotes; its first lines tell how it is cut, as they do in memory.
//! 2. *Cells*: one pass (two, where the first read decimal marks wrongly) cuts the text. It comes in windows that end
//!    where a line does; a record that goes on in the next window is begun again there. Every few thousand rows, the
//!    cells of each column are sent to the file.
//! 3. *Loose texts*: a column's list of different texts is kept in memory until the lists of all columns take an eighth
//!    of what is allowed. From then on new texts of the largest are kept beside its cells, and at the end of the pass
//!    are put into kinds by what any later decision can see of them (`loose.rs`): dates by their evidence, numbers by
//!    their marks and signs, words by their first letter and unit. Frequent texts, marks of missing values and whatever
//!    a message may show stay by themselves. The number of different texts is exact: they are counted in partitions
//!    by hash, each small enough for memory. The values of loose dates and numbers are read once more of their own
//!    texts (`readings.rs`).
//! 4. *Rows*: columns are read a few hundred rows at a time, encoded as in memory, and go to the cache file.
//!
//! What stays in memory for each row: its target, its group or time where told, and its place in a part.
//!
//! Text of one record, groups by a column of very many different values, and the targets of all rows must fit into what
//! is allowed: where they do not, an error says how much is needed. Standard input, archives and files of other
//! formats are read into memory.

mod feed;
mod input;
mod kept;
mod loose;
mod survey;

use std::path::PathBuf;
use std::sync::Arc;

use encoding_rs::Encoding;

pub(crate) use self::feed::Feed;
use self::input::{Input, Stamp};
pub(crate) use self::kept::{Beside, File, data_set};
pub(crate) use self::survey::{begin, open};
use super::scratch::Scratch;
use crate::{DataError, DataOptions, formats};

/// Bytes of inputs that a byte of text is counted for: a digit and a comma are an f32 in the end, and more on the way.
const EXPANDED: usize = 4;

/// Bytes of text that a byte of a compressed file is counted for.
const PACKED: usize = 8;

/// The part of what may be in memory that different texts may take.
pub(crate) const TEXT_SHARE: usize = 8;

/// How much of what may be in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Everything.
    pub all: usize,
    /// Text that is read at once.
    pub window: usize,
    /// Text of one record.
    pub longest: usize,
    /// Cells of a column that are sent away together, for all columns.
    pub block: usize,
    /// Different texts of all columns.
    pub texts: usize,
}

impl Limits {
    /// The shares of what is allowed.
    pub fn new(all: usize) -> Limits {
        let (window, block) = ((all / 64).clamp(1 << 16, 1 << 22), (all / 16).clamp(1 << 16, 1 << 24));
        Limits { all, window, longest: (all / 4).max(1 << 20), block, texts: all / TEXT_SHARE }
    }
}

/// The memory of a run on files that are too large for it, where all of them are tables as text.
pub(crate) fn wanted(files: &[PathBuf], options: &DataOptions) -> Option<usize> {
    let mut bytes: usize = 0;
    for file in files {
        let compressed = file.extension().is_some_and(|e| e == "gz" || e == "zst");
        let len = std::fs::metadata(file).ok().filter(|m| m.is_file())?.len() as usize;
        bytes = bytes.saturating_add(len.saturating_mul(if compressed { PACKED } else { 1 }));
    }
    let memory = options.streamed(bytes.saturating_mul(EXPANDED))?;
    let is_text = |file: &PathBuf| {
        let format = formats::by_content(&begin(file).ok()?, formats::by_name(file)).ok()?;
        Some(format.or(formats::by_name(file))?.name == "table")
    };
    files.iter().all(|f| is_text(f) == Some(true)).then_some(memory)
}

/// A text that is read piece by piece.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    path: PathBuf,
    stamp: Stamp,
    encoding: Option<&'static Encoding>,
    /// Whether lines end in carriage returns.
    returns: bool,
    /// Whether runs of blanks become one.
    blanks: bool,
    /// The first lines.
    head: String,
    /// The first lines that begin with `#`, but for the first of all.
    hashed: Vec<String>,
    /// Whether there are escaped quotes, double and single ones.
    escaped: [bool; 2],
    pub limits: Limits,
    pub scratch: Arc<Scratch>,
}

impl Stream {
    /// The text from its beginning.
    ///
    /// # Errors
    /// [`DataError`] of the file, and where it is another one than before.
    pub fn feed(&self) -> Result<Feed, DataError> {
        let (input, stamp) = Input::open(&self.path)?;
        if stamp != self.stamp {
            let error = std::io::Error::other("it changed while it was read");
            return Err(DataError::Read { path: self.path.clone(), error });
        }
        Ok(Feed::of(input, self))
    }

    pub fn head(&self) -> &str {
        &self.head
    }

    pub fn hashed(&self) -> &[String] {
        &self.hashed
    }

    pub fn escaped(&self, quote: u8) -> bool {
        self.escaped[usize::from(quote == b'\'')]
    }

    /// The text with one blank for each run of them.
    pub fn with_single_blanks(self) -> Stream {
        Stream { blanks: true, head: super::sniff::single_blanks(self.head.lines()), ..self }
    }
}

#[cfg(test)]
mod tests;
