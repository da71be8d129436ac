//! The normal distribution and its inverse, in f64.

use engine::reference::erf64;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Φ(x): the share of a standard normal below `x`.
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * (1.0 + erf64(x * FRAC_1_SQRT_2))
}

/// The x with Φ(x) = p, for p in (0, 1); infinite at the ends.
///
/// A bracket of ±9 halved until it is as narrow as f64 allows near the answer, helped by Newton's steps.
pub(super) fn quantile(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let (mut low, mut high, mut x) = (-9.0f64, 9.0f64, 0.0f64);
    for _ in 0..60 {
        let above = cdf(x) - p;
        if above > 0.0 {
            high = x
        } else {
            low = x
        }
        let newton = x - above * TAU.sqrt() * (0.5 * x * x).exp();
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-12 {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_the_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.1
        for (p, x) in
            [(0.5, 0.0), (0.8413447460685429, 1.0), (0.975, 1.959963984540054), (0.001, -3.090232306167813)]
        {
            assert!((quantile(p) - x).abs() < 1e-9, "{p}: {} and not {x}", quantile(p));
            assert!((cdf(x) - p).abs() < 1e-12);
        }
        assert_eq!(quantile(1.0), f64::INFINITY);
    }
}
