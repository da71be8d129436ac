//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod config;

pub use {data, engine, settings};
pub use settings::registry;

pub mod init;
pub mod layers;
pub mod model;
pub mod optim;
pub mod schedule;
pub mod train;
