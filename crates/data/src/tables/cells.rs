//! The cells of a column: numbers, and texts that are kept once.

use std::collections::HashMap;
use std::sync::Arc;

use super::number::Plain;
use super::scratch::Scratch;
use super::stored::{Away, Stored};
use crate::DataError;

/// High half of a cell that holds a text; no computation makes such a number.
const TEXT: u64 = 0x7ff8_7468 << 32;

/// High half of a cell whose text is not in the column's list, with its place among the texts of its block.
pub(super) const LOOSE: u64 = 0x7ff8_7469 << 32;

/// One cell: a number, or the place of a text in the column's list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Number(f64),
    Text(u32),
}

/// One column as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Its decimal mark while it was read.
    pub decimal: u8,
    /// Its cells, or the last of them where the others are away.
    pub(super) cells: Vec<f64>,
    /// Cells that are in a file, where there are too many for memory.
    pub(super) away: Option<Box<Away>>,
    /// The different texts, in the order in which they came.
    pub texts: Vec<Text>,
    pub(super) known: HashMap<Box<str>, u32>,
    /// Bytes of the texts.
    n_bytes: usize,
    last: u32,
    pub n_numbers: usize,
    /// Numbers with a decimal mark that cannot separate thousands, and with one that can.
    pub sure_marks: usize,
    pub either_marks: usize,
    /// Whether all numbers are whole and print as they were written.
    pub canonical: bool,
    /// Whole numbers that begin with a zero, as `007`.
    pub n_padded: usize,
    /// Whether its numbers were made words, so that what its texts were worth is past.
    pub worded: bool,
    /// Cells before the first row: the first line, where it holds names.
    pub before: usize,
}

/// A text of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub text: Box<str>,
    /// How often it comes.
    pub count: usize,
    /// The cell in which it comes first.
    pub first: usize,
    /// How many different texts it stands for: itself, or all of a kind where there are too many for memory.
    pub distinct: usize,
}

impl Text {
    /// The word itself: what is between the quotes of `="010"`, by which spreadsheets keep a text a text.
    pub fn word(&self) -> &str {
        self.text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')).unwrap_or(&self.text)
    }
}

impl Column {
    pub fn new(decimal: u8) -> Self {
        Column {
            decimal,
            cells: Vec::new(),
            away: None,
            texts: Vec::new(),
            known: HashMap::new(),
            n_bytes: 0,
            last: 0,
            n_numbers: 0,
            sure_marks: 0,
            either_marks: 0,
            canonical: true,
            n_padded: 0,
            worded: false,
            before: 0,
        }
    }

    pub fn push_plain(&mut self, plain: &Plain) {
        self.cells.push(plain.value);
        self.n_numbers += 1;
        self.canonical &= plain.canonical;
        self.n_padded += usize::from(plain.padded);
        match plain.mark {
            super::number::Mark::None => {}
            super::number::Mark::Decimal => self.sure_marks += 1,
            super::number::Mark::Either => self.either_marks += 1,
        }
    }

    /// A number of a typed file; NaN is a value that is missing.
    pub fn push_number(&mut self, value: f64) {
        if value.is_nan() {
            return self.push_missing();
        }
        // zero has no sign where it is a label
        self.cells.push(value + 0.0);
        self.n_numbers += 1;
    }

    /// A number in single precision: the shortest decimal that is the same in it.
    #[cfg(any(feature = "arrow", feature = "parquet"))]
    pub fn push_single(&mut self, value: f32) {
        const TENS: [f64; 10] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
        let wide = f64::from(value);
        let short = TENS.iter().map(|ten| (wide * ten).round() / ten).find(|short| *short as f32 == value);
        self.push_number(short.unwrap_or(wide));
    }

    /// A whole number times a power of ten; as a text where f64 would make another number of it.
    #[cfg(any(feature = "arrow", feature = "parquet"))]
    pub fn push_decimal(&mut self, digits: i128, scale: i64) {
        match scale {
            0 => self.push_whole(digits),
            // a power of ten that f64 holds exactly, and digits as well: the nearest f64
            1..=22 if digits.unsigned_abs() <= 1 << 53 => {
                let ten = (0..scale).fold(1.0, |ten, _| ten * 10.0);
                self.push_number(digits as f64 / ten);
            }
            1..=60 => {
                let sign = if digits < 0 { "-" } else { "" };
                let scale = scale as usize;
                let all = format!("{:0width$}", digits.unsigned_abs(), width = scale + 1);
                let (whole, rest) = all.split_at(all.len() - scale);
                self.push_text(&format!("{sign}{whole}.{rest}"));
            }
            _ => self.push_text(&format!("{digits}e{}", -scale)),
        }
    }

    /// A whole number; beyond the range in which f64 holds all of them it is kept as it is written.
    pub fn push_whole(&mut self, value: i128) {
        match value.unsigned_abs() <= 1 << 53 {
            true => self.push_number(value as f64),
            false => self.push_text(&value.to_string()),
        }
    }

    /// A value that is missing.
    pub fn push_missing(&mut self) {
        self.push_text("");
    }

    /// Missing values until there is one for each of so many rows.
    pub fn fill_to(&mut self, rows: usize) {
        while self.len() < rows {
            self.push_missing();
        }
    }

    /// A field that did not begin with a digit: a number all the same, where quotes were around it.
    pub fn push_field(&mut self, field: &str) {
        match super::number::plain(field.as_bytes(), self.decimal).filter(|p| p.len == field.len()) {
            Some(plain) => self.push_plain(&plain),
            None => self.push_text(field),
        }
    }

    pub fn push_text(&mut self, text: &str) {
        let code = match self.texts.get(self.last as usize) {
            Some(last) if *last.text == *text => self.last,
            _ => match self.known.get(text) {
                Some(code) => *code,
                None => {
                    if let Some(away) = self.away.as_mut().filter(|a| a.is_full) {
                        self.cells.push(away.add_loose(text));
                        return;
                    }
                    self.add_text(text)
                }
            },
        };
        self.last = code;
        if self.texts[code as usize].count == 0 {
            let first = self.n_cells();
            let text = &mut self.texts[code as usize];
            (text.first, text.distinct) = (first, 1);
        }
        self.texts[code as usize].count += 1;
        self.cells.push(packed(code));
    }

    /// A text that is not in the list yet.
    fn add_text(&mut self, text: &str) -> u32 {
        let code = self.texts.len() as u32;
        self.n_bytes += text.len();
        self.known.insert(text.into(), code);
        self.texts.push(Text { text: text.into(), count: 0, first: 0, distinct: 1 });
        code
    }

    /// The cell of another column, as a text.
    pub fn push_word(&mut self, other: &Column, row: usize) {
        match other.cell(row) {
            Cell::Number(x) => self.push_text(&x.to_string()),
            Cell::Text(code) => self.push_text(&other.texts[code as usize].text),
        }
    }

    /// The cells of another column, as texts.
    pub fn push_words(&mut self, other: &Column) {
        other.each(|seen| {
            match seen {
                Seen::Number(x) => self.push_text(&x.to_string()),
                Seen::Text(code) => self.push_text(&other.texts[code as usize].text),
                Seen::Loose(text) => self.push_text(text),
            }
            self.spare();
        });
    }

    /// Takes the last cell back.
    pub fn pop(&mut self) {
        if self.cells.is_empty()
            && let Some(away) = &mut self.away
        {
            away.take_back(&mut self.cells);
        }
        let last = self.cells.pop();
        if let (Some(away), Some(last)) = (&mut self.away, last)
            && away.drop_loose(last)
        {
            return;
        }
        match last.map(unpack) {
            Some(Cell::Text(code)) => self.texts[code as usize].count -= 1,
            Some(Cell::Number(_)) => self.n_numbers -= 1,
            None => {}
        }
    }

    /// Number of cells, with what is before the first row.
    pub(super) fn n_cells(&self) -> usize {
        self.cells.len() + self.away.as_ref().map_or(0, |a| a.n)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n_cells() - self.before
    }

    /// The cells of all rows.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> + '_ {
        self.packed().map(unpack)
    }

    /// The cells of all rows as they are stored; numbers are numbers, and [`unpack`] tells texts.
    pub fn packed(&self) -> Stored<'_> {
        Stored::new(self, true)
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell {
        let at = self.before + row;
        match &self.away {
            Some(away) if at < away.n => unpack(away.cell(at)),
            Some(away) => unpack(self.cells[at - away.n]),
            None => unpack(self.cells[at]),
        }
    }

    /// How many different texts there are.
    pub fn n_texts(&self) -> usize {
        self.texts.iter().map(|t| t.distinct).sum()
    }

    /// Makes room for the first line before the others.
    pub fn leave_room(&mut self) {
        self.cells.push(0.0);
        self.before = 1;
    }

    /// Makes the first line the first row.
    pub fn take_first(&mut self, add: impl FnOnce(&mut Column)) {
        add(self);
        if let Some(cell) = self.cells.pop() {
            match &self.away {
                Some(away) if away.n > 0 => away.replace_first(cell),
                _ => self.cells[0] = cell,
            }
            if let Cell::Text(code) = unpack(cell) {
                self.texts[code as usize].first = 0;
            }
        }
        self.before = 0;
    }

    /// Puts a text that is not in the list into it and into the first cell.
    pub(super) fn replace_first(&mut self, text: &str) {
        let code = self.add_text(text);
        self.texts[code as usize].count = 1;
        match &self.away {
            Some(away) if away.n > 0 => away.replace_first(packed(code)),
            _ => self.cells[0] = packed(code),
        }
    }

    /// The row in which a text comes first.
    pub fn first_row(&self, text: &Text) -> usize {
        text.first.saturating_sub(self.before)
    }

    /// Drops what is only needed while reading.
    pub fn finish(&mut self) {
        self.known = HashMap::new();
        if self.away.is_some() {
            self.send();
        }
        self.cells.shrink_to_fit();
    }

    /// Keeps cells in a file from now on, `block` at a time; `room` is what its different texts or numbers may take.
    pub fn keep_in(&mut self, scratch: Arc<Scratch>, block: usize, room: usize) {
        self.away = Some(Box::new(Away::new(scratch, block, room)));
    }

    /// What its list of texts takes, about.
    pub fn text_bytes(&self) -> usize {
        // a text stands there twice, as a key and in the list
        self.texts.len() * 2 * size_of::<Text>() + 2 * self.n_bytes
    }

    /// Whether new texts are loose.
    pub fn is_full(&self) -> bool {
        self.away.as_ref().is_some_and(|a| a.is_full)
    }

    /// Makes texts loose from now on that are not in the list; one without letters is in it.
    pub fn fill(&mut self) {
        if !self.known.contains_key("") {
            let code = self.add_text("");
            self.texts[code as usize].distinct = 0;
        }
        if let Some(away) = &mut self.away {
            away.is_full = true;
        }
    }

    /// An empty column that is kept where this one is, as one of `n`.
    pub fn like(&self, n: usize) -> Column {
        let mut column = Column::new(self.decimal);
        if let Some(away) = &self.away {
            column.keep_in(away.scratch.clone(), away.block, away.room / n.max(1));
        }
        column
    }

    /// Sends the last cells away where there are enough of them, and has no more texts in its list than it may.
    pub fn spare(&mut self) {
        let Some(away) = self.away.as_ref().filter(|a| self.cells.len() >= a.block) else { return };
        if !away.is_full && self.text_bytes() > away.room {
            self.fill();
        }
        self.send();
    }

    /// Whether all that is away could be read again.
    ///
    /// # Errors
    /// [`DataError::Read`].
    pub fn check(&self) -> Result<(), DataError> {
        self.away.as_ref().map_or(Ok(()), |a| a.scratch.check())
    }

    /// Sends the last cells away.
    pub fn send(&mut self) {
        if let Some(away) = self.away.as_mut().filter(|_| !self.cells.is_empty()) {
            away.send(&self.cells);
            self.cells.clear();
        }
    }

    /// Cuts the column after a number of rows.
    pub fn truncate(&mut self, rows: usize) {
        while self.len() > rows {
            self.pop();
        }
    }
}

/// One cell of a column whose texts may be too many for its list.
pub(crate) enum Seen<'t> {
    Number(f64),
    Text(u32),
    Loose(&'t str),
}

/// The stored cell of a text of the list.
pub(crate) fn packed(code: u32) -> f64 {
    f64::from_bits(TEXT | u64::from(code))
}

/// What a stored cell is.
pub(crate) fn unpack(stored: f64) -> Cell {
    let bits = stored.to_bits();
    if bits >> 32 == TEXT >> 32 { Cell::Text(bits as u32) } else { Cell::Number(stored) }
}

#[cfg(test)]
mod tests {
    use super::super::number::plain;
    use super::*;

    #[test]
    fn cells_keep_numbers_and_texts() {
        let mut column = Column::new(b'.');
        column.leave_room();
        column.push_plain(&plain(b"1.5", b'.').unwrap());
        ["red", "blue", "red", "red"].iter().for_each(|t| column.push_text(t));
        let cells: Vec<Cell> = column.cells().collect();
        assert_eq!(cells, [Cell::Number(1.5), Cell::Text(0), Cell::Text(1), Cell::Text(0), Cell::Text(0)]);
        assert_eq!((column.texts[0].count, column.first_row(&column.texts[1]), column.len()), (3, 2, 5));
        column.take_first(|c| c.push_text("blue"));
        assert_eq!((column.cell(0), column.len(), column.texts[1].count), (Cell::Text(1), 6, 2));
        column.truncate(2);
        assert_eq!((column.len(), column.texts[0].count), (2, 0));
    }
}
