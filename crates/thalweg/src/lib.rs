//! Layers, losses, optimizers, schedules, data and training: the library behind the `thalweg` program.

pub mod baselines;
pub mod config;

pub use settings::registry;
pub use {data, engine, record, settings};

pub mod init;
#[cfg(feature = "runs")]
pub mod labs;
pub mod layers;
pub mod losses;
pub mod model;
pub mod optim;
#[cfg(feature = "runs")]
pub mod runs;
pub mod schedule;
pub mod source;
pub mod train;

/// Pages whose blocks of Rust are compiled and run with the tests; `tests/examples.rs` finds a page that is not here.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/src/library.md")]
    struct Library;

    #[doc = include_str!("../../../docs/src/several-runs.md")]
    struct SeveralRuns;

    #[doc = include_str!("../../../README.md")]
    struct Readme;
}
