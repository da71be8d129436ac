//! Inputs of many samples in f64, column by column.

use crate::source::{Pass, Source, SourceError};

/// Samples that are read at once.
const CHUNK: usize = 1024;

/// Values of samples, column by column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    n: usize,
    values: Vec<f64>, // [d, n]
}

impl Columns {
    /// Reads the inputs of samples as the model sees them.
    pub fn read(source: &dyn Source, samples: &[u32]) -> Result<Self, SourceError> {
        let (n, d) = (samples.len(), source.input_shape().iter().product::<usize>());
        let mut values = vec![0.0; n * d];
        let mut rows = vec![0.0; CHUNK.min(n) * d];
        for (c, chunk) in samples.chunks(CHUNK).enumerate() {
            let rows = &mut rows[..chunk.len() * d];
            source.inputs(chunk, Pass::Measure, rows)?;
            for (i, row) in rows.chunks_exact(d.max(1)).enumerate() {
                row.iter().enumerate().for_each(|(j, x)| values[j * n + c * CHUNK + i] = f64::from(*x));
            }
        }
        Ok(Columns { n, values })
    }

    pub fn n(&self) -> usize {
        self.n
    }

    pub fn d(&self) -> usize {
        self.values.len() / self.n.max(1)
    }

    pub fn column(&self, j: usize) -> &[f64] {
        &self.values[j * self.n..(j + 1) * self.n]
    }

    pub fn are_finite(&self) -> bool {
        self.values.iter().all(|x| x.is_finite())
    }

    /// Mean and deviation of each column; none of one that has the same value everywhere.
    pub fn moments(&self) -> Vec<Option<(f64, f64)>> {
        let n = self.n as f64;
        let of_column = |column: &[f64]| {
            let first = *column.first()?;
            let mean = column.iter().sum::<f64>() / n;
            let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            column.iter().any(|x| *x != first).then(|| (mean, variance.sqrt()))
        };
        (0..self.d()).map(|j| of_column(self.column(j))).collect()
    }

    /// The columns that have moments, each (x − mean) / deviation.
    pub fn standardized(&self, moments: &[Option<(f64, f64)>]) -> Self {
        let known = moments.iter().enumerate().filter_map(|(j, m)| Some((j, (*m)?)));
        let values = known
            .flat_map(|(j, (mean, deviation))| self.column(j).iter().map(move |x| (x - mean) / deviation));
        Columns { n: self.n, values: values.collect() }
    }
}

/// Σ aᵢ bᵢ, summed in eight lanes in a fixed order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0.0; LANES];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f64>() + rest
}
