//! Where f32 is too coarse for a column: different numbers of a source that become one.

use std::fmt;

/// How many steps of f32 a column's range must span for what is lost to be no more than rounding.
const FINE: f64 = (1u32 << 20) as f64;

/// What becomes of the different values of a column in f32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Collapse {
    /// Different values in f64.
    pub distinct: usize,
    /// Different values in f32.
    pub left: usize,
    /// Two of them that become one.
    pub example: [f64; 2],
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.example;
        let Collapse { distinct, left, .. } = self;
        write!(f, "{distinct} different values become {left} in 32 bits, such as {a} and {b}")
    }
}

/// Tells what f32 makes of a column: `None` where every value stays apart, or only the last digits of values that are
/// spread widely fall together. That is so where the range spans 2²⁰ steps of f32 or more, and at most half of
/// the different values are lost.
///
/// Cost: one pass where all values are exact in f32, else a sort; the first 2¹⁶ values tell enough of a long column.
/// NaN and infinity are passed over.
pub(crate) fn collapse(values: impl Iterator<Item = f64> + Clone) -> Option<Collapse> {
    let inexact = |x: f64| f64::from(x as f32) != x;
    let finite = values.filter(|x| x.is_finite());
    if !finite.clone().any(inexact) {
        return None;
    }
    let mut sorted: Vec<f64> = finite.collect();
    let low = sorted.iter().copied().fold(f64::INFINITY, f64::min);
    let high = sorted.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let step = step(low.abs().max(high.abs()));
    let narrow = (high - low) / step < FINE;
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let mut lost = sorted.windows(2).filter(|pair| pair[0] as f32 == pair[1] as f32);
    let first = lost.next()?;
    let (example, n_lost) = ([first[0], first[1]], 1 + lost.count());
    let (distinct, left) = (sorted.len(), sorted.len() - n_lost);
    (narrow || 2 * left < distinct).then_some(Collapse { distinct, left, example })
}

/// From a number to the next in f32.
fn step(size: f64) -> f64 {
    let size = (size as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
    f64::from(size) - f64::from(f32::from_bits(size.to_bits() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_together_is_counted() {
        let of = |values: &[f64]| collapse(values.iter().copied()).map(|c| (c.distinct, c.left));
        let seconds: Vec<f64> = (0..100).map(|i| 1.7e9 + f64::from(i)).collect();
        assert_eq!(of(&seconds), Some((100, 2)));
        let julian: Vec<f64> = (0..50).map(|i| 2_460_000.5 + f64::from(i) / 100.0).collect();
        assert_eq!(of(&julian), Some((50, 3)));
        let ids = [16_777_216.0, 16_777_217.0, 16_777_218.0];
        assert_eq!(of(&ids), Some((3, 2)));
        let small: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        assert_eq!(of(&small), None);
        assert_eq!(of(&[1.0 / 3.0, f64::NAN, 2.0]), None);
        assert_eq!(of(&[0.1; 5]), None);
        let with_zero: Vec<f64> = seconds.iter().copied().chain([0.0]).collect();
        assert_eq!(of(&with_zero), Some((101, 3)));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn many_values_over_a_wide_range_are_not_told() {
        let wide = (0..200_000u32).map(|i| (f64::from(i) * 0.618_033_988_749).fract());
        assert_eq!(collapse(wide), None);
    }
}
