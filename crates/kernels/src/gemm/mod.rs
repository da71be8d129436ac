//! Single-threaded matrix products for the shapes of training, with bits that depend on nothing but the operands.

pub(crate) mod drive;
pub(crate) mod micro;
pub(crate) mod pack;

use crate::sizes::{product, span};
use drive::Job;

/// A matrix in memory: element (i, j) is `data[i * row_stride + j * col_stride]`.
///
/// The transpose is the same data with the strides exchanged.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    /// From element (0, 0) on.
    pub data: &'a [f32],
    /// Floats from one row to the next.
    pub row_stride: usize,
    /// Floats from one column to the next.
    pub col_stride: usize,
}

/// One term of the sum: `a: [m, k]` times `b: [k, n]`.
#[derive(Clone, Copy)]
pub struct Term<'a> {
    /// `[m, k]`
    pub a: Mat<'a>,
    /// `[k, n]`
    pub b: Mat<'a>,
    /// The inner size.
    pub k: usize,
}

/// What is done to each finished element, in this order.
#[derive(Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// `[n]`, added to every row.
    pub bias: Option<&'a [f32]>,
    /// Negative values become zero; NaN stays NaN.
    pub relu: bool,
    /// `[m, n]`, laid out like C: the value is kept where the gate is positive, else zero.
    pub gate: Option<&'a [f32]>,
}

/// Inner length of a block whose panels are packed: they stay well within the second cache level.
/// Longer is better than fitting the first level, since each further block loads and stores C again.
const BLOCK_K: usize = 1024;
/// Inner length of a block whose panels are read in place: their rows lie far apart, and at strides of
/// powers of two they share few places in the caches.
const BLOCK_K_IN_PLACE: usize = 512;
/// Floats in a cache line, to which panels are aligned.
const LINE: usize = 16;
/// Widest panel of any instruction set, in floats.
pub(crate) const MAX_WIDTH: usize = 48;

/// Floats of scratch that [`gemm`] needs for these sizes; `k` is the inner length of all parts together.
///
/// Grows with each argument, so the largest sizes serve all smaller ones.
pub fn scratch_len(m: usize, n: usize, k: usize) -> usize {
    if m == 0 || n == 0 { 0 } else { k.min(BLOCK_K) * MAX_WIDTH + LINE }
}

/// `C = [C +] sum over parts of a * b`, then the epilogue. `c: [m, n]`, rows `ldc` floats apart.
///
/// Each element of C is one chain of fused multiply-adds over k in increasing order, over the parts in
/// order, starting from zero (or from C when accumulating): whatever the tile sizes, the blocking, the
/// orientation and the other rows of the call. So a row computed alone equals the row computed among
/// others, and parts may be cut anywhere. AVX-512, AVX2 and Advanced SIMD agree bit for bit; the portable
/// version rounds each product and differs in last bits.
///
/// C is only read when accumulating. Sizes of zero are legal: no parts, or parts with `k = 0`, sum to
/// zero. Allocates nothing. Cost: `2 m n k` operations.
///
/// # Panics
/// If an operand is shorter than its sizes and strides say, or `scratch` than [`scratch_len`] says.
#[allow(clippy::too_many_arguments)] // the signature of a matrix product
pub fn gemm(
    m: usize,
    n: usize,
    c: &mut [f32],
    ldc: usize,
    parts: &[Term],
    accumulate: bool,
    epilogue: Epilogue,
    scratch: &mut [f32],
) {
    if m == 0 || n == 0 {
        return;
    }
    check(m, n, c, ldc, parts, &epilogue, scratch);
    let swapped = epilogue.gate.is_none() && prefers_swapped(m, n, parts);
    let job = Job { m, n, c: c.as_mut_ptr(), ldc, parts, accumulate, epilogue, swapped };
    // SAFETY: `check` saw that operands, C and scratch hold what the sizes say, for either orientation.
    unsafe { drive::run_on_this_machine(&job, scratch.as_mut_ptr()) }
}

/// Panics unless every index that the product touches exists.
fn check(m: usize, n: usize, c: &[f32], ldc: usize, parts: &[Term], epilogue: &Epilogue, scratch: &[f32]) {
    let reach = |rows: usize, row: usize, cols: usize, col: usize| span(rows, row, span(cols, col, 1));
    let c_len = reach(m, ldc, n, 1);
    assert!(m == 1 || ldc >= n, "gemm: rows of C overlap: ldc is {ldc}, n is {n}");
    assert!(c.len() >= c_len, "gemm: C holds {} floats, [{m}, {n}] by {ldc} needs {c_len}", c.len());
    let mut k = 0usize;
    for (i, part) in parts.iter().enumerate().filter(|(_, part)| part.k > 0) {
        for (name, mat, rows, cols) in [("a", part.a, m, part.k), ("b", part.b, part.k, n)] {
            let need = reach(rows, mat.row_stride, cols, mat.col_stride);
            let have = mat.data.len();
            assert!(
                have >= need,
                "gemm: part {i}: {name} holds {have} floats, [{rows}, {cols}] needs {need}"
            );
        }
        k = part.k.saturating_add(k);
    }
    if let Some(bias) = epilogue.bias {
        assert!(bias.len() >= n, "gemm: bias holds {} floats, n is {n}", bias.len());
    }
    if let Some(gate) = epilogue.gate {
        assert!(gate.len() >= c_len, "gemm: gate holds {} floats, needs {c_len}", gate.len());
    }
    let need = scratch_len(m, n, k);
    assert!(scratch.len() >= need, "gemm: scratch holds {} floats, needs {need}", scratch.len());
}

/// Whether to compute the transpose of C, with B in A's place.
///
/// The operand in B's place is padded to whole vectors, and copied if its columns are not side by side;
/// a transposed C costs a shuffle per element. Costs are in fused multiply-adds, as measured on Zen 5.
fn prefers_swapped(m: usize, n: usize, parts: &[Term]) -> bool {
    let Some(part) = parts.first() else { return false };
    let k = parts.iter().fold(0usize, |k, part| k.saturating_add(part.k));
    let cost = |cols: usize, rows: usize, col_stride: usize, row_stride: usize| {
        let copy = match (col_stride, row_stride) {
            (1, _) => 0,
            (_, 1) => 6,
            _ => 40,
        };
        product(&[cols.next_multiple_of(LINE), k, rows.max(3) + copy])
    };
    let straight = cost(n, m, part.b.col_stride, part.b.row_stride);
    let swapped = cost(m, n, part.a.row_stride, part.a.col_stride);
    swapped.saturating_add(2 * m * n) < straight
}
