//! `thalweg report`: makes the report of a run again, from its folder alone.

use std::path::PathBuf;

use record::RunDir;
use serde_json::json;

use crate::failure::Failure;
use crate::ui::Ui;

/// Write the report of a run again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    dir.write_report(&report::report_html(&dir.load()?))?;
    let path = dir.report_path();
    ui.print(&format!("{}\n", path.display()));
    ui.result(json!({ "run_dir": dir.path(), "report": path }));
    Ok(())
}
