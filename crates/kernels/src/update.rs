//! One pass over a parameter vector for each optimizer: gradient scale, weight decay, state and step together; and the
//! same pieces one by one, for chains that no such pass covers, to be run block by block while the block is in cache.
//!
//! Every function reads and writes each value once; every element is computed alone, so a vector may be cut anywhere
//! between threads. No fused multiply-add: the bits are the same on every instruction set. All slices of a call have
//! one length; anything else panics.

use crate::isa::Arith;
use crate::multiversion;

/// What every update needs; PyTorch's meaning for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Step size α.
    pub lr: f32,
    /// The gradient is multiplied by this first (1, or the clipping factor).
    pub grad: f32,
    /// L2 penalty λ: the gradient becomes g + λθ. 0 for none.
    pub l2: f32,
    /// Decoupled decay: θ is multiplied by this before the step, 1 − αλ. 1 for none.
    pub keep: f32,
}

/// What Adam needs beside [`Scale`], with the bias corrections folded in: see [`AdamScale::new`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamScale {
    /// 1 − β₁.
    new1: f32,
    /// β₂.
    beta2: f32,
    /// 1 − β₂.
    new2: f32,
    /// α·√(1 − β₂ᵗ)/(1 − β₁ᵗ).
    step: f32,
    /// ε·√(1 − β₂ᵗ).
    eps: f32,
}

impl AdamScale {
    /// Scalars for step `t` (from 1), computed in f64.
    ///
    /// `α/(1−β₁ᵗ) · m/(√v/√(1−β₂ᵗ) + ε)` is computed as `step · m/(√v + eps)`: the same formula with numerator and
    /// denominator multiplied by √(1−β₂ᵗ), so that an element needs one division. `t = None` leaves the corrections
    /// out.
    pub fn new(lr: f64, betas: [f64; 2], eps: f64, t: Option<u64>) -> Self {
        let correction = |beta: f64| t.map_or(1.0, |t| 1.0 - power(beta, t));
        let root = correction(betas[1]).sqrt();
        AdamScale {
            new1: (1.0 - betas[0]) as f32,
            beta2: betas[1] as f32,
            new2: (1.0 - betas[1]) as f32,
            step: (lr * root / correction(betas[0])) as f32,
            eps: (eps * root) as f32,
        }
    }
}

/// Values whose squares [`sum_squares_blocks`] adds up in f32.
pub const NORM_BLOCK: usize = 4096;

/// A power by squaring: the same bits on every platform, which neither `powf` nor `powi` promises.
pub fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut result = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    result
}

multiversion! {
    /// θ ← keep·θ − α·g.
    pub fn sgd(s: &Scale, param: &mut [f32], grad: &[f32]) = sgd_body;

    /// b ← μb + g; θ ← keep·θ − α·b.
    pub fn momentum(s: &Scale, mu: f32, param: &mut [f32], grad: &[f32], buf: &mut [f32]) = momentum_body;

    /// b ← μb + g; θ ← keep·θ − α(g + μb).
    pub fn nesterov(s: &Scale, mu: f32, param: &mut [f32], grad: &[f32], buf: &mut [f32]) = nesterov_body;

    /// m ← m + (1−β₁)(g − m); v ← β₂v + (1−β₂)g²; θ ← keep·θ − step·m/(√v + eps).
    pub fn adam(s: &Scale, a: &AdamScale, param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32]) = adam_body;

    /// u ← s·u.
    pub fn scale(s: f32, update: &mut [f32]) = scale_body;

    /// u ← u, cut to ±limit; NaN stays.
    pub fn clip(limit: f32, update: &mut [f32]) = clip_body;

    /// u ← u + λx.
    pub fn add(lambda: f32, update: &mut [f32], x: &[f32]) = add_body;

    /// b ← μb + u; u ← b, or with `nesterov` u + μb.
    pub fn accumulate(mu: f32, nesterov: bool, update: &mut [f32], buf: &mut [f32]) = accumulate_body;

    /// m ← m + (1−β₁)(u − m); v ← β₂v + (1−β₂)u²; u ← step·m/(√v + eps).
    pub fn adam_direction(a: &AdamScale, update: &mut [f32], m: &mut [f32], v: &mut [f32]) = adam_direction_body;

    /// x ← x + share·(θ − x).
    pub fn average(share: f32, average: &mut [f32], param: &[f32]) = average_body;

    /// s ← s + share·(θ − s); θ ← s.
    pub fn pull(share: f32, slow: &mut [f32], param: &mut [f32]) = pull_body;

    /// Sum of squares of each block of [`NORM_BLOCK`] values (the last may be shorter): `out[i]` for block i.
    ///
    /// In a block 64 lanes add in f32 and fold to 16, which add pairwise in f64. The shape is fixed, so workers may
    /// take any whole blocks; adding `out` in order then gives the same bits for any number of threads.
    pub fn sum_squares_blocks(x: &[f32], out: &mut [f64]) = sum_squares_body;
}

/// State below this becomes 0.
///
/// Without gradient a running average shrinks until it is subnormal, and stays there for good (0.9 of the least number
/// rounds to itself), where arithmetic is several times slower. Such an average moves no parameter
/// that f32 could tell, as long as Adam's ε is 1e-16 or more.
const TINY: f32 = 1e-35;

#[inline(always)]
fn flush(x: f32) -> f32 {
    if x.abs() < TINY { 0.0 } else { x }
}

// `A` says how a body might fuse; none of these does.

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn sgd_body<A: Arith>(s: &Scale, param: &mut [f32], grad: &[f32]) {
    assert!(grad.len() == param.len());
    let s = *s;
    for (p, g) in param.iter_mut().zip(grad) {
        let g = *g * s.grad + s.l2 * *p;
        *p = *p * s.keep - s.lr * g;
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn momentum_body<A: Arith>(s: &Scale, mu: f32, param: &mut [f32], grad: &[f32], buf: &mut [f32]) {
    assert!(grad.len() == param.len() && buf.len() == param.len());
    let s = *s;
    for ((p, g), b) in param.iter_mut().zip(grad).zip(buf) {
        let g = *g * s.grad + s.l2 * *p;
        *b = flush(mu * *b + g);
        *p = *p * s.keep - s.lr * *b;
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn nesterov_body<A: Arith>(s: &Scale, mu: f32, param: &mut [f32], grad: &[f32], buf: &mut [f32]) {
    assert!(grad.len() == param.len() && buf.len() == param.len());
    let s = *s;
    for ((p, g), b) in param.iter_mut().zip(grad).zip(buf) {
        let g = *g * s.grad + s.l2 * *p;
        *b = flush(mu * *b + g);
        *p = *p * s.keep - s.lr * (g + mu * *b);
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn adam_body<A: Arith>(
    s: &Scale,
    a: &AdamScale,
    param: &mut [f32],
    grad: &[f32],
    m: &mut [f32],
    v: &mut [f32],
) {
    assert!(grad.len() == param.len() && m.len() == param.len() && v.len() == param.len());
    let (s, a) = (*s, *a);
    for (((p, g), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
        let g = *g * s.grad + s.l2 * *p;
        *m = flush(*m + a.new1 * (g - *m));
        *v = flush(a.beta2 * *v + a.new2 * g * g);
        *p = *p * s.keep - a.step * (*m / (v.sqrt() + a.eps));
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn scale_body<A: Arith>(s: f32, update: &mut [f32]) {
    update.iter_mut().for_each(|u| *u *= s);
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn clip_body<A: Arith>(limit: f32, update: &mut [f32]) {
    update.iter_mut().for_each(|u| *u = u.clamp(-limit, limit));
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn add_body<A: Arith>(lambda: f32, update: &mut [f32], x: &[f32]) {
    assert!(x.len() == update.len());
    for (u, x) in update.iter_mut().zip(x) {
        *u += lambda * *x;
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn accumulate_body<A: Arith>(mu: f32, nesterov: bool, update: &mut [f32], buf: &mut [f32]) {
    assert!(buf.len() == update.len());
    for (u, b) in update.iter_mut().zip(buf) {
        *b = flush(mu * *b + *u);
        *u = if nesterov { *u + mu * *b } else { *b };
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn adam_direction_body<A: Arith>(a: &AdamScale, update: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    assert!(m.len() == update.len() && v.len() == update.len());
    let a = *a;
    for ((u, m), v) in update.iter_mut().zip(m).zip(v) {
        *m = flush(*m + a.new1 * (*u - *m));
        *v = flush(a.beta2 * *v + a.new2 * *u * *u);
        *u = a.step * (*m / (v.sqrt() + a.eps));
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn average_body<A: Arith>(share: f32, average: &mut [f32], param: &[f32]) {
    assert!(average.len() == param.len());
    for (x, p) in average.iter_mut().zip(param) {
        *x += share * (*p - *x);
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn pull_body<A: Arith>(share: f32, slow: &mut [f32], param: &mut [f32]) {
    assert!(slow.len() == param.len());
    for (x, p) in slow.iter_mut().zip(param) {
        *x += share * (*p - *x);
        *p = *x;
    }
}

#[allow(clippy::extra_unused_type_parameters)]
#[inline(always)]
fn sum_squares_body<A: Arith>(x: &[f32], out: &mut [f64]) {
    for (block, out) in x.chunks(NORM_BLOCK).zip(out) {
        *out = block_squares(block);
    }
}

/// Four rows of 16 lanes at a time, so that the additions of a row do not wait for those of the row before.
#[inline(always)]
fn block_squares(block: &[f32]) -> f64 {
    let [mut a, mut b, mut c, mut d] = [[0f32; 16]; 4];
    let (groups, rest) = block.as_chunks::<64>();
    let mut last = [0f32; 64];
    last[..rest.len()].copy_from_slice(rest);
    for group in groups.iter().chain([&last]) {
        let rows = group.as_chunks::<16>().0;
        add_squares(&mut a, &rows[0]);
        add_squares(&mut b, &rows[1]);
        add_squares(&mut c, &rows[2]);
        add_squares(&mut d, &rows[3]);
    }
    fold(&[a, b, c, d])
}

#[inline(always)]
fn add_squares(sums: &mut [f32; 16], row: &[f32; 16]) {
    for i in 0..16 {
        sums[i] += row[i] * row[i];
    }
}

/// Apart from the loop, or the compiler arranges the loop's lanes for this sum and not for the loads.
#[inline(never)]
fn fold([a, b, c, d]: &[[f32; 16]; 4]) -> f64 {
    let mut lanes = [0f64; 16];
    for i in 0..16 {
        lanes[i] = f64::from((a[i] + c[i]) + (b[i] + d[i]));
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// Sum of squares on one thread: the blocks of [`sum_squares_blocks`] added in order.
pub fn sum_squares(x: &[f32]) -> f64 {
    let mut total = 0.0;
    let mut sums = [0f64; 64];
    for part in x.chunks(64 * NORM_BLOCK) {
        let n_blocks = part.len().div_ceil(NORM_BLOCK);
        sum_squares_blocks(part, &mut sums[..n_blocks]);
        for sum in &sums[..n_blocks] {
            total += sum;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Unfused;

    /// A vector with many magnitudes and both signs.
    fn vector(n: usize, salt: u32) -> Vec<f32> {
        (0..n as u32)
            .map(|i| {
                let [a, b, ..] = crate::philox::philox4x32([salt, 1], [i, 0, 0, 0]);
                (a as f32 / u32::MAX as f32 - 0.5) * [1.0, 1e-3, 30.0, 1e-6][b as usize % 4]
            })
            .collect()
    }

    const SCALE: Scale = Scale { lr: 0.03, grad: 0.7, l2: 0.02, keep: 0.995 };

    fn adam_scale() -> AdamScale {
        AdamScale::new(0.03, [0.9, 0.99], 1e-8, Some(3))
    }

    type Vectors = [Vec<f32>; 4];

    fn vectors(n: usize) -> Vectors {
        let [p, g, m] = [1, 2, 3].map(|salt| vector(n, salt));
        let v = vector(n, 4).iter().map(|x| x * x).collect();
        [p, g, m, v]
    }

    type Pass = fn(&mut [f32], &[f32], &mut [f32], &mut [f32]);

    /// Each pass as dispatched, beside the same body compiled for the build's own target.
    const PASSES: [(Pass, Pass); 4] = [
        (|p, g, _, _| sgd(&SCALE, p, g), |p, g, _, _| sgd_body::<Unfused>(&SCALE, p, g)),
        (
            |p, g, b, _| momentum(&SCALE, 0.9, p, g, b),
            |p, g, b, _| momentum_body::<Unfused>(&SCALE, 0.9, p, g, b),
        ),
        (
            |p, g, b, _| nesterov(&SCALE, 0.9, p, g, b),
            |p, g, b, _| nesterov_body::<Unfused>(&SCALE, 0.9, p, g, b),
        ),
        (
            |p, g, m, v| adam(&SCALE, &adam_scale(), p, g, m, v),
            |p, g, m, v| adam_body::<Unfused>(&SCALE, &adam_scale(), p, g, m, v),
        ),
    ];

    fn bits(vectors: &Vectors) -> Vec<u32> {
        vectors.iter().flatten().map(|x| x.to_bits()).collect()
    }

    #[test]
    fn the_same_bits_on_every_instruction_set_and_however_cut() {
        for (fast, plain) in PASSES {
            for n in [0, 1, 7, 15, 16, 17, 33, 1000] {
                let [mut whole, mut reference, mut cut] = std::array::from_fn(|_| vectors(n));
                let [p, g, m, v] = &mut whole;
                fast(p, g, m, v);
                let [p, g, m, v] = &mut reference;
                plain(p, g, m, v);
                let [p, g, m, v] = &mut cut;
                for at in (0..n).step_by(13) {
                    let r = at..(at + 13).min(n);
                    fast(&mut p[r.clone()], &g[r.clone()], &mut m[r.clone()], &mut v[r]);
                }
                assert_eq!(bits(&whole), bits(&reference), "n = {n}");
                assert_eq!(bits(&whole), bits(&cut), "n = {n}");
            }
        }
    }

    /// One element in f64, in PyTorch's order of operations.
    fn adam_reference(theta: f64, g: f64, m: f64, v: f64) -> [f64; 3] {
        let g = g * f64::from(SCALE.grad) + f64::from(SCALE.l2) * theta;
        let (m, v) = (0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g);
        let root = v.sqrt() / (1.0 - 0.99f64.powi(3)).sqrt();
        let step = 0.03 / (1.0 - 0.9f64.powi(3));
        [theta * f64::from(SCALE.keep) - step * m / (root + 1e-8), m, v]
    }

    #[test]
    fn adam_follows_the_formula() {
        let [p0, g0, m0, v0] = vectors(500);
        let [mut p, g, mut m, mut v] = vectors(500);
        adam(&SCALE, &adam_scale(), &mut p, &g, &mut m, &mut v);
        for i in 0..500 {
            let [wp, wm, wv] = adam_reference(p0[i].into(), g0[i].into(), m0[i].into(), v0[i].into());
            let close =
                |x: f32, w: f64, size: f32| (f64::from(x) - w).abs() <= 4e-7 * f64::from(size.abs()) + 1e-30;
            let m_parts = 0.9 * m0[i].abs() + 0.1 * (g0[i].abs() + 0.02 * p0[i].abs());
            let step_parts = 0.03 / (1.0 - 0.9f32.powi(3)) * m_parts / v[i].sqrt();
            assert!(close(p[i], wp, p0[i].abs() + step_parts), "{i}: {} {wp}", p[i]);
            assert!(close(m[i], wm, m_parts), "{i}: {} {wm}", m[i]);
            assert!(close(v[i], wv, v[i]), "{i}: {} {wv}", v[i]);
        }
    }

    #[test]
    fn without_correction_the_first_adam_step_is_smaller() {
        let a = AdamScale::new(1.0, [0.9, 0.999], 1e-8, None);
        let (mut p, mut m, mut v) = ([0f32], [0f32], [0f32]);
        adam(&Scale { lr: 1.0, grad: 1.0, l2: 0.0, keep: 1.0 }, &a, &mut p, &[2.0], &mut m, &mut v);
        // -(0.1 g) / sqrt(0.001 g^2), free of g.
        assert!((p[0] + 0.1 / 0.001f32.sqrt()).abs() < 1e-5, "{}", p[0]);
    }

    #[test]
    fn state_without_gradient_ends_at_zero() {
        let (mut p, mut b, mut m, mut v) = ([1f32], [1e-3f32], [1e-3f32], [1e-6f32]);
        for _ in 0..100_000 {
            momentum(&SCALE, 0.9, &mut p, &[0.0], &mut b);
            adam(&Scale { l2: 0.0, ..SCALE }, &adam_scale(), &mut p, &[0.0], &mut m, &mut v);
            p[0] = 0.0;
        }
        assert_eq!([b[0], m[0], v[0]], [0.0; 3]);
    }

    #[test]
    fn the_norm_is_right_and_free_of_threads_and_instruction_sets() {
        for n in [0, 1, 63, 64, 65, 4095, 4096, 4097, 300_000] {
            let x = vector(n, 9);
            let total = sum_squares(&x);
            let want: f64 = x.iter().map(|x| f64::from(*x).powi(2)).sum();
            assert!((total - want).abs() <= 1e-6 * want, "{n}: {total} {want}");
            let n_blocks = n.div_ceil(NORM_BLOCK);
            let (mut whole, mut parts, mut plain) =
                (vec![0.0; n_blocks], vec![0.0; n_blocks], vec![0.0; n_blocks]);
            sum_squares_blocks(&x, &mut whole);
            sum_squares_body::<Unfused>(&x, &mut plain);
            let cut = n_blocks / 3;
            let (low, high) = parts.split_at_mut(cut);
            sum_squares_blocks(&x[..cut * NORM_BLOCK], low);
            sum_squares_blocks(&x[cut * NORM_BLOCK..], high);
            assert_eq!(whole, parts);
            assert_eq!(whole, plain);
            assert_eq!(total.to_bits(), whole.iter().fold(0.0, |a: f64, b| a + b).to_bits());
        }
    }
}
