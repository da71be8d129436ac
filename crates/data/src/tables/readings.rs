//! What the texts of a measured column are worth, and the values of its rows.

use std::ops::Deref;

use super::cells::{Cell, Column, unpack};
use super::missing::Marks;
use super::stored::Stored;
use super::{dates, number};
use crate::DateOrder;

/// What the texts of a measured column are worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Readings {
    /// The value of each text of the column's list; NaN where it stands for a missing value.
    pub listed: Vec<f64>,
    /// How texts are read that are not in the list.
    pub rule: Rule,
}

/// How a text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Rule {
    /// As the list tells.
    #[default]
    Listed,
    Number {
        decimal: u8,
        thousands: Option<char>,
    },
    Date(DateOrder),
}

impl Rule {
    /// The value of a text; `None` for what is no such value.
    pub fn read(self, text: &str) -> Option<f64> {
        match self {
            Rule::Listed => None,
            Rule::Number { decimal, thousands } => number::undress(text)?.value(decimal, thousands),
            Rule::Date(order) => dates::read(text, order).map(|m| m.seconds),
        }
    }
}

impl Deref for Readings {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.listed
    }
}

/// The values of the rows of a measured column; NaN where one is missing.
pub(crate) struct Values<'c> {
    cells: Stored<'c>,
    readings: &'c Readings,
    marks: &'c Marks,
    marked: bool,
}

impl Column {
    /// The values of all rows, if the column is measured.
    pub fn values<'c>(&'c self, readings: &'c Readings, marks: &'c Marks) -> Values<'c> {
        let cells = Stored::new(self, readings.rule == Rule::Listed);
        Values { cells, readings, marks, marked: marks.has_numbers() }
    }
}

impl Values<'_> {
    fn value(&self, stored: f64) -> f64 {
        match unpack(stored) {
            Cell::Number(x) if x.is_nan() => match self.cells.loose(stored) {
                Some(text) if !self.marks.has_among_numbers(text) => {
                    self.readings.rule.read(text).unwrap_or(f64::NAN)
                }
                _ => f64::NAN,
            },
            Cell::Number(x) if self.marked && self.marks.has_number(x) => f64::NAN,
            Cell::Number(x) => x,
            Cell::Text(code) => self.readings.listed.get(code as usize).copied().unwrap_or(f64::NAN),
        }
    }
}

impl Iterator for Values<'_> {
    type Item = f64;

    #[inline]
    fn next(&mut self) -> Option<f64> {
        let stored = self.cells.next()?;
        Some(self.value(stored))
    }

    fn nth(&mut self, n: usize) -> Option<f64> {
        let stored = self.cells.nth(n)?;
        Some(self.value(stored))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cells.size_hint()
    }
}

impl ExactSizeIterator for Values<'_> {}
