//! The vector operations that the matrix product is written in, one implementation per instruction set.

#![allow(unsafe_op_in_unsafe_fn)] // every line of these files is such an operation; the contract is the trait's
#![allow(clippy::needless_range_loop)] // counters keep vectors in registers, iterators do not

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod portable;

/// Vectors of f32 and what a tile does with them.
///
/// # Safety
/// Every method requires that the machine has the instruction set, and that pointers are valid for
/// the lanes touched: all of them, or those that the mask keeps.
pub(crate) trait Simd: Copy + 'static {
    /// f32 per vector.
    const LANES: usize;
    /// One vector.
    type V: Copy;
    /// Chooses the first few lanes.
    type Mask: Copy;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    /// Keeps the first `n <= LANES` lanes.
    unsafe fn mask(n: usize) -> Self::Mask;
    /// Lanes not kept are zero.
    unsafe fn load_masked(p: *const f32, m: Self::Mask) -> Self::V;
    unsafe fn store_masked(p: *mut f32, v: Self::V, m: Self::Mask);
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// Zero where negative; NaN stays.
    unsafe fn relu(v: Self::V) -> Self::V;
    /// `v` where `gate > 0`, else zero.
    unsafe fn gate(v: Self::V, gate: Self::V) -> Self::V;
    /// `b` where `x > best` or `x` is NaN, else `a`.
    unsafe fn newer(best: Self::V, x: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// `x` where `x > best` or `x` is NaN, else `best`.
    #[inline(always)]
    unsafe fn larger(best: Self::V, x: Self::V) -> Self::V {
        Self::newer(best, x, best, x)
    }
    /// `v` where `a == b`, else zero.
    unsafe fn where_equal(a: Self::V, b: Self::V, v: Self::V) -> Self::V;

    /// `dst[i][r] = src[r][i]` for `r < rows <= LANES`, `i < cols`; lanes that `keep` drops are not
    /// written, kept lanes from `rows` on hold anything.
    #[inline(always)]
    unsafe fn transpose(src: Block, rows: usize, cols: usize, dst: BlockMut, keep: Self::Mask) {
        transpose_scalar::<Self>(src, rows, 0, cols, dst, keep)
    }

    /// `dst[i][r] = rows[r][i]` for `i < lanes`: vectors become columns.
    #[inline(always)]
    unsafe fn store_columns<const R: usize>(rows: [Self::V; R], lanes: usize, dst: BlockMut) {
        let mut lines = [[0.0f32; 16]; R];
        for r in 0..R {
            Self::store(lines[r].as_mut_ptr(), rows[r]);
        }
        let mut r = 0;
        while r < R {
            let n = Self::LANES.min(R - r);
            let from = Block { ptr: lines[r].as_ptr(), stride: 16 };
            let to = BlockMut { ptr: dst.ptr.add(r), ..dst };
            Self::transpose(from, n, lanes, to, Self::mask(n));
            r += n;
        }
    }
}

/// Compiles a body that is generic in [`Simd`] once per instruction set, and runs the one in use.
///
/// The function is safe to call where its body is, given that the machine has the instruction set.
macro_rules! simd_versions {
    ($($(#[$meta:meta])* $vis:vis unsafe fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $body:ident;)+) => {$(
        $(#[$meta])*
        $vis unsafe fn $name($($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<$crate::simd::avx512::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $body::<$crate::simd::avx2::Avx2>($($arg),*) }
            }
            // SAFETY: the caller's promise; `isa` names only what the machine was found to have.
            unsafe {
                match $crate::isa::isa() {
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Isa::Avx512 => avx512($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Isa::Avx2 => avx2($($arg),*),
                    #[cfg(target_arch = "aarch64")]
                    $crate::isa::Isa::Neon => $body::<$crate::simd::neon::Neon>($($arg),*),
                    _ => $body::<$crate::simd::portable::Portable>($($arg),*),
                }
            }
        }
    )+};
}
pub(crate) use simd_versions;

/// Calls `f(first, lanes)` for each vector of `0..len`; `lanes` is a mask where the last is not whole.
///
/// # Safety
/// The machine has the instruction set; `f` must be sound for these lanes.
#[inline(always)]
pub(crate) unsafe fn each_vector<S: Simd>(len: usize, mut f: impl FnMut(usize, Option<S::Mask>)) {
    let mut at = 0;
    while at + S::LANES <= len {
        f(at, None);
        at += S::LANES;
    }
    if at < len {
        f(at, Some(S::mask(len - at)));
    }
}

/// Lanes from memory: all of them, or those of a mask.
///
/// # Safety
/// As for [`Simd::load`] and [`Simd::load_masked`].
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(p: *const f32, lanes: Option<S::Mask>) -> S::V {
    match lanes {
        None => S::load(p),
        Some(mask) => S::load_masked(p, mask),
    }
}

/// Lanes to memory: all of them, or those of a mask.
///
/// # Safety
/// As for [`Simd::store`] and [`Simd::store_masked`].
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(p: *mut f32, v: S::V, lanes: Option<S::Mask>) {
    match lanes {
        None => S::store(p, v),
        Some(mask) => S::store_masked(p, v, mask),
    }
}

/// Rows of f32 to read, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    pub ptr: *const f32,
    pub stride: usize,
}

/// Rows of f32 to write, `stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct BlockMut {
    pub ptr: *mut f32,
    pub stride: usize,
}

/// [`Simd::transpose`] for columns `from..to`, one element at a time.
#[inline(always)]
pub(crate) unsafe fn transpose_scalar<S: Simd>(
    src: Block,
    rows: usize,
    from: usize,
    to: usize,
    dst: BlockMut,
    keep: S::Mask,
) {
    let mut line = [0.0f32; 16];
    for i in from..to {
        for (r, x) in line.iter_mut().enumerate().take(rows) {
            *x = *src.ptr.add(r * src.stride + i);
        }
        S::store_masked(dst.ptr.add(i * dst.stride), S::load(line.as_ptr()), keep);
    }
}
