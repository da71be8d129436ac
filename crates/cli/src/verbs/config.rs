//! `thalweg config`: every key with its value, a check of a file, the JSON schema.

use std::path::PathBuf;

use serde_json::json;
use thalweg::config::{RunConfig, json_schema};

use crate::args::ConfigArgs;
use crate::failure::Failure;
use crate::ui::{Look, Ui, paint};

/// Show, check or describe settings
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the resolved config: every key, its value, and what it does
    Show(ConfigArgs),
    /// Check a config file without running it
    Check {
        /// The file
        file: PathBuf,
        /// Settings that win over it
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Print the JSON schema of a config
    Schema,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    match args.what {
        What::Show(from) => {
            let config = from.load([])?;
            ui.print(&painted(&config.to_toml()));
            ui.result(json!({ "config": config }));
        }
        What::Check { file, settings } => {
            let config = RunConfig::load(Some(&file), &settings)?;
            ui.print(&format!("{} is right\n", file.display()));
            ui.result(json!({ "file": file, "config": config }));
        }
        What::Schema => {
            ui.print(&format!("{:#}\n", json_schema()));
            ui.result(json!({ "schema": json_schema() }));
        }
    }
    Ok(())
}

/// The comments step back.
fn painted(toml: &str) -> String {
    let line = |line: &str| match line.find("# ") {
        Some(at) if line.starts_with('[') => {
            format!("{}{}", paint(&line[..at], Look::Strong), paint(&line[at..], Look::Faint))
        }
        Some(at) => format!("{}{}", &line[..at], paint(&line[at..], Look::Faint)),
        None => line.to_string(),
    };
    toml.lines().map(|l| line(l) + "\n").collect()
}
