//! Rows of inputs, a few hundred at a time.

use super::cells::{Cell, unpack};
use super::encode::{Codes, Plan};
use super::readings::Values;
use super::stored::Stored;
use super::{Table, dates};
use crate::schema::{DatePart, Role};

/// Rows that are encoded together at most, so that they stay in the processor's cache.
const BLOCK: usize = 512;

/// The inputs of rows, from the first to the last.
pub(super) struct Rows<'t> {
    columns: Vec<Column<'t>>,
    width: usize,
    n_rows: usize,
    /// The rows that are kept, where not all are.
    kept: Option<&'t [u32]>,
    /// The next row.
    next: usize,
    /// Rows that are encoded together.
    block: usize,
}

/// A column on its way over the rows.
struct Column<'t> {
    role: &'t Role,
    /// The place of its first input.
    at: usize,
    cells: Cells<'t>,
}

enum Cells<'t> {
    Values(Values<'t>),
    Words(Stored<'t>, &'t [Option<u32>]),
}

impl<'t> Rows<'t> {
    /// The rows of a table, at most `most` at a time.
    pub fn new(table: &'t Table, plan: &'t Plan, kept: Option<&'t [u32]>, most: usize) -> Rows<'t> {
        let mut width = 0;
        let mut columns = Vec::with_capacity(plan.schema.columns.len());
        for (column, codes) in plan.schema.columns.iter().zip(&plan.codes) {
            let own = &table.columns[column.index];
            let cells = match codes {
                Codes::Measured(texts) => Cells::Values(own.values(texts, &table.marks)),
                Codes::Words(places) => Cells::Words(own.packed(), places),
            };
            columns.push(Column { role: &column.role, at: width, cells });
            width += column.role.width();
        }
        Rows { columns, width, n_rows: table.n_rows, kept, next: 0, block: most.min(BLOCK) }
    }

    /// How many rows come next; `None` at the end.
    pub fn next_len(&self) -> Option<usize> {
        let n = (self.n_rows - self.next).min(self.block);
        (n > 0).then(|| self.next_kept(n).map_or(n, <[u32]>::len))
    }

    fn next_kept(&self, n: usize) -> Option<&'t [u32]> {
        let place = |row: usize| self.kept.map(|kept| kept.partition_point(|r| (*r as usize) < row));
        Some(&self.kept?[place(self.next)?..place(self.next + n)?])
    }

    /// Writes the next rows to `block`, which holds zeros, and tells the places in it of inputs that were missing.
    pub fn next(&mut self, block: &mut [f32], mut missing: impl FnMut(usize)) {
        let n = (self.n_rows - self.next).min(self.block);
        let (kept, first, width) = (self.next_kept(n), self.next, self.width);
        for column in &mut self.columns {
            let mut left = kept.map(<[u32]>::iter).map(Iterator::peekable);
            let mut to = 0;
            for row in first..first + n {
                let skip = left.as_mut().is_some_and(|l| l.next_if(|r| **r as usize == row).is_none());
                if skip {
                    column.skip();
                } else {
                    column.write(block, to * width, &mut missing);
                    to += 1;
                }
            }
        }
        self.next += n;
    }
}

impl Column<'_> {
    fn skip(&mut self) {
        match &mut self.cells {
            Cells::Values(values) => drop(values.next()),
            Cells::Words(cells, _) => drop(cells.next()),
        }
    }

    fn write(&mut self, block: &mut [f32], row: usize, missing: &mut impl FnMut(usize)) {
        let start = row + self.at;
        let own = &mut block[start..start + self.role.width()];
        let x = match &mut self.cells {
            Cells::Values(values) => values.next().unwrap_or(f64::NAN),
            Cells::Words(cells, places) => {
                if let Some(Cell::Text(code)) = cells.next().map(unpack)
                    && let Some(place) = places[code as usize]
                {
                    own[place as usize] = 1.0;
                }
                return;
            }
        };
        let lost = x.is_nan();
        let (fill, indicator) = match self.role {
            Role::Number { fill, indicator, offset, factor } => {
                own[0] = ((x - offset) * factor) as f32;
                (*fill, *indicator)
            }
            Role::Boolean { fill, indicator, .. } => {
                own[0] = x as f32;
                (*fill, *indicator)
            }
            Role::Date { parts, offset, fill, indicator, .. } => {
                date(own, parts, x, *offset);
                (*fill, *indicator)
            }
            Role::Category { .. } => return,
        };
        if lost {
            // what stands here until the training part is known; a cycle without a value stays at its middle
            let fills =
                !matches!(self.role, Role::Date { parts, .. } if parts.first() != Some(&DatePart::Elapsed));
            if fills {
                own[0] = fill as f32;
                missing(start);
            }
            if indicator {
                own[self.role.width() - 1] = 1.0;
            }
        }
    }
}

/// Writes the parts of a moment; zeros where it is missing.
fn date(out: &mut [f32], parts: &[DatePart], seconds: f64, offset: f64) {
    if seconds.is_nan() {
        return;
    }
    let days = seconds / dates::DAY;
    let mut at = 0;
    for part in parts {
        let share = match part {
            DatePart::Elapsed => {
                out[at] = ((seconds - offset) / dates::DAY) as f32;
                at += 1;
                continue;
            }
            DatePart::Year => {
                (dates::day_of_year(days.floor() as i64) as f64 + days.rem_euclid(1.0)) / 365.25
            }
            // 1970-01-01 was a Thursday; weeks begin on Monday
            DatePart::Week => (days + 3.0).rem_euclid(7.0) / 7.0,
            DatePart::Day => days.rem_euclid(1.0),
        };
        let angle = share * std::f64::consts::TAU;
        (out[at], out[at + 1]) = (libm::sin(angle) as f32, libm::cos(angle) as f32);
        at += 2;
    }
}
