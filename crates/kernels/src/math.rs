//! Element-wise functions in f32, branch-free so that loops over them become vector code; `A` says how the machine
//! multiplies and adds.
//!
//! Every function carries NaN through. Errors are below 4 units in the last place against f64 over the tested range.

use crate::isa::Arith;

#[inline(always)]
fn poly<A: Arith, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = A::fma(sum, x, *c);
    }
    sum
}

#[inline(always)]
fn at_most(x: f32, high: f32) -> f32 {
    if x > high { high } else { x }
}

#[inline(always)]
fn at_least(x: f32, low: f32) -> f32 {
    if x < low { low } else { x }
}

/// eˣ: range reduction to |r| ≤ ln 2 / 2 and a polynomial of degree 6 (Cephes `expf`).
#[inline(always)]
pub fn exp<A: Arith>(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to an integer kept in the low bits
    let x = at_least(at_most(x, 89.0), -104.0);
    let t = A::fma(x, std::f32::consts::LOG2_E, MAGIC);
    let n = t - MAGIC;
    let r = A::fma(n, -0.693_359_4, x);
    let r = A::fma(n, 2.121_944_4e-4, r);
    let p =
        poly::<A, 6>(r, [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5]);
    let p = A::fma(p, r * r, r) + 1.0;
    let k = (t.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32);
    let half = k >> 1;
    let scale = |e: i32| f32::from_bits((e.wrapping_add(127) as u32) << 23);
    p * scale(half) * scale(k.wrapping_sub(half))
}

/// ln x; −∞ at 0, NaN below (Cephes `logf`).
#[inline(always)]
pub fn ln<A: Arith>(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits();
    let shifted = bits.wrapping_sub(0x3F35_04F3); // √½, so that the mantissa lies in [√½, √2)
    let e = (shifted as i32 >> 23) as f32 - if tiny { 23.0 } else { 0.0 };
    let m = f32::from_bits((shifted & 0x007F_FFFF).wrapping_add(0x3F35_04F3)) - 1.0;
    let z = m * m;
    let p = poly::<A, 9>(
        m,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = m * z * p + e * -2.121_944_4e-4 - 0.5 * z;
    let y = m + y + e * 0.693_359_4;
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f32::NAN }
}

/// tanh x: a polynomial near 0, `1 − 2 / (e²ˣ + 1)` beyond (Cephes `tanhf`).
#[inline(always)]
pub fn tanh<A: Arith>(x: f32) -> f32 {
    let a = x.abs();
    let far = 1.0 - 2.0 / (exp::<A>(2.0 * a) + 1.0);
    let s = x * x;
    let p =
        poly::<A, 5>(s, [-5.704_988_7e-3, 2.063_908_8e-2, -5.373_971_5e-2, 1.333_144_2e-1, -3.333_328e-1]);
    let near = A::fma(p * s, a, a);
    let y = if a < 0.625 { near } else { far };
    y.copysign(x)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<A: Arith>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<A>(-x))
}

/// ln(1 + eˣ), without overflow.
#[inline(always)]
pub fn softplus<A: Arith>(x: f32) -> f32 {
    let e = exp::<A>(-x.abs());
    let u = 1.0 + e;
    let l = if u == 1.0 { e } else { ln::<A>(u) * e / (u - 1.0) };
    at_least(x, 0.0) + l
}

/// The error function, by a polynomial below 475/512 and `1 − e^p` beyond.
#[inline(always)]
pub fn erf<A: Arith>(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let low = A::fma(-1.728_534_7e-5, t, 3.831_971_3e-4);
    let high = A::fma(-3.883_964_4e-3, t, 2.425_462_2e-2);
    let r = A::fma(low, s, high);
    let r = A::fma(r, t, -1.067_778_8e-1);
    let r = A::fma(r, t, -6.348_467e-1);
    let r = A::fma(r, t, -1.287_175_1e-1);
    let r = A::fma(r, t, -t);
    let far = (1.0 - exp::<A>(r)).copysign(x);
    let p = poly::<A, 6>(
        s,
        [-5.967_617e-4, 4.991_194_2e-3, -2.676_813_5e-2, 1.128_199_2e-1, -3.761_253_4e-1, 1.283_791_7e-1],
    );
    let near = A::fma(p, x, x);
    if t > 0.927_734_4 { far } else { near }
}

/// x less the nearest whole number, in [−½, ½]; from 2²² on 0, as there f32 has hardly any fractions left.
#[inline(always)]
fn fraction(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // as in `exp`
    let whole = if x.abs() < 4_194_304.0 { (x + MAGIC) - MAGIC } else { x };
    x - whole
}

/// sin 2πa for |a| ≤ ¼: an odd polynomial of degree 9, whose relative error is 5e-9 before rounding.
#[inline(always)]
fn quarter<A: Arith>(a: f32) -> f32 {
    a * poly::<A, 5>(a * a, [39.710_92, -76.574_99, 81.602_234, -41.341_68, 6.283_185_5])
}

/// cos 2πx: of turns, so that the reduction to one turn is exact.
#[inline(always)]
pub fn cos_turn<A: Arith>(x: f32) -> f32 {
    quarter::<A>(0.25 - fraction(x).abs())
}

/// sin 2πx, likewise.
#[inline(always)]
pub fn sin_turn<A: Arith>(x: f32) -> f32 {
    let r = fraction(x);
    let a = r.abs();
    quarter::<A>(if a > 0.25 { 0.5 - a } else { a }).copysign(r)
}

/// A function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fn1 {
    /// −x
    Neg,
    /// |x|
    Abs,
    /// −1, 0 or 1
    Sign,
    /// 1 where x > 0, else 0
    Step,
    /// x²
    Square,
    /// √x
    Sqrt,
    /// 1/x
    Recip,
    /// eˣ
    Exp,
    /// ln x
    Ln,
    /// tanh x
    Tanh,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
    /// error function
    Erf,
    /// max(x, 0)
    Relu,
    /// cos 2πx
    CosTurn,
    /// sin 2πx
    SinTurn,
}

/// A function of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fn2 {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// the larger
    Max,
    /// the smaller
    Min,
    /// a where b > 0, else 0
    Gate,
    /// 1 where a = b, else 0
    Eq,
}

impl Fn1 {
    /// All of them, for tests and tables.
    pub const ALL: [Fn1; 16] = [
        Fn1::Neg,
        Fn1::Abs,
        Fn1::Sign,
        Fn1::Step,
        Fn1::Square,
        Fn1::Sqrt,
        Fn1::Recip,
        Fn1::Exp,
        Fn1::Ln,
        Fn1::Tanh,
        Fn1::Sigmoid,
        Fn1::Softplus,
        Fn1::Erf,
        Fn1::Relu,
        Fn1::CosTurn,
        Fn1::SinTurn,
    ];

    /// The value in f32.
    #[inline(always)]
    pub fn apply<A: Arith>(self, x: f32) -> f32 {
        match self {
            Fn1::Neg => -x,
            Fn1::Abs => x.abs(),
            Fn1::Sign => {
                let magnitude = if x == 0.0 { 0.0 } else { 1.0f32.copysign(x) };
                if x.is_nan() { x } else { magnitude }
            }
            Fn1::Step => f32::from(x > 0.0),
            Fn1::Square => x * x,
            Fn1::Sqrt => x.sqrt(),
            Fn1::Recip => 1.0 / x,
            Fn1::Exp => exp::<A>(x),
            Fn1::Ln => ln::<A>(x),
            Fn1::Tanh => tanh::<A>(x),
            Fn1::Sigmoid => sigmoid::<A>(x),
            Fn1::Softplus => softplus::<A>(x),
            Fn1::Erf => erf::<A>(x),
            Fn1::Relu => at_least(x, 0.0),
            Fn1::CosTurn => cos_turn::<A>(x),
            Fn1::SinTurn => sin_turn::<A>(x),
        }
    }
}

impl Fn2 {
    /// All of them, for tests and tables.
    pub const ALL: [Fn2; 8] =
        [Fn2::Add, Fn2::Sub, Fn2::Mul, Fn2::Div, Fn2::Max, Fn2::Min, Fn2::Gate, Fn2::Eq];

    /// The value in f32.
    #[inline(always)]
    pub fn apply(self, a: f32, b: f32) -> f32 {
        match self {
            Fn2::Add => a + b,
            Fn2::Sub => a - b,
            Fn2::Mul => a * b,
            Fn2::Div => a / b,
            Fn2::Max => {
                let larger = if a > b { a } else { b };
                if a.is_nan() { a } else { larger }
            }
            Fn2::Min => {
                let smaller = if a < b { a } else { b };
                if a.is_nan() { a } else { smaller }
            }
            Fn2::Gate => {
                if b > 0.0 {
                    a
                } else {
                    0.0
                }
            }
            Fn2::Eq => f32::from(a == b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Fused, Unfused};

    /// Largest error against f64 in units in the last place of the result, over a sweep of `[low, high]`.
    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, low: f32, high: f32) -> f64 {
        let n = 200_000;
        (0..=n)
            .map(|i| low + (high - low) * i as f32 / n as f32)
            .map(|x| {
                let want = exact(f64::from(x));
                let ulp = f64::from(f32::EPSILON) * want.abs().max(f64::from(f32::MIN_POSITIVE));
                (f64::from(f(x)) - want).abs() / ulp
            })
            .fold(0.0, f64::max)
    }

    fn check<A: Arith>() {
        let sigmoid64 = |x: f64| 1.0 / (1.0 + (-x).exp());
        assert!(worst(exp::<A>, f64::exp, -87.0, 88.0) < 4.0);
        assert!(worst(ln::<A>, f64::ln, 1e-30, 2.0) < 4.0);
        assert!(worst(ln::<A>, f64::ln, 1.0, 1e6) < 4.0);
        assert!(worst(tanh::<A>, f64::tanh, -9.0, 9.0) < 4.0);
        assert!(worst(sigmoid::<A>, sigmoid64, -80.0, 30.0) < 4.0);
        assert!(worst(softplus::<A>, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), -80.0, 80.0) < 5.0);
    }

    #[test]
    fn functions_agree_with_f64() {
        check::<Fused>();
        check::<Unfused>();
    }

    #[test]
    fn waves_agree_with_f64() {
        // by the distance to the nearest zero: 2π·x in f64 is too far from it to tell the relative error there
        let turn = |zero: f64| (std::f64::consts::TAU * zero).sin();
        let cos = |x: f64| turn(0.25 - (x - x.round()).abs());
        let sin = |x: f64| {
            let r = x - x.round();
            turn(r.abs().min(0.5 - r.abs())).copysign(r)
        };
        for (low, high) in [(-0.6, 0.61), (-3.0, 3.1), (99.9, 1100.3)] {
            assert!(worst(cos_turn::<Fused>, cos, low, high) < 4.0);
            assert!(worst(cos_turn::<Unfused>, cos, low, high) < 4.0);
            assert!(worst(sin_turn::<Fused>, sin, low, high) < 4.0);
            assert!(worst(sin_turn::<Unfused>, sin, low, high) < 4.0);
        }
        let eighth = std::f32::consts::FRAC_1_SQRT_2;
        for (x, cos, sin) in [(0.0, 1.0, 0.0), (0.25, 0.0, 1.0), (-0.5, -1.0, 0.0), (7.875, eighth, -eighth)]
        {
            assert!((cos_turn::<Fused>(x) - cos).abs() < 1.2e-7, "{x}");
            assert!((sin_turn::<Fused>(x) - sin).abs() < 1.2e-7, "{x}");
        }
        assert_eq!((cos_turn::<Fused>(3e30), sin_turn::<Fused>(3e30)), (1.0, 0.0));
        assert!(cos_turn::<Fused>(f32::INFINITY).is_nan());
    }

    #[test]
    fn erf_agrees_with_tabulated_values() {
        // Abramowitz and Stegun, table 7.1
        for (x, want) in
            [(0.1, 0.112_462_916_0), (0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)]
        {
            assert!((f64::from(erf::<Fused>(x)) - want).abs() < 1.2e-7 * want);
            assert!((f64::from(erf::<Unfused>(-x)) + want).abs() < 2e-7 * want);
        }
    }

    #[test]
    fn nan_and_infinity_are_carried() {
        for f in Fn1::ALL.into_iter().filter(|f| *f != Fn1::Step) {
            assert!(f.apply::<Fused>(f32::NAN).is_nan(), "{f:?}");
        }
        assert!(Fn2::Max.apply(f32::NAN, 1.0).is_nan() && Fn2::Max.apply(1.0, f32::NAN).is_nan());
        assert_eq!(exp::<Fused>(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp::<Fused>(f32::NEG_INFINITY), 0.0);
        assert_eq!(ln::<Fused>(0.0), f32::NEG_INFINITY);
        assert!(ln::<Fused>(-1.0).is_nan());
        assert_eq!(tanh::<Fused>(f32::NEG_INFINITY), -1.0);
    }
}
