//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod config;

pub use settings::registry;
pub use {data, engine, record, settings};

pub mod init;
#[cfg(feature = "runs")]
pub mod labs;
pub mod layers;
pub mod model;
pub mod optim;
#[cfg(feature = "runs")]
pub mod runs;
pub mod schedule;
pub mod train;
