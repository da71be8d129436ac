//! Training: a state machine over a small state, which checkpoints hold exactly and everything else observes.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//! use thalweg::config::RunConfig;
//! use thalweg::train::{self, Silent};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = RunConfig::load(None, &["data=digits".into(), "epochs=5".into()])?;
//! let run = record::RunDir::create(Path::new("runs"), "digits-mlp")?;
//! let summary = train::train(&config, &run, &mut Silent, &AtomicBool::new(false))?;
//! println!("{:?}", summary.headline());
//! # Ok(())
//! # }
//! ```

mod apply;
mod error;
mod evaluate;
mod measure;
mod nonfinite;
mod objective;
mod observe;
mod prepared;
mod program;
mod run;
mod saved;
mod state;
mod trainer;

pub use apply::{Answers, Needs, Report, Trained};
pub use error::TrainError;
pub use evaluate::{Measured, evaluation_of};
pub use observe::{Facts, Observer, Progress, Silent};
pub use prepared::Prepared;
pub use program::{Session, StepError};
pub(crate) use run::check_changes;
pub use run::{resume, train, train_ready};
pub use saved::{Checkpoint, SavedModel};
pub use state::{Best, State, Sums, weights_sha256};
pub use trainer::Trainer;
