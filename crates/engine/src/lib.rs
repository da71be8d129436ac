//! Shapes, graph, operators, differentiation, plan and executor, reference, random numbers; does no I/O.

pub mod rng;
