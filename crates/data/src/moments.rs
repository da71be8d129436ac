//! Mean, variance and range of each input over chosen samples, in f64.

use super::{DataError, Dataset, Values};

/// Moments of each input; all vectors have one entry per input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    /// Number of samples.
    pub n: usize,
    /// Means.
    pub mean: Vec<f64>,
    /// Variances (divided by n).
    pub variance: Vec<f64>,
    /// Smallest values.
    pub min: Vec<f64>,
    /// Largest values.
    pub max: Vec<f64>,
}

/// Moments of the inputs over `indices`; exact sums for bytes, two passes for numbers. Rows in a file have the same
/// moments as those in memory, bit for bit.
///
/// # Errors
/// What keeps rows of a file from being read.
pub(crate) fn moments(set: &Dataset, indices: &[u32]) -> Result<Moments, DataError> {
    let width = set.n_inputs();
    Ok(match &set.inputs {
        Values::F32(values) => of_numbers(values, width, indices),
        Values::U8(bytes) => byte_sums_threaded(width, indices, |part, sums| {
            part.iter().for_each(|&i| sums.row(&bytes[i as usize * width..(i as usize + 1) * width]));
            Ok(())
        })?
        .moments(indices.len()),
        Values::Rows(rows) if rows.are_bytes() => {
            byte_sums_threaded(width, indices, |part, sums| rows.pass(part, |_, row| sums.row(row)))?
                .moments(indices.len())
        }
        Values::Rows(rows) => {
            let mut numbers = vec![0.0; width];
            let mut first = NumberSums::new(width);
            rows.pass(indices, |_, bytes| {
                rows.numbers(bytes, &mut numbers);
                first.row(&numbers);
            })?;
            let mean = first.mean(indices.len());
            let mut squares = vec![0.0; width];
            rows.pass(indices, |_, bytes| {
                rows.numbers(bytes, &mut numbers);
                add_squares(&numbers, &mean, &mut squares);
            })?;
            first.moments(indices.len(), mean, squares)
        }
    })
}

/// Moments of the columns of `values` (`[_, width]`) over the rows `indices`.
pub(crate) fn of_numbers(values: &[f32], width: usize, indices: &[u32]) -> Moments {
    let rows = || indices.iter().map(|&i| &values[i as usize * width..(i as usize + 1) * width]);
    let mut first = NumberSums::new(width);
    rows().for_each(|row| first.row(row));
    let mean = first.mean(indices.len());
    let mut squares = vec![0.0; width];
    rows().for_each(|row| add_squares(row, &mean, &mut squares));
    first.moments(indices.len(), mean, squares)
}

/// What the first pass over numbers finds.
struct NumberSums {
    sum: Vec<f64>,
    min: Vec<f32>,
    max: Vec<f32>,
}

impl NumberSums {
    fn new(width: usize) -> NumberSums {
        NumberSums {
            sum: vec![0.0; width],
            min: vec![f32::INFINITY; width],
            max: vec![f32::NEG_INFINITY; width],
        }
    }

    #[inline]
    fn row(&mut self, row: &[f32]) {
        for (((x, sum), low), high) in row.iter().zip(&mut self.sum).zip(&mut self.min).zip(&mut self.max) {
            *sum += f64::from(*x);
            *low = low.min(*x);
            *high = high.max(*x);
        }
    }

    fn mean(&self, n: usize) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / n as f64).collect()
    }

    fn moments(self, n: usize, mean: Vec<f64>, mut variance: Vec<f64>) -> Moments {
        variance.iter_mut().for_each(|v| *v /= n as f64);
        let wide = |v: Vec<f32>| v.into_iter().map(f64::from).collect();
        Moments { n, mean, variance, min: wide(self.min), max: wide(self.max) }
    }
}

/// Σ(x − mean)², the second pass.
#[inline]
fn add_squares(row: &[f32], mean: &[f64], squares: &mut [f64]) {
    for ((x, mean), sum) in row.iter().zip(mean).zip(squares) {
        let d = f64::from(*x) - mean;
        *sum += d * d;
    }
}

/// Rows whose sums of squares of bytes fit 32 bits: 65 536 · 255² < 2³².
const BLOCK: usize = 65_536;

/// Sums over bytes, exact, so that any division among threads gives the same.
struct ByteSums {
    sum: Vec<u64>,
    square: Vec<u64>,
    min: Vec<u8>,
    max: Vec<u8>,
    /// of the last rows, fewer than a block
    short: [Vec<u32>; 2],
    n_short: usize,
}

/// Sums over rows of bytes, on two threads where they are many; `read` adds those of its part.
fn byte_sums_threaded(
    width: usize,
    indices: &[u32],
    read: impl Fn(&[u32], &mut ByteSums) -> Result<(), DataError> + Sync,
) -> Result<ByteSums, DataError> {
    let threads = if indices.len() * width < 1 << 20 { 1 } else { 2 };
    let part = indices.len().div_ceil(threads).max(1);
    let sums = |part: &[u32]| -> Result<ByteSums, DataError> {
        let mut sums = ByteSums::new(width);
        read(part, &mut sums)?;
        sums.flush();
        Ok(sums)
    };
    let sums = &sums;
    std::thread::scope(|scope| {
        let mut parts = indices.chunks(part);
        let mine = parts.next().unwrap_or(&[]);
        let others: Vec<_> = parts.map(|p| scope.spawn(move || sums(p))).collect();
        let mut all = sums(mine)?;
        for other in others {
            match other.join() {
                Ok(sums) => all.add(&sums?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

impl ByteSums {
    fn new(width: usize) -> ByteSums {
        ByteSums {
            sum: vec![0; width],
            square: vec![0; width],
            min: vec![255; width],
            max: vec![0; width],
            short: [vec![0; width], vec![0; width]],
            n_short: 0,
        }
    }

    #[inline]
    fn row(&mut self, row: &[u8]) {
        let [sum, square] = &mut self.short;
        for ((b, sum), square) in row.iter().zip(sum).zip(square) {
            // a block's sums fit; a check of each addition would cost the vectors
            *sum = sum.wrapping_add(u32::from(*b));
            *square = square.wrapping_add(u32::from(u16::from(*b).wrapping_mul(u16::from(*b))));
        }
        for ((b, low), high) in row.iter().zip(&mut self.min).zip(&mut self.max) {
            *low = (*low).min(*b);
            *high = (*high).max(*b);
        }
        self.n_short += 1;
        if self.n_short == BLOCK {
            self.flush();
        }
    }

    /// Adds the sums of the last rows to the others.
    fn flush(&mut self) {
        for (all, short) in [&mut self.sum, &mut self.square].into_iter().zip(&mut self.short) {
            all.iter_mut().zip(short).for_each(|(a, s)| *a += u64::from(std::mem::take(s)));
        }
        self.n_short = 0;
    }

    fn moments(&self, n: usize) -> Moments {
        let unit = 1.0 / 255.0;
        let count = n as u128;
        // n Σb² − (Σb)² is exact in 128 bits.
        let spread = |(&sum, &square): (&u64, &u64)| {
            let sum = u128::from(sum);
            (count * u128::from(square) - sum * sum) as f64 / (n as f64 * n as f64) * unit * unit
        };
        Moments {
            n,
            mean: self.sum.iter().map(|&s| s as f64 / n as f64 * unit).collect(),
            variance: self.sum.iter().zip(&self.square).map(spread).collect(),
            min: self.min.iter().map(|&b| f64::from(b) * unit).collect(),
            max: self.max.iter().map(|&b| f64::from(b) * unit).collect(),
        }
    }
}

impl ByteSums {
    fn add(&mut self, other: &ByteSums) {
        self.sum.iter_mut().zip(&other.sum).for_each(|(a, b)| *a += b);
        self.square.iter_mut().zip(&other.square).for_each(|(a, b)| *a += b);
        self.min.iter_mut().zip(&other.min).for_each(|(a, b)| *a = (*a).min(*b));
        self.max.iter_mut().zip(&other.max).for_each(|(a, b)| *a = (*a).max(*b));
    }
}

impl Moments {
    /// Mean of the squares of each input: variance + mean².
    pub fn second_moment(&self) -> Vec<f64> {
        self.variance.iter().zip(&self.mean).map(|(v, m)| v + m * m).collect()
    }

    /// Moments of groups of inputs taken together; `group(i)` is the group of input `i`, below `n_groups`.
    pub fn grouped(&self, n_groups: usize, group: impl Fn(usize) -> usize) -> Moments {
        let mut size = vec![0usize; n_groups];
        let mut all = Moments {
            n: self.n,
            mean: vec![0.0; n_groups],
            variance: vec![0.0; n_groups],
            min: vec![f64::INFINITY; n_groups],
            max: vec![f64::NEG_INFINITY; n_groups],
        };
        for i in 0..self.mean.len() {
            let g = group(i);
            size[g] += 1;
            all.mean[g] += self.mean[i];
            all.min[g] = all.min[g].min(self.min[i]);
            all.max[g] = all.max[g].max(self.max[i]);
        }
        all.mean.iter_mut().zip(&size).for_each(|(m, &s)| *m /= s as f64);
        for i in 0..self.mean.len() {
            let g = group(i);
            let d = self.mean[i] - all.mean[g];
            all.variance[g] += self.variance[i] + d * d;
        }
        all.variance.iter_mut().zip(&size).for_each(|(v, &s)| *v /= s as f64);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_numbers_agree_with_the_definition() {
        let (width, n) = (3, 5000);
        let bytes: Vec<u8> = (0..n * width).map(|i| (i * i % 251) as u8).collect();
        let numbers: Vec<f32> = bytes.iter().map(|&b| f32::from(b)).collect();
        let indices: Vec<u32> = (0..n as u32).filter(|i| i % 3 != 0).collect();
        let mut sums = ByteSums::new(width);
        indices.iter().for_each(|&i| sums.row(&bytes[i as usize * width..][..width]));
        sums.flush();
        let (a, b) = (sums.moments(indices.len()), of_numbers(&numbers, width, &indices));
        for c in 0..width {
            let column = || indices.iter().map(|&i| f64::from(bytes[i as usize * width + c]));
            let mean = column().sum::<f64>() / indices.len() as f64;
            let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / indices.len() as f64;
            assert!((a.mean[c] * 255.0 - mean).abs() < 1e-10 && (b.mean[c] - mean).abs() < 1e-10);
            assert!((a.variance[c] * 65025.0 / variance - 1.0).abs() < 1e-12);
            assert!((b.variance[c] / variance - 1.0).abs() < 1e-12);
            assert_eq!(b.max[c], column().fold(0.0, f64::max));
        }
        let all = b.grouped(1, |_| 0);
        let values = || indices.iter().flat_map(|&i| &numbers[i as usize * 3..i as usize * 3 + 3]);
        let mean = values().map(|&x| f64::from(x)).sum::<f64>() / (3 * indices.len()) as f64;
        let variance =
            values().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / (3 * indices.len()) as f64;
        assert!((all.mean[0] - mean).abs() < 1e-10 && (all.variance[0] / variance - 1.0).abs() < 1e-12);
    }
}
