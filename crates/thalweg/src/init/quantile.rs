//! The normal distribution and its inverse, in f64.

use engine::reference::erf64;
use std::f64::consts::FRAC_1_SQRT_2;

/// Φ(x): the share of a standard normal below `x`.
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * (1.0 + erf64(x * FRAC_1_SQRT_2))
}

/// A quotient of two polynomials; coefficients from the constant on.
struct Rational {
    above: [f64; 8],
    below: [f64; 8],
}

impl Rational {
    fn at(&self, x: f64) -> f64 {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
        horner(&self.above) / horner(&self.below)
    }
}

/// Of 0.180625 − (p − ½)², where |p − ½| ≤ 0.425.
const CENTER: Rational = Rational {
    above: [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    below: [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
};

/// Of r − 1.6, where r = √(−ln of the smaller tail) ≤ 5.
const TAIL: Rational = Rational {
    above: [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    below: [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
};

/// Of r − 5, further out.
const FAR_TAIL: Rational = Rational {
    above: [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    below: [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
};

/// The x with Φ(x) = p, for p in (0, 1); infinite at the ends.
///
/// Three quotients of polynomials, right to about 1e-16: M. J. Wichura, Algorithm AS 241, Applied Statistics 37, 1988.
pub(super) fn quantile(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * CENTER.at(0.180625 - q * q);
    }
    let r = (-libm::log(p.min(1.0 - p))).sqrt();
    let x = if r <= 5.0 { TAIL.at(r - 1.6) } else { FAR_TAIL.at(r - 5.0) };
    x.copysign(q)
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
            assert!((quantile(p) - x).abs() < 1e-14, "{p}: {} and not {x}", quantile(p));
            assert!((cdf(x) - p).abs() < 1e-12);
        }
        assert_eq!(quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn quantiles_invert_the_distribution_everywhere() {
        for i in -600..=600 {
            let x = f64::from(i) * 0.01;
            let slope = libm::exp(-0.5 * x * x) / std::f64::consts::TAU.sqrt();
            // in shares, as exact as erf; beyond 5, shares near 1 have too few digits left
            if x < 5.0 {
                assert!((quantile(cdf(x)) - x).abs() * slope < 1e-13, "{x}: {}", quantile(cdf(x)));
            }
        }
        for (p, x) in [(1e-12, -7.034483825301132), (1e-20, -9.262340089798408)] {
            assert!((quantile(p) - x).abs() < 1e-12, "{p}: {}", quantile(p));
        }
    }
}
