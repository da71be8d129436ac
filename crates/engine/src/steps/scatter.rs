//! Rows added into a table, shard by shard.

use super::gather::row_of;
use super::{Memory, Partial, Run, Span, StepKernel};

/// Per shard `table[index[i]] += x[i]`, from zeros; an index outside of the table adds nothing
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterPartial {
    /// rows of the table
    pub rows: usize,
    /// elements of each
    pub width: usize,
    /// whole numbers
    pub index: Span,
    /// what is added
    pub x: Span,
    /// a table for each shard
    pub out: Partial,
}

impl StepKernel for ScatterPartial {
    fn reads(&self) -> Vec<Span> {
        vec![self.index, self.x]
    }

    fn writes(&self) -> Vec<Span> {
        vec![]
    }

    fn describe(&self) -> String {
        format!("scatter [{}, {}]", self.rows, self.width)
    }

    fn flops(&self, batch: usize) -> usize {
        self.x.elements(batch) as usize
    }

    fn run(&self, at: &Run, memory: Memory) {
        let [index, x] = [self.index, self.x].map(|s| at.read(s, memory.arena));
        let width = self.width;
        at.each_shard(self.out, index.len(), memory.partial, |table, rows| {
            if !at.chunk.resume {
                table.fill(0.0);
            }
            let sources = x[rows.start * width..rows.end * width].chunks_exact(width.max(1));
            for (i, source) in index[rows].iter().zip(sources) {
                if let Some(row) = row_of(*i, self.rows) {
                    table[row * width..][..width].iter_mut().zip(source).for_each(|(t, x)| *t += x);
                }
            }
        });
    }
}
