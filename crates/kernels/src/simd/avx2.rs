//! AVX2 with FMA: eight lanes, masks as vectors.

use super::{Block, BlockMut, Simd, transpose_scalar};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// Eight kept lanes, then eight dropped ones; a mask is eight of these in a row. No `static`: every unit of code needs
/// the values, so that storing all lanes becomes a plain store.
const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Simd for Avx2 {
    const LANES: usize = 8;
    type V = __m256;
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m256 {
        _mm256_set1_ps(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m256 {
        _mm256_loadu_ps(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m256) {
        _mm256_storeu_ps(p, v)
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast())
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const f32, m: __m256i) -> __m256 {
        _mm256_maskload_ps(p, m)
    }
    #[inline(always)]
    unsafe fn store_masked(p: *mut f32, v: __m256, m: __m256i) {
        // AMD's processors store under a mask in dozens of micro-operations.
        if _mm256_movemask_ps(_mm256_castsi256_ps(m)) == 0xff {
            _mm256_storeu_ps(p, v);
        } else {
            _mm256_maskstore_ps(p, m, v);
        }
    }
    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        _mm256_fmadd_ps(a, b, c)
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        _mm256_add_ps(a, b)
    }
    #[inline(always)]
    unsafe fn relu(v: __m256) -> __m256 {
        // The instruction returns its second operand when either is NaN or both are zero.
        _mm256_max_ps(_mm256_setzero_ps(), v)
    }
    #[inline(always)]
    unsafe fn gate(v: __m256, gate: __m256) -> __m256 {
        _mm256_and_ps(v, _mm256_cmp_ps::<_CMP_GT_OQ>(gate, _mm256_setzero_ps()))
    }
    #[inline(always)]
    unsafe fn newer(best: __m256, x: __m256, a: __m256, b: __m256) -> __m256 {
        let larger = _mm256_cmp_ps::<_CMP_GT_OQ>(x, best);
        _mm256_blendv_ps(a, b, _mm256_or_ps(larger, _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x)))
    }
    #[inline(always)]
    unsafe fn larger(best: __m256, x: __m256) -> __m256 {
        // The instruction returns its second operand when either is NaN or both are zero.
        let is_nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x);
        _mm256_blendv_ps(_mm256_max_ps(x, best), x, is_nan)
    }
    #[inline(always)]
    unsafe fn where_equal(a: __m256, b: __m256, v: __m256) -> __m256 {
        _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b), v)
    }
    /// Four columns of eight rows at a time: the loads put rows r and r+4 side by side, then each half
    /// is a 4x4 transpose.
    #[inline(always)]
    unsafe fn transpose(src: Block, rows: usize, cols: usize, dst: BlockMut, keep: __m256i) {
        let mut row = [src.ptr; 8];
        for (r, p) in row.iter_mut().enumerate() {
            *p = src.ptr.add(r.min(rows - 1) * src.stride);
        }
        let whole = cols & !3;
        let mut i = 0;
        while i < whole {
            let (a, b) = (halves(&row, 0, i), halves(&row, 1, i));
            let (c, d) = (halves(&row, 2, i), halves(&row, 3, i));
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let out = [
                _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
                _mm256_shuffle_ps::<0xee>(ab_low, cd_low),
                _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
            ];
            for (j, v) in out.into_iter().enumerate() {
                Self::store_masked(dst.ptr.add((i + j) * dst.stride), v, keep);
            }
            i += 4;
        }
        transpose_scalar::<Self>(src, rows, whole, cols, dst, keep)
    }
}

/// Four columns of rows r and r+4.
#[inline(always)]
unsafe fn halves(row: &[*const f32; 8], r: usize, i: usize) -> __m256 {
    let low = _mm256_castps128_ps256(_mm_loadu_ps(row[r].add(i)));
    _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(row[r + 4].add(i)))
}
