//! Vectors as arrays, for the compiler to vectorize with what the target's baseline has.

use super::{Block, BlockMut, Simd, transpose_scalar};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

const N: usize = 4;

impl Simd for Portable {
    const LANES: usize = N;
    type V = [f32; N];
    type Mask = usize;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; N]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        p.cast::<Self::V>().read_unaligned()
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        p.cast::<Self::V>().write_unaligned(v)
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> usize {
        n
    }
    #[inline(always)]
    unsafe fn load_masked(p: *const f32, m: usize) -> Self::V {
        if m == N { Self::load(p) } else { load_some(p, m) }
    }
    #[inline(always)]
    unsafe fn store_masked(p: *mut f32, v: Self::V, m: usize) {
        if m == N { Self::store(p, v) } else { store_some(p, v, m) }
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn relu(v: Self::V) -> Self::V {
        v.map(|x| if x < 0.0 { 0.0 } else { x })
    }
    #[inline(always)]
    unsafe fn gate(v: Self::V, gate: Self::V) -> Self::V {
        std::array::from_fn(|i| if gate[i] > 0.0 { v[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn newer(best: Self::V, x: Self::V, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if x[i] > best[i] || x[i].is_nan() { b[i] } else { a[i] })
    }
    #[inline(always)]
    unsafe fn where_equal(a: Self::V, b: Self::V, v: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] == b[i] { v[i] } else { 0.0 })
    }
    #[inline(never)]
    unsafe fn transpose(src: Block, rows: usize, cols: usize, dst: BlockMut, keep: usize) {
        transpose_scalar::<Self>(src, rows, 0, cols, dst, keep)
    }
}

// Calls, as `transpose` is, so that no loop over single lanes is unrolled into every tile.
#[inline(never)]
unsafe fn load_some(p: *const f32, m: usize) -> [f32; N] {
    let mut v = [0.0; N];
    v.as_mut_ptr().copy_from_nonoverlapping(p, m.min(N));
    v
}
#[inline(never)]
unsafe fn store_some(p: *mut f32, v: [f32; N], m: usize) {
    p.copy_from_nonoverlapping(v.as_ptr(), m.min(N))
}
