//! `thalweg resume`: goes on with a run, exactly as if it had never stopped.

use std::path::PathBuf;

use record::RunDir;
use thalweg::train;

use super::train::finish;
use crate::failure::Failure;
use crate::progress::Watch;
use crate::stop;
use crate::ui::Ui;

/// Go on with a run that was interrupted, or for longer: `thalweg resume RUN epochs=100`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Settings that change, such as `epochs=100`
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let stop = stop::watch();
    let dir = RunDir::resume(&args.run)?;
    let mut watch = Watch::new(ui, stop);
    let summary = train::resume(&dir, &args.settings, &mut watch, stop);
    drop(watch);
    finish(ui, &dir, &summary?)
}
