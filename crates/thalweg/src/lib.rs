//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod config;
pub mod data;

pub use {engine, record};

pub mod init;
pub mod labs;
pub mod layers;
pub mod model;
pub mod optim;
pub mod registry;
pub mod runs;
pub mod schedule;
mod tagged;
pub mod train;
