//! Rows of a table, chosen by index.

use super::{Memory, Run, Span, StepKernel};

/// `out[i] = table[index[i]]`; an index outside of the table gives NaN
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    /// rows of the table
    pub rows: usize,
    /// elements of each
    pub width: usize,
    /// the table
    pub table: Span,
    /// whole numbers
    pub index: Span,
    /// the rows chosen
    pub out: Span,
}

impl StepKernel for Gather {
    fn reads(&self) -> Vec<Span> {
        vec![self.table, self.index]
    }

    fn writes(&self) -> Vec<Span> {
        vec![self.out]
    }

    fn describe(&self) -> String {
        format!("gather [{}, {}]", self.rows, self.width)
    }

    /// Of the table only what is chosen.
    fn elements(&self, batch: usize) -> u64 {
        self.index.elements(batch) + 2 * self.out.elements(batch)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let ([table, index], out) = at.io([self.table, self.index], self.out, memory.arena);
        for (i, target) in index.iter().zip(out.chunks_exact_mut(self.width.max(1))) {
            match row_of(*i, self.rows) {
                Some(row) => target.copy_from_slice(&table[row * self.width..][..self.width]),
                None => target.fill(f32::NAN),
            }
        }
    }
}

/// The row that an index names.
pub(super) fn row_of(index: f32, rows: usize) -> Option<usize> {
    (index >= 0.0 && index < rows as f32).then_some(index as usize)
}
