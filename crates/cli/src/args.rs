//! The command line: verbs, flags, and the words that may stand in any order.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, Parser};
use thalweg::train::{Kept, Wanted};

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

/// The words of `--checkpoint`.
pub fn kept() -> impl TypedValueParser<Value = Kept> {
    PossibleValuesParser::new(Kept::NAMES).try_map(|word| word.parse::<Kept>())
}

/// Reads what a threshold makes largest, by the name that the library gives it.
pub fn wanted() -> impl TypedValueParser<Value = Wanted> {
    let all = [Wanted::BalancedAccuracy, Wanted::F1];
    PossibleValuesParser::new(all.map(Wanted::name))
        .map(move |word| all.into_iter().find(|one| one.name() == word).unwrap_or_default())
}

/// Flags of any verb that are followed by a value, as they are written: `--batch`, `-o`.
fn with_value(command: &clap::Command) -> BTreeSet<String> {
    let mut flags = BTreeSet::new();
    let takes = |arg: &&clap::Arg| !arg.is_positional() && arg.get_action().takes_values();
    for arg in command.get_arguments().filter(takes) {
        flags
            .extend(arg.get_long_and_visible_aliases().into_iter().flatten().map(|long| format!("--{long}")));
        flags.extend(
            arg.get_short_and_visible_aliases().into_iter().flatten().map(|short| format!("-{short}")),
        );
    }
    command.get_subcommands().for_each(|verb| flags.extend(with_value(verb)));
    flags
}

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
            let apart = words.iter().skip_while(|w| *w != "--color").nth(1).map(String::as_str);
            let joined = words.iter().find_map(|w| w.strip_prefix("--color="));
            let color = apart.or(joined).and_then(|w| w.parse().ok());
            let ui = Ui::new(words.iter().any(|w| w == "--json"), false, color.unwrap_or_default());
            Err(ui.fail(&explain(&error, &words)))
        }
    }
}

/// Puts the flags that stand before the verb behind all words, and `train` where there is no verb.
fn verb_first(mut words: Vec<String>) -> Vec<String> {
    let asks = |w: &String| ["-h", "--help", "-V", "--version"].contains(&w.as_str());
    let verb = first_word(&words, &with_value(&Cli::command()));
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
fn first_word(words: &[String], with_value: &BTreeSet<String>) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        match word.as_str() {
            flag if with_value.contains(flag) => at += 2,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every verb with every flag of its own that takes a value, the inner verbs included.
    fn each(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, String)>) {
        let own: BTreeSet<String> = command
            .get_arguments()
            .filter(|arg| arg.get_action().takes_values() && !arg.is_global_set())
            .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
            .collect();
        found.extend(own.into_iter().map(|flag| (path.to_vec(), flag)));
        for verb in command.get_subcommands() {
            let path = [path, &[verb.get_name().to_owned()]].concat();
            each(verb, &path, found);
        }
    }

    #[test]
    fn no_value_is_taken_for_a_verb() {
        let mut found = vec![(vec!["plan".to_owned()], "--color".to_owned())];
        each(&Cli::command(), &[], &mut found);
        assert!(found.len() > 15, "{found:?}");
        for (path, flag) in found.into_iter().filter(|(path, _)| !path.is_empty()) {
            let before = ["thalweg".to_owned(), flag.clone(), "32".to_owned()];
            let words = verb_first([&before[..], &path[..]].concat());
            let want = [&["thalweg".to_owned()], &path[..], &[flag, "32".to_owned()]].concat();
            assert_eq!(words, want);
        }
    }

    /// Else the list of flags could not say, before the verb is known, whether a value follows.
    #[test]
    fn a_flag_takes_a_value_everywhere_or_nowhere() {
        fn switches(command: &clap::Command, out: &mut BTreeSet<String>) {
            let is_switch = |arg: &&clap::Arg| !arg.is_positional() && !arg.get_action().takes_values();
            for arg in command.get_arguments().filter(is_switch) {
                out.extend(arg.get_long().map(|long| format!("--{long}")));
                out.extend(arg.get_short().map(|short| format!("-{short}")));
            }
            command.get_subcommands().for_each(|verb| switches(verb, out));
        }
        let command = Cli::command();
        let mut without = BTreeSet::new();
        switches(&command, &mut without);
        let both: Vec<_> = with_value(&command).intersection(&without).cloned().collect();
        assert!(both.is_empty(), "{both:?}");
    }
}
