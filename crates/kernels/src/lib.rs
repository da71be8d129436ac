//! f32 loops on slices: matrix products, element-wise programs, reductions, optimizer passes; threads and random
//! numbers; knows no graph.

pub mod affine;
pub mod cast;
pub mod channels;
pub mod conv;
pub mod fetch;
pub mod fold;
pub mod gemm;
pub mod half;
pub mod isa;
pub mod map;
#[cfg(feature = "mapped")]
pub mod mapped;
pub mod math;
pub mod permute;
pub mod philox;
pub mod pool;
pub mod resample;
pub mod rng;
mod simd;
mod sizes;
pub mod update;
pub mod views;
pub mod window;
