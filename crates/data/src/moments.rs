//! Mean, variance and range of each input over chosen samples, in f64.

use super::{Dataset, Values};

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

/// Moments of the inputs over `indices`; exact sums for bytes, two passes for numbers.
pub(crate) fn moments(set: &Dataset, indices: &[u32]) -> Moments {
    match &set.inputs {
        Values::F32(values) => of_numbers(values, set.n_inputs(), indices),
        Values::U8(bytes) => of_bytes(bytes, set.n_inputs(), indices),
    }
}

/// Moments of the columns of `values` (`[_, width]`) over the rows `indices`.
pub(crate) fn of_numbers(values: &[f32], width: usize, indices: &[u32]) -> Moments {
    let rows = || indices.iter().map(|&i| &values[i as usize * width..(i as usize + 1) * width]);
    let n = indices.len();
    let mut mean = vec![0.0; width];
    let (mut min, mut max) = (vec![f32::INFINITY; width], vec![f32::NEG_INFINITY; width]);
    for row in rows() {
        for (((x, sum), low), high) in row.iter().zip(&mut mean).zip(&mut min).zip(&mut max) {
            *sum += f64::from(*x);
            *low = low.min(*x);
            *high = high.max(*x);
        }
    }
    mean.iter_mut().for_each(|m| *m /= n as f64);
    let mut variance = vec![0.0; width];
    for row in rows() {
        for ((x, mean), sum) in row.iter().zip(&mean).zip(&mut variance) {
            let d = f64::from(*x) - mean;
            *sum += d * d;
        }
    }
    variance.iter_mut().for_each(|v| *v /= n as f64);
    let wide = |v: Vec<f32>| v.into_iter().map(f64::from).collect();
    Moments { n, mean, variance, min: wide(min), max: wide(max) }
}

/// Rows whose sums of squares of bytes fit 32 bits: 65 536 · 255² < 2³².
const BLOCK: usize = 65_536;

/// Sums over bytes, exact, so that any division among threads gives the same.
struct ByteSums {
    sum: Vec<u64>,
    square: Vec<u64>,
    min: Vec<u8>,
    max: Vec<u8>,
}

fn of_bytes(bytes: &[u8], width: usize, indices: &[u32]) -> Moments {
    let n = indices.len();
    let sums = byte_sums_threaded(bytes, width, indices);
    let unit = 1.0 / 255.0;
    let count = n as u128;
    // n Σb² − (Σb)² is exact in 128 bits.
    let spread = |(&sum, &square): (&u64, &u64)| {
        let sum = u128::from(sum);
        (count * u128::from(square) - sum * sum) as f64 / (n as f64 * n as f64) * unit * unit
    };
    Moments {
        n,
        mean: sums.sum.iter().map(|&s| s as f64 / n as f64 * unit).collect(),
        variance: sums.sum.iter().zip(&sums.square).map(spread).collect(),
        min: sums.min.iter().map(|&b| f64::from(b) * unit).collect(),
        max: sums.max.iter().map(|&b| f64::from(b) * unit).collect(),
    }
}

fn byte_sums_threaded(bytes: &[u8], width: usize, indices: &[u32]) -> ByteSums {
    let threads = if indices.len() * width < 1 << 20 { 1 } else { 2 };
    let part = indices.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let mut parts = indices.chunks(part);
        let mine = parts.next().unwrap_or(&[]);
        let others: Vec<_> = parts.map(|p| scope.spawn(move || byte_sums(bytes, width, p))).collect();
        let mut all = byte_sums(bytes, width, mine);
        for other in others {
            match other.join() {
                Ok(sums) => all.add(&sums),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

fn byte_sums(bytes: &[u8], width: usize, indices: &[u32]) -> ByteSums {
    let mut all =
        ByteSums { sum: vec![0; width], square: vec![0; width], min: vec![255; width], max: vec![0; width] };
    for block in indices.chunks(BLOCK) {
        let (mut sum, mut square) = (vec![0u32; width], vec![0u32; width]);
        for &i in block {
            let row = &bytes[i as usize * width..(i as usize + 1) * width];
            for ((b, sum), square) in row.iter().zip(&mut sum).zip(&mut square) {
                // a block's sums fit; a check of each addition would cost the vectors
                *sum = sum.wrapping_add(u32::from(*b));
                *square = square.wrapping_add(u32::from(u16::from(*b).wrapping_mul(u16::from(*b))));
            }
            for ((b, low), high) in row.iter().zip(&mut all.min).zip(&mut all.max) {
                *low = (*low).min(*b);
                *high = (*high).max(*b);
            }
        }
        all.sum.iter_mut().zip(&sum).for_each(|(a, s)| *a += u64::from(*s));
        all.square.iter_mut().zip(&square).for_each(|(a, s)| *a += u64::from(*s));
    }
    all
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
        let (a, b) = (of_bytes(&bytes, width, &indices), of_numbers(&numbers, width, &indices));
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
