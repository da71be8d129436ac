//! Layers, losses, optimisers, schedules, data and training: the library behind the `thalweg` program.

pub mod config;
pub mod data;

pub use engine;

pub mod init;
pub mod layers;
pub mod losses;
pub mod model;
pub mod optim;
pub mod registry;
pub mod schedule;
pub mod source;
mod tagged;
pub mod train;

/// Pages whose blocks of Rust are compiled and run with the tests; `tests/examples.rs` finds a page that is not here.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/src/library.md")]
    struct Library;
}
