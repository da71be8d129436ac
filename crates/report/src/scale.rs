//! Axes: where a value stands, which marks an axis has, how far it reaches.

/// Values beyond this are drawn at the edge, so that differences never overflow.
const LIMIT: f64 = 1e150;

/// Maps values from `lo..hi` to positions from `a` to `b`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub lo: f64,
    pub hi: f64,
    pub log: bool,
    pub a: f64,
    pub b: f64,
}

impl Scale {
    /// The position of `v`; values outside stand outside, up to one length away.
    pub fn at(&self, v: f64) -> f64 {
        let share = if self.log {
            (v.max(f64::MIN_POSITIVE) / self.lo).ln() / (self.hi / self.lo).ln()
        } else {
            (v.clamp(-LIMIT, LIMIT) - self.lo) / (self.hi - self.lo)
        };
        self.a + share.clamp(-1.0, 2.0) * (self.b - self.a)
    }

    /// Round values inside the axis, about `n` of them.
    pub fn ticks(&self, n: usize) -> Vec<f64> {
        let marks = if self.log { log_ticks(self.lo, self.hi, n) } else { Vec::new() };
        if marks.len() >= 2 { marks } else { linear_ticks(self.lo, self.hi, n) }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
pub(crate) fn linear_ticks(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let step = nice_step((hi - lo) / n.max(1) as f64);
    if !(step.is_finite() && step > 0.0) {
        return vec![lo];
    }
    let first = (lo / step - 1e-9).ceil();
    let marks = (0..=2 * n + 2).map(|i| (first + i as f64) * step);
    marks
        .take_while(|v| *v <= hi + step * 1e-9)
        .map(|v| if v.abs() < step * 1e-9 { 0.0 } else { v })
        .collect()
}

fn nice_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let part = raw / power;
    power
        * if part <= 1.0 {
            1.0
        } else if part <= 2.0 {
            2.0
        } else if part <= 5.0 {
            5.0
        } else {
            10.0
        }
}

/// Powers of ten, thinned; with their doubles and fives where the axis is short.
fn log_ticks(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let (first, last) = (lo.log10().floor() as i32, hi.log10().ceil() as i32);
    let every = (last - first).unsigned_abs() as usize / n.max(1) + 1;
    let parts: &[f64] = match last - first {
        ..=2 => &[1.0, 2.0, 5.0],
        3 | 4 if every == 1 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let inside = |v: &f64| *v >= lo * 0.999_999 && *v <= hi * 1.000_001;
    let powers = (first..=last).filter(|p| p.rem_euclid(every as i32) == 0);
    powers.flat_map(|p| parts.iter().map(move |m| m * 10f64.powi(p))).filter(inside).collect()
}

/// How far a linear axis reaches for these values, and whether some lie far outside and are cut off.
pub(crate) fn linear_reach(values: &[f64], floor: Option<f64>, ceiling: Option<f64>) -> (f64, f64, bool) {
    let sorted = sorted_finite(values);
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return (0.0, 1.0, false) };
    let quantile = |q: f64| sorted[((sorted.len() - 1) as f64 * q).round() as usize];
    let (q1, q9) = (quantile(0.1), quantile(0.9));
    let far = sorted.len() >= 10 && q9 > q1 && max - min > 12.0 * (q9 - q1);
    let (mut lo, mut hi) = (min, max);
    if far {
        lo = min.max(q1 - 1.5 * (q9 - q1));
        hi = max.min(q9 + 1.5 * (q9 - q1));
    }
    let pad = if hi > lo { (hi - lo) * 0.06 } else { lo.abs().max(1e-6) * 0.1 };
    let bound_lo = floor.filter(|f| lo >= *f && lo - pad < *f + (hi - lo) * 0.25).unwrap_or(lo - pad);
    let bound_hi = ceiling.filter(|c| hi <= *c && hi + pad > *c).unwrap_or(hi + pad);
    if bound_hi > bound_lo { (bound_lo, bound_hi, far) } else { (bound_lo - pad, bound_lo + pad, far) }
}

/// How far a logarithmic axis reaches; `None` where a value is zero or negative, or there is none.
pub(crate) fn log_reach(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted_finite(values);
    let (&min, &max) = (sorted.first()?, sorted.last()?);
    if min <= 0.0 {
        return None;
    }
    let pad = (max / min).powf(0.05).clamp(1.05, 10.0);
    Some(((min / pad).max(1e-300), max * pad))
}

fn sorted_finite(values: &[f64]) -> Vec<f64> {
    let mut out: Vec<f64> =
        values.iter().copied().filter(|v| v.is_finite()).map(|v| v.clamp(-LIMIT, LIMIT)).collect();
    out.sort_by(f64::total_cmp);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        assert_eq!(linear_ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(linear_ticks(1.0, 20.0, 5), [5.0, 10.0, 15.0, 20.0]);
        assert_eq!(linear_ticks(-3.0, 3.0, 3), [-2.0, 0.0, 2.0]);
        let log = |lo, hi| Scale { lo, hi, log: true, a: 0.0, b: 1.0 }.ticks(5);
        assert_eq!(log(1e-4, 20.0), [1e-4, 1e-2, 1.0]);
        assert_eq!(
            log(0.04, 0.9).iter().map(|v| crate::format::short(*v)).collect::<Vec<_>>().join(" "),
            "0.05 0.1 0.2 0.5"
        );
        assert!(log(1.01, 1.04).len() >= 2);
        assert!(log(1e-100, 1e100).len() <= 7);
    }

    #[test]
    fn reach_covers_and_keeps_its_bounds() {
        let check = |v: &[f64]| {
            let (lo, hi, _) = linear_reach(v, Some(0.0), Some(1.0));
            assert!(lo < hi && lo.is_finite() && hi.is_finite(), "{v:?} {lo} {hi}");
            (lo, hi)
        };
        assert_eq!(check(&[0.1, 0.98]), (0.0, 1.0));
        check(&[]);
        check(&[f64::NAN]);
        check(&[0.0]);
        check(&[1.0, 1.0]);
        check(&[f64::MAX, -f64::MAX]);
        let mut far: Vec<f64> = (0..20).map(|i| 0.5 + 0.01 * f64::from(i)).collect();
        far[0] = -1000.0;
        assert!(linear_reach(&far, None, None).0 > 0.0);
        assert_eq!(log_reach(&[0.0, 1.0]), None);
        assert!(log_reach(&[f64::MAX, 5e-324]).is_some());
    }
}
