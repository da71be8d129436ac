//! The cells of a column: numbers, and texts that are kept once.

use std::collections::HashMap;

use super::number::Plain;

/// High half of a cell that holds a text; no computation makes such a number.
const TEXT: u64 = 0x7ff8_7468 << 32;

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
    cells: Vec<f64>,
    /// The different texts, in the order in which they came.
    pub texts: Vec<Text>,
    known: HashMap<Box<str>, u32>,
    last: u32,
    pub n_numbers: usize,
    /// Numbers with a decimal mark that cannot separate thousands, and with one that can.
    pub sure_marks: usize,
    pub either_marks: usize,
    /// Whether all numbers are whole and print as they were written.
    pub canonical: bool,
    /// Whole numbers that begin with a zero, as `007`.
    pub n_padded: usize,
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
            texts: Vec::new(),
            known: HashMap::new(),
            last: 0,
            n_numbers: 0,
            sure_marks: 0,
            either_marks: 0,
            canonical: true,
            n_padded: 0,
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
                    let code = self.texts.len() as u32;
                    self.known.insert(text.into(), code);
                    self.texts.push(Text { text: text.into(), count: 0, first: self.cells.len() });
                    code
                }
            },
        };
        self.last = code;
        self.texts[code as usize].count += 1;
        self.cells.push(f64::from_bits(TEXT | u64::from(code)));
    }

    /// The cell of another column, as a text.
    pub fn push_word(&mut self, other: &Column, row: usize) {
        match other.cell(row) {
            Cell::Number(x) => self.push_text(&x.to_string()),
            Cell::Text(code) => self.push_text(&other.texts[code as usize].text),
        }
    }

    /// Takes the last cell back.
    pub fn pop(&mut self) {
        match self.cells.pop().map(unpack) {
            Some(Cell::Text(code)) => self.texts[code as usize].count -= 1,
            Some(Cell::Number(_)) => self.n_numbers -= 1,
            None => {}
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.cells.len() - self.before
    }

    /// The cells of all rows.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> + '_ {
        self.cells[self.before..].iter().map(|bits| unpack(*bits))
    }

    /// The cells of some rows as they are stored; numbers are numbers, and [`unpack`] tells texts.
    pub fn packed(&self) -> &[f64] {
        &self.cells[self.before..]
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell {
        unpack(self.cells[self.before + row])
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
            self.cells[0] = cell;
            if let Cell::Text(code) = unpack(cell) {
                self.texts[code as usize].first = 0;
            }
        }
        self.before = 0;
    }

    /// The row in which a text comes first.
    pub fn first_row(&self, text: &Text) -> usize {
        text.first.saturating_sub(self.before)
    }

    /// Drops what is only needed while reading.
    pub fn finish(&mut self) {
        self.known = HashMap::new();
        self.cells.shrink_to_fit();
    }

    /// Cuts the column after a number of rows.
    pub fn truncate(&mut self, rows: usize) {
        while self.len() > rows {
            self.pop();
        }
    }
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
