//! Statistics of channels: mean and squared deviations over rows, and joining those of shards.

use crate::isa::Arith;

crate::multiversion! {
    /// For `x: [rows, channels]`, the mean of every channel into `out[..channels]` and the sum of squared deviations
    /// from it into `out[channels..]`, in two passes; zeros where there are no rows.
    ///
    /// # Panics
    /// When a slice is shorter than its sizes say.
    pub fn moments(x: &[f32], channels: usize, out: &mut [f32]) = moments_body;
}

#[inline(always)]
fn moments_body<A: Arith>(x: &[f32], channels: usize, out: &mut [f32]) {
    let (mean, squares) = out[..2 * channels].split_at_mut(channels);
    mean.fill(0.0);
    squares.fill(0.0);
    if x.is_empty() || channels == 0 {
        return;
    }
    for row in x.chunks_exact(channels) {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
    }
    let share = 1.0 / (x.len() / channels) as f32;
    mean.iter_mut().for_each(|m| *m *= share);
    for row in x.chunks_exact(channels) {
        for ((s, m), v) in squares.iter_mut().zip(mean.iter()).zip(row) {
            let d = v - m;
            *s = A::fma(d, d, *s);
        }
    }
}

/// Joins the statistics of one more shard: after `n` rows, `total` holds means and squared deviations; `part` those
/// of `rows` further ones (Chan, Golub, LeVeque 1983).
pub fn join_moments(total: &mut [f32], n: usize, part: &[f32], rows: usize) {
    let channels = part.len() / 2;
    if rows == 0 {
        return;
    }
    let all = (n + rows) as f32;
    let (share, cross) = (rows as f32 / all, n as f32 * rows as f32 / all);
    let (mean, squares) = total[..2 * channels].split_at_mut(channels);
    for c in 0..channels {
        let d = part[c] - mean[c];
        mean[c] += d * share;
        squares[c] += part[channels + c] + d * d * cross;
    }
}
