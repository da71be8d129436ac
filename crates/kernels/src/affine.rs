//! `scale · x + shift` over rows of bytes or numbers, with a pair of values for each place or a repeated pattern.

#![allow(clippy::extra_unused_type_parameters)] // nothing here is fused, whatever the instruction set

use crate::isa::Arith;

/// What a byte of 1 counts: bytes stand for 0 to 1.
pub const BYTE_UNIT: f32 = 1.0 / 255.0;

/// Length of a repeated pattern: a multiple of 1, 2, 3, 4, 6, 8, 12, 16, 24 and 48 channels, and of every vector's
/// length, so that the loop over it has no remainder.
pub const PATTERN: usize = 48;

crate::multiversion! {
    /// `out[i] = x[i] · scale[i mod n] + shift[i mod n]` for bytes that count [`BYTE_UNIT`] each, where n is the common
    /// length of scale and shift. Each operation rounds, so the bits are the same on every instruction set. Fastest
    /// where n is [`PATTERN`] or the length of `x`.
    ///
    /// # Panics
    /// When `out` is not as long as `x`, or `shift` not as long as `scale`, or these are empty.
    pub fn affine_bytes(x: &[u8], scale: &[f32], shift: &[f32], out: &mut [f32]) = bytes_body;

    /// [`affine_bytes`] for numbers.
    pub fn affine_numbers(x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) = numbers_body;

    /// [`affine_bytes`] for numbers that stay where they are.
    pub fn affine_in_place(x: &mut [f32], scale: &[f32], shift: &[f32]) = in_place_body;
}

#[inline(always)]
fn bytes_body<A: Arith>(x: &[u8], scale: &[f32], shift: &[f32], out: &mut [f32]) {
    body(x, scale, shift, out, |b| f32::from(b) * BYTE_UNIT);
}

#[inline(always)]
fn numbers_body<A: Arith>(x: &[f32], scale: &[f32], shift: &[f32], out: &mut [f32]) {
    body(x, scale, shift, out, |x| x);
}

#[inline(always)]
fn body<T: Copy>(x: &[T], scale: &[f32], shift: &[f32], out: &mut [f32], number: impl Fn(T) -> f32 + Copy) {
    assert!(
        x.len() == out.len() && scale.len() == shift.len() && !scale.is_empty(),
        "lengths of an affine map"
    );
    if let (Ok(s), Ok(t)) = (<&[f32; PATTERN]>::try_from(scale), <&[f32; PATTERN]>::try_from(shift)) {
        let (mut blocks, mut outs) = (x.chunks_exact(PATTERN), out.chunks_exact_mut(PATTERN));
        for (x, out) in (&mut blocks).zip(&mut outs) {
            for i in 0..PATTERN {
                out[i] = number(x[i]) * s[i] + t[i];
            }
        }
        return one(blocks.remainder(), s, t, outs.into_remainder(), number);
    }
    for (x, out) in x.chunks(scale.len()).zip(out.chunks_mut(scale.len())) {
        one(x, scale, shift, out, number);
    }
}

#[inline(always)]
fn one<T: Copy>(x: &[T], scale: &[f32], shift: &[f32], out: &mut [f32], number: impl Fn(T) -> f32) {
    for (((out, x), s), t) in out.iter_mut().zip(x).zip(scale).zip(shift) {
        *out = number(*x) * s + t;
    }
}

#[inline(always)]
fn in_place_body<A: Arith>(x: &mut [f32], scale: &[f32], shift: &[f32]) {
    assert!(scale.len() == shift.len() && !scale.is_empty(), "lengths of an affine map");
    if let (Ok(s), Ok(t)) = (<&[f32; PATTERN]>::try_from(scale), <&[f32; PATTERN]>::try_from(shift)) {
        let mut blocks = x.chunks_exact_mut(PATTERN);
        for x in &mut blocks {
            for i in 0..PATTERN {
                x[i] = x[i] * s[i] + t[i];
            }
        }
        let rest = blocks.into_remainder();
        return rest.iter_mut().zip(s).zip(t).for_each(|((x, s), t)| *x = *x * s + t);
    }
    for x in x.chunks_mut(scale.len()) {
        x.iter_mut().zip(scale).zip(shift).for_each(|((x, s), t)| *x = *x * s + t);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_pattern_is_the_definition() {
        for (n, width) in [(1, 100), (3, 99), (48, 48), (48, 47), (48, 784), (48, 3072), (200, 200), (5, 21)]
        {
            let x: Vec<u8> = (0..width).map(|i| (i * 37 % 256) as u8).collect();
            let scale: Vec<f32> = (0..n).map(|i| 0.1 + i as f32 * 0.3).collect();
            let shift: Vec<f32> = (0..n).map(|i| i as f32 * 0.7 - 3.0).collect();
            let numbers: Vec<f32> = x.iter().map(|&b| f32::from(b) * BYTE_UNIT).collect();
            let want: Vec<f32> = (0..width).map(|i| numbers[i] * scale[i % n] + shift[i % n]).collect();
            let (mut a, mut b, mut c) = (vec![f32::NAN; width], vec![f32::NAN; width], numbers.clone());
            affine_bytes(&x, &scale, &shift, &mut a);
            affine_numbers(&numbers, &scale, &shift, &mut b);
            affine_in_place(&mut c, &scale, &shift);
            assert!(a == want && b == want && c == want, "pattern of {n}, row of {width}");
        }
    }
}
