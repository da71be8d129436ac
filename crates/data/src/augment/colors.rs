//! What colors the training images have: their mean, and the principal axes along which they vary.

use crate::moments::moments;
use crate::row::Row;
use crate::{DataError, Dataset};

/// Facts about pixels, fitted on the training samples alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Colors {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// For each principal axis, its unit vector times its eigenvalue, `[c][c]`; the largest first.
    pub axes: Vec<Vec<f32>>,
    /// Whether values lie between 0 and 1, so that changed ones are kept there.
    pub bounded: bool,
}

impl Colors {
    /// One pass over the training samples, two if `axes` asks for the covariance of the channels.
    ///
    /// # Errors
    /// What keeps rows of a file from being read.
    pub fn fit(set: &Dataset, train: &[u32], channels: usize, axes: bool) -> Result<Colors, DataError> {
        let each = moments(set, train)?;
        let mean = each.grouped(channels, |i| i % channels).mean;
        let bounded = each.min.iter().all(|x| *x >= 0.0) && each.max.iter().all(|x| *x <= 1.0);
        let axes = if axes { principal_axes(&covariance(set, train, &mean)?) } else { Vec::new() };
        Ok(Colors { mean: mean.iter().map(|m| *m as f32).collect(), axes, bounded })
    }
}

/// Covariance of the channels over all pixels of the training samples, in f64.
fn covariance(set: &Dataset, train: &[u32], mean: &[f64]) -> Result<Vec<Vec<f64>>, DataError> {
    let (c, width) = (mean.len(), set.n_inputs());
    let mut products = vec![0.0f64; c * c];
    let mut pixel = vec![0.0f64; c];
    let mut add = |values: &mut dyn Iterator<Item = f64>| {
        pixel.iter_mut().zip(values).zip(mean).for_each(|((d, x), m)| *d = x - m);
        for (row, a) in products.chunks_exact_mut(c).zip(&pixel) {
            row.iter_mut().zip(&pixel).for_each(|(sum, b)| *sum += a * b);
        }
    };
    set.pass(train, |_, row| match row {
        Row::Bytes(bytes) => {
            bytes.chunks_exact(c).for_each(|p| add(&mut p.iter().map(|b| f64::from(*b) / 255.0)));
        }
        Row::Numbers(values) => {
            values.chunks_exact(c).for_each(|p| add(&mut p.iter().map(|x| f64::from(*x))))
        }
    })?;
    let n = (train.len() * width / c).max(1) as f64;
    Ok(products.chunks_exact(c).map(|row| row.iter().map(|x| x / n).collect()).collect())
}

/// Eigenvectors times eigenvalues of a symmetric matrix, the largest eigenvalue first, by Jacobi's rotations.
///
/// The sign of an eigenvector is free; its largest component is made positive.
fn principal_axes(symmetric: &[Vec<f64>]) -> Vec<Vec<f32>> {
    const SWEEPS: usize = 50;
    let n = symmetric.len();
    let mut a = symmetric.to_vec();
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
    for (p, q) in (0..SWEEPS).flat_map(|_| (0..n).flat_map(move |p| (p + 1..n).map(move |q| (p, q)))) {
        if a[p][q] == 0.0 {
            continue;
        }
        let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
        let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
        let cos = 1.0 / (t * t + 1.0).sqrt();
        let sin = t * cos;
        let turn = |x: f64, y: f64| (cos * x - sin * y, sin * x + cos * y);
        for row in a.iter_mut().chain(&mut v) {
            (row[p], row[q]) = turn(row[p], row[q]);
        }
        let (upper, lower) = a.split_at_mut(q);
        upper[p].iter_mut().zip(&mut lower[0]).for_each(|(x, y)| (*x, *y) = turn(*x, *y));
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]));
    let axis = |i: usize| -> Vec<f32> {
        let column: Vec<f64> = v.iter().map(|row| row[i]).collect();
        let largest = column.iter().copied().fold(0.0, |m: f64, x| if x.abs() > m.abs() { x } else { m });
        column.iter().map(|x| (x * a[i][i] * largest.signum()) as f32).collect()
    };
    order.into_iter().map(axis).collect()
}
