//! f32 loops on slices: matrix products, element-wise programs, reductions, optimiser passes, threads; knows no graph.

pub mod channels;
pub mod conv;
pub mod gemm;
pub mod isa;
pub mod map;
pub mod math;
pub mod philox;
pub mod pool;
mod simd;
pub mod update;
pub mod views;
