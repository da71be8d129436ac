//! `thalweg completions`: what a shell needs to complete commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;
use crate::ui::Ui;

/// Print the completions of a shell, as for `thalweg completions bash > ~/.local/share/bash-completion/completions/thalweg`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// bash, zsh, fish, elvish or powershell
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

pub fn run(ui: &Ui, args: Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "thalweg", &mut script);
    let script = String::from_utf8_lossy(&script);
    ui.print(&script);
    ui.result(serde_json::json!({ "shell": args.shell.to_string(), "script": script }));
    Ok(())
}
