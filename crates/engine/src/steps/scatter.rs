//! Rows added into a table.

use super::gather::row_of;
use super::{Memory, Run, Span, StepKernel, Target};

/// `table[index[i]] += x[i]`, from zeros; an index outside of the table adds nothing
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// rows of the table
    pub rows: usize,
    /// elements of each
    pub width: usize,
    /// whole numbers
    pub index: Span,
    /// what is added
    pub x: Span,
    /// the table, or one for each shard
    pub out: Target,
}

impl StepKernel for Scatter {
    fn reads(&self) -> Vec<Span> {
        vec![self.index, self.x]
    }

    fn writes(&self) -> Vec<Span> {
        self.out.whole().into_iter().collect()
    }

    fn describe(&self) -> String {
        format!("scatter [{}, {}]{}", self.rows, self.width, self.out.text())
    }

    fn flops(&self, batch: usize) -> u64 {
        self.x.elements(batch)
    }

    fn run(&self, at: &Run, memory: Memory) {
        let width = self.width;
        match self.out {
            Target::Whole(out) => {
                let ([index, x], table) = at.io([self.index, self.x], out, memory.arena);
                table.fill(0.0);
                self.add(table, index, x);
            }
            Target::Shards(out) => {
                let [index, x] = [self.index, self.x].map(|s| at.read(s, memory.arena));
                at.each_shard(out, index.len(), memory.partial, |table, rows| {
                    if !at.chunk.resume {
                        table.fill(0.0);
                    }
                    self.add(table, &index[rows.clone()], &x[rows.start * width..rows.end * width]);
                });
            }
        }
    }
}

impl Scatter {
    fn add(&self, table: &mut [f32], index: &[f32], x: &[f32]) {
        for (i, source) in index.iter().zip(x.chunks_exact(self.width.max(1))) {
            if let Some(row) = row_of(*i, self.rows) {
                table[row * self.width..][..self.width].iter_mut().zip(source).for_each(|(t, x)| *t += x);
            }
        }
    }
}
