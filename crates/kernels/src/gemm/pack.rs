//! Copies operands into the order in which tiles read them.

#![allow(unsafe_op_in_unsafe_fn)] // pointer loops throughout; bounds were checked by `gemm`

use crate::simd::{Block, BlockMut, Simd};

/// Element (i, j) is `ptr[i * rs + j * cs]`: a [`super::Mat`] whose bounds were checked.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub ptr: *const f32,
    pub rs: usize,
    pub cs: usize,
    /// Where the data ends.
    pub end: *const f32,
}

impl View {
    /// The view from element (i, j) on.
    #[inline(always)]
    pub unsafe fn at(self, i: usize, j: usize) -> View {
        View { ptr: self.ptr.add(i * self.rs + j * self.cs), ..self }
    }

    /// How many of `rows` rows, each read `wide` floats wide, stay within the data.
    #[inline(always)]
    pub fn readable_rows(self, rows: usize, wide: usize) -> usize {
        let floats = (self.end as usize - self.ptr as usize) / size_of::<f32>();
        if floats < wide {
            return 0;
        }
        rows.min((floats - wide).checked_div(self.rs).map_or(rows, |n| n + 1))
    }

    pub fn transposed(self) -> View {
        View { rs: self.cs, cs: self.rs, ..self }
    }
}

/// `dst[k][j] = b[k][j]` for `j < width`, rows `vectors` vectors wide; missing lanes hold anything.
#[inline(always)]
pub(crate) unsafe fn pack_panel<S: Simd>(b: View, k: usize, width: usize, vectors: usize, dst: *mut f32) {
    let wide = vectors * S::LANES;
    let last = width - (vectors - 1) * S::LANES;
    if b.cs == 1 {
        let mask = S::mask(last);
        for i in 0..k {
            let (from, to) = (b.ptr.add(i * b.rs), dst.add(i * wide));
            for v in 0..vectors - 1 {
                S::store(to.add(v * S::LANES), S::load(from.add(v * S::LANES)));
            }
            let v = vectors - 1;
            S::store(to.add(v * S::LANES), S::load_masked(from.add(v * S::LANES), mask));
        }
    } else if b.rs == 1 {
        for v in 0..vectors {
            let lanes = if v + 1 < vectors { S::LANES } else { last };
            let from = Block { ptr: b.ptr.add(v * S::LANES * b.cs), stride: b.cs };
            let to = BlockMut { ptr: dst.add(v * S::LANES), stride: wide };
            S::transpose(from, lanes, k, to, S::mask(S::LANES));
        }
    } else {
        for i in 0..k {
            for j in 0..width {
                *dst.add(i * wide + j) = *b.ptr.add(i * b.rs + j * b.cs);
            }
        }
    }
}
