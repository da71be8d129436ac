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

#[cfg(feature = "runs")]
mod apply;
mod choice;
mod error;
mod evaluate;
mod measure;
mod memory;
mod nonfinite;
mod objective;
mod observe;
mod prepared;
mod program;
#[cfg(feature = "runs")]
mod run;
#[cfg(feature = "runs")]
mod saved;
mod state;
mod step;
mod trainer;

#[cfg(feature = "runs")]
pub use apply::{Answers, Needs, Report, Trained};
pub use choice::{Kept, Split, UnknownWord};
pub use error::TrainError;
pub use evaluate::{Measured, evaluation_of};
pub use memory::Need;
pub use observe::{Facts, Observer, Progress, Silent};
pub use prepared::Prepared;
pub use program::{Session, StepError};
#[cfg(feature = "runs")]
pub use run::{changes, resume, train, train_ready};
#[cfg(feature = "runs")]
pub use saved::{Checkpoint, SavedModel, SavedState};
#[cfg(feature = "runs")]
pub use state::weights_sha256;
pub use state::{Best, State, Sums};
pub use trainer::Trainer;
