//! Several runs as one: a list of configs that differ in some settings, trained in one folder.
//!
//! A [`RunPlan`] is a base config and a list of named runs, each with what differs. [`plan`] makes one of a config with
//! `seeds` or `data.folds`; [`RunPlan::over`] of any [`Axis`] or several. [`start`] trains the list, [`resume`] goes on with
//! a folder after Ctrl-C, a kill, or when its time was up: runs that are done stay, and one that was cut short goes on
//! exactly. The list itself is in the folder, so nothing else has to be remembered.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use thalweg::config::RunConfig;
//! use thalweg::runs::{self, How};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = RunConfig::load(None, &["data=digits".into(), "seeds=3".into()])?;
//! let plan = runs::plan(&config).expect("seeds make a list");
//! let folder = record::RunsDir::create("runs".as_ref(), "digits-seeds")?;
//! let results = runs::start(&plan, &folder, &How::new(&AtomicBool::new(false)), &mut runs::Unwatched)?;
//! println!("{}", results.groups_csv());
//! # Ok(())
//! # }
//! ```

mod folds;
mod member;
mod plan;
mod relay;
mod run;
mod seeds;

pub use crate::config::Seeds;
pub use plan::{Axis, Planned, RunPlan, Variant, plan};
pub use relay::{Unwatched, Watch};
pub use run::{How, resume, start, without_effect};
