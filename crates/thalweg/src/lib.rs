//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod data;

pub use engine;
