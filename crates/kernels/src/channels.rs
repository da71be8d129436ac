//! Statistics of channels: mean and squared deviations over rows, block by block, and joining those of several parts.

use crate::isa::Arith;

/// Channels worked on at a time; fewer are repeated, so that several rows are added at once.
const WIDTH: usize = 64;

/// One value for each place of a step.
type Lanes = [f32; WIDTH];

crate::multiversion! {
    /// Joins the statistics of `x: [rows, channels]` to those of `seen` earlier rows: `out[..channels]` is the mean of
    /// every channel, `out[channels..]` the sum of squared deviations from it; zeros where there are no rows. With
    /// `seen = 0`, `out` is overwritten.
    ///
    /// `x` is cut into blocks of `block_rows` rows, the last perhaps shorter. A block's own statistics take two passes
    /// over it, while it is in cache; blocks are joined as in [`join_moments`]. Up to 32 channels, a block is added in
    /// `64 / channels` chains, row after row to each in turn. So the result depends on where blocks end, and not on
    /// how many blocks one call has.
    ///
    /// # Panics
    /// When a slice is shorter than its sizes say.
    pub fn moments(x: &[f32], channels: usize, block_rows: usize, seen: usize, out: &mut [f32]) = moments_body;
}

#[inline(always)]
fn moments_body<A: Arith>(x: &[f32], channels: usize, block_rows: usize, seen: usize, out: &mut [f32]) {
    let (mean, squares) = out[..2 * channels].split_at_mut(channels);
    if seen == 0 {
        mean.fill(0.0);
        squares.fill(0.0);
    }
    if channels == 0 {
        return;
    }
    let mut n = seen;
    for block in x.chunks(block_rows.max(1) * channels) {
        let rows = block.len() / channels;
        let joining = Joining::new(n, rows);
        for first in (0..channels).step_by(WIDTH) {
            let width = WIDTH.min(channels - first);
            let columns = Columns { x: block, channels, first, width };
            let (block_mean, block_squares) = columns.moments::<A>();
            for c in 0..width {
                let total = (&mut mean[first + c], &mut squares[first + c]);
                joining.add(total, block_mean[c], block_squares[c]);
            }
        }
        n += rows;
    }
}

/// At most [`WIDTH`] columns of a block of rows.
struct Columns<'a> {
    x: &'a [f32],
    channels: usize,
    first: usize,
    width: usize,
}

impl Columns<'_> {
    #[inline(always)]
    fn moments<A: Arith>(&self) -> (Lanes, Lanes) {
        let rows = self.x.len() / self.channels;
        let chains = if self.width == self.channels { WIDTH / self.width } else { 1 };
        let share = 1.0 / rows as f32;
        let sum = self.each(chains, &[0.0; WIDTH], |sum, v| *sum += v[0]);
        let mut mean = self.joined(chains, &sum);
        mean.iter_mut().for_each(|m| *m *= share);
        for k in 1..chains {
            mean.copy_within(..self.width, k * self.width);
        }
        let squares = self.each(chains, &mean, |sum, [v, m]| {
            let d = v - m;
            *sum = A::fma(d, d, *sum);
        });
        (mean, self.joined(chains, &squares))
    }

    /// Calls `add(sum, [value, other])` for every value, `chains` rows at once; places without a value see `other`.
    #[inline(always)]
    fn each(&self, chains: usize, other: &Lanes, add: impl Fn(&mut f32, [f32; 2])) -> Lanes {
        let step = chains * self.channels;
        let used = if chains == 1 { self.width } else { step };
        let mut sums = [0.0; WIDTH];
        let mut at = self.first;
        while at + WIDTH <= self.x.len() && at - self.first + step <= self.x.len() {
            // a step of fewer values than lanes reads on into the next; what those lanes add up is not used
            let values = &self.x[at..at + WIDTH];
            for l in 0..WIDTH {
                add(&mut sums[l], [values[l], other[l]]);
            }
            at += step;
        }
        while at < self.x.len() {
            let mut values = *other;
            let left = used.min(self.x.len() - at);
            values[..left].copy_from_slice(&self.x[at..at + left]);
            for l in 0..WIDTH {
                add(&mut sums[l], [values[l], other[l]]);
            }
            at += step;
        }
        sums
    }

    /// The chains of each column, one after another.
    #[inline(always)]
    fn joined(&self, chains: usize, sums: &Lanes) -> Lanes {
        let mut total = *sums;
        for k in 1..chains {
            for c in 0..self.width {
                total[c] += sums[k * self.width + c];
            }
        }
        total
    }
}

/// The factors with which the statistics of further rows join those of earlier ones (Chan, Golub, LeVeque 1983).
struct Joining {
    share: f32,
    cross: f32,
}

impl Joining {
    #[inline(always)]
    fn new(n: usize, rows: usize) -> Joining {
        let all = (n + rows) as f32;
        Joining { share: rows as f32 / all, cross: n as f32 * rows as f32 / all }
    }

    #[inline(always)]
    fn add(&self, (mean, squares): (&mut f32, &mut f32), part_mean: f32, part_squares: f32) {
        if self.cross == 0.0 {
            (*mean, *squares) = (part_mean, part_squares);
            return;
        }
        let d = part_mean - *mean;
        *mean += d * self.share;
        *squares += part_squares + d * d * self.cross;
    }
}

/// Joins the statistics of one more shard: after `n` rows, `total` holds means and squared deviations; `part` those
/// of `rows` further ones (Chan, Golub, LeVeque 1983).
pub fn join_moments(total: &mut [f32], n: usize, part: &[f32], rows: usize) {
    let channels = part.len() / 2;
    if rows == 0 {
        return;
    }
    let joining = Joining::new(n, rows);
    let (mean, squares) = total[..2 * channels].split_at_mut(channels);
    for c in 0..channels {
        joining.add((&mut mean[c], &mut squares[c]), part[c], part[channels + c]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox::philox4x32;

    fn frame(n: usize) -> Vec<f32> {
        let word = |i: usize| philox4x32([3, 0], [i as u32, 0, 0, 0])[0];
        (0..n).map(|i| (word(i) >> 8) as f32 / 8_388_608.0 + 3.0).collect()
    }

    #[test]
    fn blocks_joined_agree_with_f64() {
        for channels in [1, 3, 10, 16, 31, 32, 64, 65, 100, 200] {
            for (rows, block_rows) in [(1, 1), (7, 3), (64, 64), (50, 16), (129, 64)] {
                let x = frame(rows * channels);
                let mut out = vec![f32::NAN; 2 * channels];
                moments(&x, channels, block_rows, 0, &mut out);
                for c in 0..channels {
                    let column = || x.iter().skip(c).step_by(channels).map(|v| f64::from(*v));
                    let mean = column().sum::<f64>() / rows as f64;
                    let squares: f64 = column().map(|v| (v - mean).powi(2)).sum();
                    assert!((f64::from(out[c]) - mean).abs() < 2e-6 * mean, "{channels} {rows}");
                    let error = (f64::from(out[channels + c]) - squares).abs();
                    assert!(error <= 2e-6 * squares + 1e-10, "{channels} {rows}: {error} of {squares}");
                }
            }
        }
    }

    #[test]
    fn calls_cut_at_blocks_give_the_bits_of_one_call() {
        for channels in [1, 6, 16, 48, 130] {
            let (rows, block_rows) = (70, 16);
            let x = frame(rows * channels);
            let [mut whole, mut cut] = [0; 2].map(|_| vec![f32::NAN; 2 * channels]);
            moments(&x, channels, block_rows, 0, &mut whole);
            let (low, high) = x.split_at(32 * channels);
            moments(low, channels, block_rows, 0, &mut cut);
            moments(high, channels, block_rows, 32, &mut cut);
            assert_eq!(whole, cut);
        }
    }

    #[test]
    fn no_rows_change_nothing() {
        let mut out = [f32::NAN; 4];
        moments(&[], 2, 5, 0, &mut out);
        assert_eq!(out, [0.0; 4]);
        let seen = [1.0, 2.0, 3.0, 4.0];
        out = seen;
        moments(&[], 2, 5, 9, &mut out);
        assert_eq!(out, seen);
    }

    #[test]
    fn large_means_do_not_overflow_the_first_block() {
        let mut out = [f32::NAN; 2];
        moments(&[1e30, 1e30], 1, 2, 0, &mut out);
        assert_eq!(out, [1e30, 0.0]);
    }
}
