//! f32 loops on slices: matrix products, element-wise programs, reductions, optimiser passes, threads; knows no graph.

pub mod philox;
pub mod pool;
pub mod update;
