//! The products compared, each called the way its crate wants it, on one thread.

use crate::Shape;
use std::cell::RefCell;
use std::ptr::null;

/// One implementation.
pub struct Candidate {
    pub name: &'static str,
    pub run: fn(Shape, &[f32], &[f32], &mut [f32]),
}

/// Ours first.
pub const CANDIDATES: [Candidate; 5] = [
    Candidate { name: "ours", run: ours },
    Candidate { name: "gemm", run: gemm },
    Candidate { name: "gemmkit", run: gemmkit },
    Candidate { name: "private-gemm-x86", run: private_gemm },
    Candidate { name: "matrixmultiply", run: matrixmultiply },
];

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = RefCell::new(vec![0.0; kernels::gemm::scratch_len(1024, 1024, 1024)]);
}

fn ours(s: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    use kernels::gemm::{Epilogue, Mat, Part, gemm};
    let a = Mat { data: a, row_stride: s.a.0, col_stride: s.a.1 };
    let b = Mat { data: b, row_stride: s.b.0, col_stride: s.b.1 };
    SCRATCH.with_borrow_mut(|scratch| {
        gemm(s.m, s.n, c, s.n, &[Part { a, b, k: s.k }], false, Epilogue::default(), scratch);
    });
}

fn gemm(s: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    // SAFETY: the slices hold what the shape says.
    unsafe {
        gemm::gemm(
            s.m,
            s.n,
            s.k,
            c.as_mut_ptr(),
            1,
            s.n as isize,
            false,
            a.as_ptr(),
            s.a.1 as isize,
            s.a.0 as isize,
            b.as_ptr(),
            s.b.1 as isize,
            s.b.0 as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn gemmkit(s: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    // SAFETY: the slices hold what the shape says.
    unsafe {
        gemmkit::gemm_unchecked(
            s.m,
            s.k,
            s.n,
            1.0f32,
            a.as_ptr(),
            s.a.0 as isize,
            s.a.1 as isize,
            b.as_ptr(),
            s.b.0 as isize,
            s.b.1 as isize,
            0.0,
            c.as_mut_ptr(),
            s.n as isize,
            1,
            gemmkit::Parallelism::Serial,
        );
    }
}

fn private_gemm(s: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    use private_gemm_x86::{Accum, DType, DstKind, IType, InstrSet, gemm};
    // SAFETY: the slices hold what the shape says; the peak's measurement saw AVX-512.
    unsafe {
        gemm(
            DType::F32,
            IType::U32,
            InstrSet::Avx512,
            s.m,
            s.n,
            s.k,
            c.as_mut_ptr().cast(),
            s.n as isize,
            1,
            null(),
            null(),
            DstKind::Full,
            Accum::Replace,
            a.as_ptr().cast(),
            s.a.0 as isize,
            s.a.1 as isize,
            false,
            null(),
            0,
            b.as_ptr().cast(),
            s.b.0 as isize,
            s.b.1 as isize,
            false,
            (&raw const ONE).cast(),
            1,
        );
    }
}

static ONE: f32 = 1.0;

fn matrixmultiply(s: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    // SAFETY: the slices hold what the shape says.
    unsafe {
        matrixmultiply::sgemm(
            s.m,
            s.k,
            s.n,
            1.0,
            a.as_ptr(),
            s.a.0 as isize,
            s.a.1 as isize,
            b.as_ptr(),
            s.b.0 as isize,
            s.b.1 as isize,
            0.0,
            c.as_mut_ptr(),
            s.n as isize,
            1,
        );
    }
}
