//! Cells of a column that are away in a file, and the way over all of them.

use std::sync::Arc;

use super::cells::{Cell, Column, LOOSE, Seen, unpack};
use super::scratch::Scratch;

/// Cells in a file.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    pub scratch: Arc<Scratch>,
    /// Cells that are sent together.
    pub block: usize,
    /// What may be in memory at once of the column's different texts or numbers.
    pub room: usize,
    blocks: Vec<Block>,
    /// How many cells are there.
    pub n: usize,
    /// Whether the column's list of texts is full, so that other texts are loose: they are kept beside the cells.
    pub is_full: bool,
    /// Loose texts of cells that are not away yet.
    texts: Vec<u8>,
    /// Loose texts, and their bytes.
    pub n_loose: usize,
    pub n_bytes: usize,
    /// Texts in the column's list before loose ones joined it.
    pub n_listed: Option<usize>,
    /// Whether loose texts were counted one by one when they joined it.
    pub is_counted: bool,
}

/// Cells that were sent together.
#[derive(Clone, Debug)]
struct Block {
    n: usize,
    /// Where the cells lie as they were read.
    at: u64,
    /// Where they lie with codes of the list for loose texts.
    coded: Option<u64>,
    /// Where loose texts lie, and how many bytes.
    texts: (u64, usize),
}

impl Away {
    pub fn new(scratch: Arc<Scratch>, block: usize, room: usize) -> Self {
        Away {
            scratch,
            block,
            room,
            blocks: Vec::new(),
            n: 0,
            is_full: false,
            texts: Vec::new(),
            n_loose: 0,
            n_bytes: 0,
            n_listed: None,
            is_counted: false,
        }
    }

    /// Keeps a text that is not in the list, and gives its cell.
    pub fn add_loose(&mut self, text: &str) -> f64 {
        let at = self.texts.len() as u64;
        self.texts.extend((text.len() as u32).to_le_bytes());
        self.texts.extend(text.as_bytes());
        self.n_loose += 1;
        self.n_bytes += text.len();
        f64::from_bits(LOOSE | at)
    }

    /// Drops the text of the last cell, if it is loose.
    pub fn drop_loose(&mut self, stored: f64) -> bool {
        let Some(n) = loose(stored, &self.texts).map(str::len) else { return false };
        self.texts.truncate(stored.to_bits() as u32 as usize);
        self.n_loose -= 1;
        self.n_bytes -= n;
        true
    }

    pub fn send(&mut self, cells: &[f64]) {
        let at = self.scratch.append_numbers(cells);
        let texts = match self.texts.len() {
            0 => (0, 0),
            n => (self.scratch.append(&self.texts), n),
        };
        self.texts.clear();
        self.blocks.push(Block { n: cells.len(), at, coded: None, texts });
        self.n += cells.len();
    }

    /// Takes the last block back.
    pub fn take_back(&mut self, cells: &mut Vec<f64>) {
        let Some(block) = self.blocks.pop() else { return };
        self.scratch.read_numbers(block.at, block.n, cells);
        self.texts = self.scratch.read(block.texts.0, block.texts.1);
        self.n -= block.n;
    }

    /// One cell.
    pub fn cell(&self, mut at: usize) -> f64 {
        let mut out = Vec::with_capacity(1);
        for block in &self.blocks {
            if at < block.n {
                self.scratch.read_numbers(block.coded.unwrap_or(block.at) + 8 * at as u64, 1, &mut out);
                break;
            }
            at -= block.n;
        }
        out.first().copied().unwrap_or_default()
    }

    /// Replaces the first cell of all.
    pub fn replace_first(&self, cell: f64) {
        let Some(first) = self.blocks.first() else { return };
        self.scratch.replace_number(first.at, cell);
        if let Some(coded) = first.coded {
            self.scratch.replace_number(coded, cell);
        }
    }

    /// Gives each loose text a code of the list.
    pub fn code(&mut self, mut code: impl FnMut(usize, &str) -> f64) {
        let (mut cells, mut first) = (Vec::new(), 0);
        for block in &mut self.blocks {
            if block.texts.1 > 0 {
                cells.clear();
                self.scratch.read_numbers(block.at, block.n, &mut cells);
                let texts = self.scratch.read(block.texts.0, block.texts.1);
                for (i, cell) in cells.iter_mut().enumerate() {
                    if let Some(text) = loose(*cell, &texts) {
                        *cell = code(first + i, text);
                    }
                }
                block.coded = Some(self.scratch.append_numbers(&cells));
            }
            first += block.n;
        }
    }
}

/// The loose text of a stored cell.
fn loose(stored: f64, texts: &[u8]) -> Option<&str> {
    let bits = stored.to_bits();
    if bits >> 32 != LOOSE >> 32 {
        return None;
    }
    let (len, rest) = texts.get(bits as u32 as usize..)?.split_first_chunk::<4>()?;
    std::str::from_utf8(rest.get(..u32::from_le_bytes(*len) as usize)?).ok()
}

/// The stored cells of all rows.
pub(crate) struct Stored<'c> {
    column: &'c Column,
    /// Whether loose texts have codes.
    coded: bool,
    /// Blocks that are still away.
    next: usize,
    /// The block that was read last, and its loose texts.
    block: std::vec::IntoIter<f64>,
    texts: Vec<u8>,
    /// Cells that are in memory.
    rest: std::slice::Iter<'c, f64>,
    left: usize,
}

impl<'c> Stored<'c> {
    pub fn new(column: &'c Column, coded: bool) -> Self {
        let mut stored = Stored {
            column,
            coded,
            next: 0,
            block: Vec::new().into_iter(),
            texts: Vec::new(),
            rest: column.cells.iter(),
            left: column.n_cells(),
        };
        for _ in 0..column.before {
            stored.next();
        }
        stored
    }

    /// Reads the next block; false where there is none.
    #[cold]
    fn more(&mut self) -> bool {
        let Some((away, block)) = self.column.away.as_ref().and_then(|a| Some((a, a.blocks.get(self.next)?)))
        else {
            return false;
        };
        self.next += 1;
        let mut cells = Vec::with_capacity(block.n);
        let at = block.coded.filter(|_| self.coded).unwrap_or(block.at);
        away.scratch.read_numbers(at, block.n, &mut cells);
        if !self.coded {
            self.texts = away.scratch.read(block.texts.0, block.texts.1);
        }
        self.block = cells.into_iter();
        true
    }

    /// The text of a cell that was just read, if it is loose.
    pub fn loose(&self, stored: f64) -> Option<&str> {
        loose(stored, &self.texts)
    }
}

impl Iterator for Stored<'_> {
    type Item = f64;

    #[inline]
    fn next(&mut self) -> Option<f64> {
        loop {
            if let Some(cell) = self.block.next() {
                self.left -= 1;
                return Some(cell);
            }
            if self.column.away.is_none() || !self.more() {
                break;
            }
        }
        let cell = self.rest.next().copied()?;
        self.left -= 1;
        Some(cell)
    }

    fn nth(&mut self, mut n: usize) -> Option<f64> {
        loop {
            let here = self.block.len();
            if n < here {
                self.left -= n + 1;
                return self.block.nth(n);
            }
            n -= here;
            self.left -= here;
            self.block = Vec::new().into_iter();
            if self.column.away.is_none() || !self.more() {
                break;
            }
        }
        self.left -= (n + 1).min(self.rest.len());
        self.rest.nth(n).copied()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Stored<'_> {}

impl Column {
    /// Calls `visit` with each cell, loose texts as they are.
    pub fn each(&self, mut visit: impl FnMut(Seen<'_>)) {
        let mut stored = Stored::new(self, false);
        while let Some(cell) = stored.next() {
            match (stored.loose(cell), unpack(cell)) {
                (Some(text), _) => visit(Seen::Loose(text)),
                (None, Cell::Number(x)) => visit(Seen::Number(x)),
                (None, Cell::Text(code)) => visit(Seen::Text(code)),
            }
        }
    }
}
