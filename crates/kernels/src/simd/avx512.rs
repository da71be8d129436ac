//! AVX-512: sixteen lanes, masks in registers.

use super::{Block, BlockMut, Simd, transpose_scalar};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx512;

impl Simd for Avx512 {
    const LANES: usize = 16;
    type V = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        _mm512_set1_ps(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        _mm512_loadu_ps(p)
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: __m512) {
        _mm512_storeu_ps(p, v)
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __mmask16 {
        ((1u32 << n) - 1) as __mmask16
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const f32, m: __mmask16) -> __m512 {
        _mm512_maskz_loadu_ps(m, p)
    }
    #[inline(always)]
    unsafe fn store_masked(p: *mut f32, v: __m512, m: __mmask16) {
        _mm512_mask_storeu_ps(p, m, v)
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        _mm512_fmadd_ps(a, b, c)
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        _mm512_add_ps(a, b)
    }
    #[inline(always)]
    unsafe fn relu(v: __m512) -> __m512 {
        // The instruction returns its second operand when either is NaN or both are zero.
        _mm512_max_ps(_mm512_setzero_ps(), v)
    }
    #[inline(always)]
    unsafe fn gate(v: __m512, gate: __m512) -> __m512 {
        _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate, _mm512_setzero_ps()), v)
    }
    #[inline(always)]
    unsafe fn newer(best: __m512, x: __m512, a: __m512, b: __m512) -> __m512 {
        let larger = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, best);
        _mm512_mask_blend_ps(larger | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x), a, b)
    }
    #[inline(always)]
    unsafe fn larger(best: __m512, x: __m512) -> __m512 {
        // The instruction returns its second operand when either is NaN or both are zero.
        let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        _mm512_mask_mov_ps(_mm512_max_ps(x, best), is_nan, x)
    }
    #[inline(always)]
    unsafe fn where_equal(a: __m512, b: __m512, v: __m512) -> __m512 {
        _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), v)
    }
    /// Four columns of sixteen rows at a time: the loads put rows r, r+4, r+8, r+12 side by side, then
    /// each 128-bit quarter is a 4x4 transpose.
    #[inline(always)]
    unsafe fn transpose(src: Block, rows: usize, cols: usize, dst: BlockMut, keep: __mmask16) {
        let mut row = [src.ptr; 16];
        for (r, p) in row.iter_mut().enumerate() {
            *p = src.ptr.add(r.min(rows - 1) * src.stride);
        }
        let whole = cols & !3;
        let mut i = 0;
        while i < whole {
            let (a, b) = (quarters(&row, 0, i), quarters(&row, 1, i));
            let (c, d) = (quarters(&row, 2, i), quarters(&row, 3, i));
            let out = transpose_in_quarters(a, b, c, d);
            for j in 0..4 {
                _mm512_mask_storeu_ps(dst.ptr.add((i + j) * dst.stride), keep, out[j]);
            }
            i += 4;
        }
        transpose_scalar::<Self>(src, rows, whole, cols, dst, keep)
    }

    /// Four rows at a time become 4x4 transposes in each quarter, then the quarters change places.
    #[inline(always)]
    unsafe fn store_columns<const R: usize>(rows: [__m512; R], lanes: usize, dst: BlockMut) {
        let zero = _mm512_setzero_ps();
        let mut groups = [[zero; 4]; 4];
        for g in 0..R.div_ceil(4) {
            let mut four = [zero; 4];
            for r in 0..4 {
                if 4 * g + r < R {
                    four[r] = rows[4 * g + r];
                }
            }
            groups[g] = transpose_in_quarters(four[0], four[1], four[2], four[3]);
        }
        let keep = Self::mask(R);
        for j in 0..4 {
            let (a, b, c, d) = (groups[0][j], groups[1][j], groups[2][j], groups[3][j]);
            let (ab_even, ab_odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
            let (cd_even, cd_odd) = (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
            let columns = [
                _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even),
                _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd),
                _mm512_shuffle_f32x4::<0xdd>(ab_even, cd_even),
                _mm512_shuffle_f32x4::<0xdd>(ab_odd, cd_odd),
            ];
            for q in 0..4 {
                if 4 * q + j < lanes {
                    _mm512_mask_storeu_ps(dst.ptr.add((4 * q + j) * dst.stride), keep, columns[q]);
                }
            }
        }
    }
}

/// Four columns of rows r, r+4, r+8, r+12.
#[inline(always)]
unsafe fn quarters(row: &[*const f32; 16], r: usize, i: usize) -> __m512 {
    let mut v = _mm512_castps128_ps512(_mm_loadu_ps(row[r].add(i)));
    v = _mm512_insertf32x4::<1>(v, _mm_loadu_ps(row[r + 4].add(i)));
    v = _mm512_insertf32x4::<2>(v, _mm_loadu_ps(row[r + 8].add(i)));
    _mm512_insertf32x4::<3>(v, _mm_loadu_ps(row[r + 12].add(i)))
}

/// Transposes the 4x4 matrix that four quarters form, in each quarter.
#[inline(always)]
unsafe fn transpose_in_quarters(a: __m512, b: __m512, c: __m512, d: __m512) -> [__m512; 4] {
    let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    [
        _mm512_shuffle_ps::<0x44>(ab_low, cd_low),
        _mm512_shuffle_ps::<0xee>(ab_low, cd_low),
        _mm512_shuffle_ps::<0x44>(ab_high, cd_high),
        _mm512_shuffle_ps::<0xee>(ab_high, cd_high),
    ]
}
