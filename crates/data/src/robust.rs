//! Robust scaling: the median goes to 0 and the distance of the quartiles to 1, so that outliers move nothing.

use super::affine::or_one;
use super::rows::at_places;
use super::{Affine, DataError, Dataset, TableSchema, Values};

/// Fitted on the samples `train`, at least one; O(n) for each input, and a few passes over rows in a file.
///
/// # Errors
/// What keeps those from being read.
pub(crate) fn fit(set: &Dataset, train: &[u32]) -> Result<Affine, DataError> {
    let width = set.n_inputs();
    let is_number = set.schema.as_ref().map_or_else(|| vec![true; width], TableSchema::measures);
    let mut column = Vec::new();
    let (mut subtract, mut divide) = (vec![0.0; width], vec![1.0; width]);
    if let Values::Rows(_) = set.inputs {
        let columns: Vec<usize> = (0..width).filter(|j| is_number.get(*j).is_some_and(|is| *is)).collect();
        let found = at_places(&columns, places, |visit| {
            set.pass(train, |_, row| visit(&|column| row.number(column)))
        })?;
        for (j, found) in columns.into_iter().zip(found) {
            (subtract[j], divide[j]) = of_places(train.len(), &found);
        }
        return Ok(Affine::from_parts(subtract.into_iter(), divide.into_iter()));
    }
    for j in (0..width).filter(|j| is_number.get(*j).is_some_and(|is| *is)) {
        column.clear();
        set.pass(train, |_, row| column.push(row.number(j)))?;
        (subtract[j], divide[j]) = middle_and_spread(&mut column);
    }
    Ok(Affine::from_parts(subtract.into_iter(), divide.into_iter()))
}

/// The median, and the distance of the quartiles; where that is 0 half the range, and for a constant 1.
fn middle_and_spread(values: &mut [f32]) -> (f64, f64) {
    let [low, middle, high] = QUARTILES.map(|share| quantile(values, share));
    let ends = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let spread = if high > low { high - low } else { 0.5 * (f64::from(ends.1) - f64::from(ends.0)) };
    (middle, or_one(spread))
}

/// The shares that are looked for.
const QUARTILES: [f64; 3] = [0.25, 0.5, 0.75];

/// The places of the quartiles, of the values after them, and of the ends.
fn places(n: usize) -> Vec<usize> {
    let pair = |share: f64| {
        let below = (share * (n - 1) as f64) as usize;
        [below, (below + 1).min(n - 1)]
    };
    QUARTILES.into_iter().flat_map(pair).chain([0, n - 1]).collect()
}

/// [`middle_and_spread`] by the values at [`places`].
fn of_places(n: usize, found: &[f32]) -> (f64, f64) {
    let [l, l1, m, m1, h, h1, min, max] = found.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()[..] else {
        return (0.0, 1.0);
    };
    let between = |share: f64, low: f64, next: f64| low + (next - low) * (share * (n - 1) as f64).fract();
    let [low, middle, high] =
        [between(QUARTILES[0], l, l1), between(QUARTILES[1], m, m1), between(QUARTILES[2], h, h1)];
    let spread = if high > low { high - low } else { 0.5 * (max - min) };
    (middle, or_one(spread))
}

/// NumPy's default: between the two values around place `share`·(n − 1) of the sorted ones, in proportion.
fn quantile(values: &mut [f32], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let (below, rest) = (place as usize, place.fract());
    let (_, low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let low = f64::from(*low);
    let next = above.iter().copied().min_by(f32::total_cmp).map_or(low, f64::from);
    low + (next - low) * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile(x, [.25, .5, .75])` in float64.
    #[test]
    fn quartiles_are_numpys() {
        for (values, want) in [
            (vec![3.0], [3.0, 3.0, 3.0]),
            (vec![5.0, 1.0], [2.0, 3.0, 4.0]),
            (vec![4.0, 1.0, 9.0, 2.0], [1.75, 3.0, 5.25]),
            (vec![7.0, 7.0, 0.5, 100.0, -3.0], [0.5, 7.0, 7.0]),
            (vec![10.0, 2.0, 2.0, 8.0, 3.0, 1.0], [2.0, 2.5, 6.75]),
        ] {
            let got = [0.25, 0.5, 0.75].map(|share| quantile(&mut values.clone(), share));
            assert_eq!(got, want, "{values:?}");
        }
    }

    #[test]
    fn where_the_quartiles_meet_the_range_decides() {
        assert_eq!(middle_and_spread(&mut [2.0, 2.0, 2.0, 2.0, 12.0]), (2.0, 5.0));
        assert_eq!(middle_and_spread(&mut [4.0; 3]), (4.0, 1.0));
    }
}
