//! Mistakes on the command line, in this house's words.

use std::error::Error as _;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use thalweg::config::{ConfigError, Meant, RunConfig};

use crate::args::{Cli, is_run};
use crate::failure::Failure;

/// A mistake in this house's words.
pub fn explain(error: &clap::Error, words: &[String]) -> Failure {
    let context = |kind| error.get(kind).and_then(text);
    let verb = words.get(1).filter(|w| !w.starts_with('-')).map_or(String::new(), |w| format!(" {w}"));
    let help = format!("`thalweg{verb} --help` shows what is possible");
    let argument = context(ContextKind::InvalidArg);
    match (error.kind(), argument) {
        (ErrorKind::InvalidSubcommand, _) => unknown_verb(error),
        (ErrorKind::UnknownArgument, Some(arg)) => {
            let near = context(ContextKind::SuggestedArg);
            let meant = setting(&arg, words).or(near);
            let hint = meant.map_or(help, |meant| format!("did you mean `{meant}`?"));
            Failure::wrong("cli.unknown-argument", format!("unknown argument `{arg}`"), hint)
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(arg)) => bad_value(error, &arg, help),
        (ErrorKind::MissingRequiredArgument, _) => missing(error, words),
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            let names = context(ContextKind::ValidSubcommand).unwrap_or_default();
            let whole = names.replace(", `", &format!(", `thalweg{verb} "));
            let hint = match whole.strip_prefix('`') {
                None => help,
                Some(rest) => format!("one of `thalweg{verb} {rest}"),
            };
            Failure::wrong("cli.one-more-word", format!("`thalweg{verb}` needs one more word"), hint)
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Failure::wrong("cli.other-mistake", line.strip_prefix("error: ").unwrap_or(line), help)
        }
    }
}

/// The setting that a flag was meant to be: `--epochs 5` and `--epochs=5` are `epochs=5`.
fn setting(arg: &str, words: &[String]) -> Option<String> {
    let at = words.iter().position(|word| word.starts_with(arg))?;
    let (flag, value) = match words[at].split_once('=') {
        Some(parts) => parts,
        None => (words[at].as_str(), words.get(at + 1).map_or("true", String::as_str)),
    };
    // `--n` is a slip for `-n`, not a key
    (flag.trim_start_matches('-').len() > 1).then(|| RunConfig::setting_of(flag, value))?
}

/// A flag with a value that it cannot have.
fn bad_value(error: &clap::Error, arg: &str, help: String) -> Failure {
    let context = |kind| error.get(kind).and_then(text);
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let reason = error.source().map_or(String::new(), ToString::to_string);
    let range =
        reason.split_once(" is not in ").map(|(_, range)| range.replace("..=", " to ").replace("..", " to "));
    let number = (reason.contains("digit") || reason.contains("number")).then(|| "a whole number".to_owned());
    let valid = context(ContextKind::ValidValue).or(range).or(number);
    let hint = valid.map_or(help, |valid| format!("it takes {valid}"));
    let message = match value.is_empty() {
        true => format!("`{arg}` needs a value"),
        false => format!("`{arg}` cannot be `{value}`"),
    };
    Failure::wrong("cli.bad-value", message, hint)
}

/// Words that a verb needs and that were not typed.
fn missing(error: &clap::Error, words: &[String]) -> Failure {
    let names: Vec<&str> = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(all)) => all.iter().map(String::as_str).collect(),
        Some(ContextValue::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let names: Vec<&str> = names
        .iter()
        .map(|n| n.split(' ').next().unwrap_or(n).trim_matches(['<', '>', '[', ']', '.']))
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let typed = words[1..].join(" ");
    let hint = format!("`thalweg {typed} {}`; `thalweg {} --help` explains them", names.join(" "), words[1]);
    Failure::wrong("cli.missing-word", format!("{} {verb} missing", names.join(" and ")), hint)
}

/// A first word that is no verb.
fn unknown_verb(error: &clap::Error) -> Failure {
    let word = error.get(ContextKind::InvalidSubcommand).and_then(text).unwrap_or_default();
    let near = error.get(ContextKind::SuggestedSubcommand).and_then(text);
    let meant = RunConfig::load(None, std::slice::from_ref(&word)).err();
    let hint = match (near, meant) {
        _ if is_run(&word) => {
            format!("`thalweg resume {word}` continues the run, `thalweg eval {word}` evaluates it")
        }
        (_, Some(ConfigError::NotAnOverride { meant: Some(Meant::Data(path)), .. })) => {
            format!("train on it: `thalweg train data={path}`")
        }
        (Some(near), _) => format!("did you mean {near}?"),
        (None, Some(ConfigError::NotAnOverride { meant: Some(Meant::Setting(setting)), .. })) => {
            format!("did you mean `thalweg train {setting}`?")
        }
        (None, _) => {
            let command = Cli::command();
            let shown = command.get_subcommands().filter(|c| !c.is_hide_set());
            let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
            format!("the verbs are {}", names.join(", "))
        }
    };
    Failure::wrong("cli.unknown-verb", format!("unknown verb `{word}`"), hint)
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
