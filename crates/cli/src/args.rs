//! The command line: verbs, flags, and the words that may stand in any order.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, Parser};

use crate::failure::Failure;
use crate::ui::Ui;
use crate::verbs::Verb;

/// Trains neural networks fast, shows what training does, gives the same answer every time.
#[derive(Debug, Parser)]
#[command(name = "thalweg", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,

    /// Write JSON lines to standard output, the result last
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,

    /// Say only what went wrong
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,

    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true, help_heading = "Everywhere")]
    pub color: ColorChoice,
}

const AFTER: &str = "\
`thalweg` alone trains on the embedded digits, `thalweg data=FILE` on yours.
Settings are written as `key=value`; `thalweg config show` explains every key.";

/// A config: a file, and words over it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// Settings, such as `data=wine.csv epochs=50 optimizer.lr=0.01`
    #[arg(value_name = "KEY=VALUE")]
    pub settings: Vec<String>,

    /// A TOML file with settings; those on the command line win
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags that are followed by a value.
const WITH_VALUE: &[&str] = &[
    "--color",
    "--config",
    "--run-dir",
    "--checkpoint",
    "--stage",
    "--output",
    "-o",
    "--to",
    "--from",
    "--jobs",
    "-j",
    "--out",
];

/// Reads the command line; help, the version and mistakes are told here.
pub fn parse(words: Vec<String>) -> Result<(Ui, Verb), ExitCode> {
    let words = verb_first(words);
    match Cli::try_parse_from(&words) {
        Ok(cli) => Ok((Ui::new(cli.json, cli.quiet, cli.color), cli.verb)),
        Err(error) if !error.use_stderr() => {
            let ui = Ui::new(false, false, ColorChoice::Auto);
            ui.write(|_| error.print());
            Err(ui.close().map_or_else(|failure| ui.fail(&failure), |()| ExitCode::SUCCESS))
        }
        Err(error) => {
            let color = words.iter().skip_while(|w| *w != "--color").nth(1).and_then(|w| w.parse().ok());
            let ui = Ui::new(words.iter().any(|w| w == "--json"), false, color.unwrap_or_default());
            Err(ui.fail(&explain(&error, &words)))
        }
    }
}

/// Puts the flags that stand before the verb behind all words, and `train` where there is no verb.
fn verb_first(mut words: Vec<String>) -> Vec<String> {
    let asks = |w: &String| ["-h", "--help", "-V", "--version"].contains(&w.as_str());
    let verb = first_word(&words);
    match verb {
        Some(at) if !words[at].contains('=') => {
            let flags: Vec<String> = words.drain(1..at).collect();
            words.extend(flags);
        }
        None if words.iter().any(asks) => {}
        _ => words.insert(1.min(words.len()), "train".into()),
    }
    words
}

/// The first word that is neither a flag nor a flag's value.
fn first_word(words: &[String]) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        match word.as_str() {
            flag if WITH_VALUE.contains(&flag) => at += 2,
            flag if flag.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// A mistake in this house's words.
fn explain(error: &clap::Error, words: &[String]) -> Failure {
    let context = |kind| error.get(kind).and_then(text);
    let verb = words.get(1).filter(|w| !w.starts_with('-')).map_or(String::new(), |w| format!(" {w}"));
    let help = format!("`thalweg{verb} --help` shows what there is");
    let argument = context(ContextKind::InvalidArg);
    match (error.kind(), argument) {
        (ErrorKind::InvalidSubcommand, _) => unknown_verb(error),
        (ErrorKind::UnknownArgument, Some(arg)) => {
            let near = context(ContextKind::SuggestedArg);
            let hint = near.map_or(help, |near| format!("did you mean `{near}`?"));
            Failure::wrong(format!("unknown argument `{arg}`"), hint)
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(arg)) => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let missing = value.is_empty();
            let valid = context(ContextKind::ValidValue);
            let hint = valid.map_or(help, |valid| format!("it takes {valid}"));
            let message = if missing {
                format!("`{arg}` needs a value")
            } else {
                format!("`{arg}` is `{value}`, which it cannot be")
            };
            Failure::wrong(message, hint)
        }
        (ErrorKind::MissingRequiredArgument, Some(arg)) => {
            let name = arg.trim_matches(['`', '<', '>', '[', ']', '.']);
            Failure::wrong(format!("{name} is missing"), help)
        }
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            let names = context(ContextKind::ValidSubcommand).unwrap_or_default();
            let hint = if names.is_empty() { help } else { format!("one of {names}") };
            Failure::wrong(format!("`thalweg{verb}` needs one more word"), hint)
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Failure::wrong(line.strip_prefix("error: ").unwrap_or(line), help)
        }
    }
}

fn unknown_verb(error: &clap::Error) -> Failure {
    let word = error.get(ContextKind::InvalidSubcommand).and_then(text).unwrap_or_default();
    let near = error.get(ContextKind::SuggestedSubcommand).and_then(text);
    let path = std::path::Path::new(&word);
    let hint = match near {
        _ if path.extension().is_some_and(|e| e == "toml") && path.is_file() => {
            format!("train with it: `thalweg train --config {word}`")
        }
        _ if path.exists() => format!("train on it: `thalweg train data={word}`"),
        Some(near) => format!("did you mean {near}?"),
        None => {
            let command = Cli::command();
            let shown = command.get_subcommands().filter(|c| !c.is_hide_set());
            let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
            format!("the verbs are {}", names.join(", "))
        }
    };
    Failure::wrong(format!("unknown verb `{word}`"), hint)
}

fn text(value: &ContextValue) -> Option<String> {
    match value {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(all) if !all.is_empty() => {
            Some(all.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}
