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
#[cfg(feature = "runs")]
mod apply;
#[cfg(feature = "runs")]
mod best;
mod builder;
#[cfg(feature = "runs")]
mod calibrate;
mod choice;
mod error;
mod evaluate;
#[cfg(feature = "runs")]
mod explain;
#[cfg(feature = "runs")]
mod first;
mod fit;
mod heads;
#[cfg(feature = "runs")]
mod judged;
mod measure;
mod memory;
mod nonfinite;
mod norms;
mod objective;
mod observe;
mod parts;
mod predictor;
mod prepared;
#[cfg(feature = "runs")]
mod preprocessing;
mod program;
#[cfg(feature = "runs")]
mod run;
#[cfg(feature = "runs")]
mod saved;
#[cfg(feature = "runs")]
mod seen;
mod session;
pub(crate) mod settings;
mod state;
mod step;
mod trainer;

#[cfg(feature = "runs")]
pub use apply::{Answers, Needs, Report, Trained};
pub use builder::TrainerBuilder;
#[cfg(feature = "runs")]
pub use calibrate::Wanted;
pub use choice::{Kept, Split, UnknownWord};
pub use error::TrainError;
pub use evaluate::{Evaluator, Measured};
#[cfg(feature = "runs")]
pub use explain::Explaining;
pub use fit::{Callback, Event, Fitted};
pub use memory::Need;
pub use norms::Estimate;
pub use observe::{Facts, Observer, Progress, Silent};
pub use predictor::Predictor;
pub use prepared::{HeadReading, Prepared, Reading};
#[cfg(feature = "runs")]
pub use preprocessing::{InputColumn, OutputMeaning, PREPROCESSING, Preprocessing};
pub use program::{Blueprint, Output, Probe, Program, ProgramKey, Quantity, StepError, Work};
#[cfg(feature = "runs")]
pub(crate) use run::check_same_data;
#[cfg(feature = "runs")]
pub use run::{changes, resume, train, train_ready};
#[cfg(feature = "runs")]
pub use saved::{Checkpoint, SavedModel, SavedState};
pub use session::Session;
#[cfg(feature = "runs")]
pub use state::weights_sha256;
pub use state::{Best, State, Sums};
pub use trainer::Trainer;
