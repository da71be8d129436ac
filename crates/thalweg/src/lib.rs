//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod config;
pub mod data;

pub use engine;

pub mod init;
pub mod layers;
pub mod model;
pub mod optim;
pub mod registry;
pub mod schedule;
pub mod source;
mod tagged;
pub mod train;
