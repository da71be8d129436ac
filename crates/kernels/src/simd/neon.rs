//! Advanced SIMD on aarch64: four lanes, partial vectors through memory.

use super::Simd;
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(crate) struct Neon;

impl Simd for Neon {
    const LANES: usize = 4;
    type V = float32x4_t;
    type Mask = usize;

    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        vdupq_n_f32(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> float32x4_t {
        vld1q_f32(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: float32x4_t) {
        vst1q_f32(p, v)
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> usize {
        n
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const f32, m: usize) -> float32x4_t {
        let mut line = [0.0f32; 4];
        std::ptr::copy_nonoverlapping(p, line.as_mut_ptr(), m);
        vld1q_f32(line.as_ptr())
    }
    #[inline(always)]
    unsafe fn store_masked(p: *mut f32, v: float32x4_t, m: usize) {
        let mut line = [0.0f32; 4];
        vst1q_f32(line.as_mut_ptr(), v);
        std::ptr::copy_nonoverlapping(line.as_ptr(), p, m);
    }
    #[inline(always)]
    unsafe fn fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        vfmaq_f32(c, a, b)
    }
    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        vaddq_f32(a, b)
    }
    #[inline(always)]
    unsafe fn relu(v: float32x4_t) -> float32x4_t {
        let zero = vdupq_n_f32(0.0);
        vbslq_f32(vcltq_f32(v, zero), zero, v)
    }
    #[inline(always)]
    unsafe fn gate(v: float32x4_t, gate: float32x4_t) -> float32x4_t {
        let zero = vdupq_n_f32(0.0);
        vbslq_f32(vcgtq_f32(gate, zero), v, zero)
    }
    #[inline(always)]
    unsafe fn newer(best: float32x4_t, x: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        let is_number = vceqq_f32(x, x);
        vbslq_f32(vornq_u32(vcgtq_f32(x, best), is_number), b, a)
    }
    #[inline(always)]
    unsafe fn where_equal(a: float32x4_t, b: float32x4_t, v: float32x4_t) -> float32x4_t {
        vbslq_f32(vceqq_f32(a, b), v, vdupq_n_f32(0.0))
    }
}
