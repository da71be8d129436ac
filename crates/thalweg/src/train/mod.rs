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

mod about;
mod apply;
mod builder;
mod error;
mod evaluate;
mod fit;
mod folds;
mod heads;
mod measure;
mod memory;
mod nonfinite;
mod norms;
mod objective;
mod observe;
mod predictor;
mod prepared;
mod program;
mod run;
mod saved;
mod session;
mod state;
mod trainer;

pub use apply::{Answers, Needs, Report, Trained};
pub use builder::TrainerBuilder;
pub use error::TrainError;
pub use evaluate::{Evaluator, Measured};
pub use fit::{Callback, Event, Fitted};
pub use folds::{Folds, cross_validate};
pub use memory::Need;
pub use norms::Estimate;
pub use observe::{Facts, Observer, Progress, Silent};
pub use predictor::Predictor;
pub use prepared::{HeadReading, Prepared, Reading};
pub use program::{Blueprint, Output, Probe, Program, ProgramKey, Quantity, StepError, Work};
pub use run::{resume, train, train_ready};
pub use saved::{Checkpoint, SavedModel};
pub use session::Session;
pub use state::{Best, State, Sums, weights_sha256};
pub use trainer::Trainer;
