//! The command line: verbs, flags, and the words that may stand in any order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ColorChoice, CommandFactory, Parser};
use record::{RecordError, RunDir};
use thalweg::config::RunConfig;
use thalweg::train::{Kept, Wanted};

use crate::failure::Failure;
use crate::mistake;
use crate::ui::Ui;
use crate::verbs::Verb;

/// Trains neural networks fast, shows what training is doing, and gives the same answer every time.
#[derive(Debug, Parser)]
#[command(name = "thalweg", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,

    /// Write JSON lines to standard output, ending with the result
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,

    /// Print only what went wrong
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,

    /// When to use colors: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true, help_heading = "Everywhere")]
    pub color: ColorChoice,
}

const AFTER: &str = "\
`thalweg` on its own trains on the built-in digits, `thalweg data=FILE` on your data.
Settings are written as `key=value`, lists as `key=a,b`; `thalweg config show` explains every key.";

/// A config: a file, and words over it. The file, or a run folder with its own, may stand among the words.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// Settings, such as `data=wine.csv epochs=50 optimizer.lr=0.01`, or lists, such as `data.drop=a,b`; a TOML file
    /// with settings can stand among them, and for commands that do not train, so can a run folder
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,

    /// A TOML file with settings; settings on the command line win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads it, with further settings.
    pub fn load(&self, more: impl IntoIterator<Item = String>) -> Result<RunConfig, Failure> {
        let mut file = self.config.clone();
        let mut words = Vec::new();
        for word in &self.settings {
            match config_of(word)? {
                None => words.push(word.clone()),
                Some(path) => match &file {
                    None => file = Some(path),
                    Some(first) => {
                        let message =
                            format!("there are two configs: {} and {}", first.display(), path.display());
                        return Err(Failure::wrong(
                            "cli.two-configs",
                            message,
                            "name only one of them; settings on the command line win over it",
                        ));
                    }
                },
            }
        }
        words.extend(more);
        Ok(RunConfig::load(file.as_deref(), &words)?)
    }

    /// The run folder among the words, if any.
    pub fn run_folder(&self) -> Option<&String> {
        self.settings.iter().find(|word| is_run(word))
    }
}

/// The config that a word names: a TOML file, or the one of a run folder.
fn config_of(word: &str) -> Result<Option<PathBuf>, Failure> {
    if is_toml(word) {
        return Ok(Some(word.into()));
    }
    match RunDir::open(word.as_ref()) {
        Ok(run) if is_run(word) => Ok(Some(run.config_path())),
        Err(error @ RecordError::SeveralRuns { .. }) => Err(error.into()),
        _ => Ok(None),
    }
}

fn is_toml(word: &str) -> bool {
    !word.contains('=') && Path::new(word).extension().is_some_and(|e| e == "toml")
}

/// Whether a word is a folder that runs made, one or several.
pub fn is_run(word: &str) -> bool {
    let several = matches!(RunDir::open(word.as_ref()), Err(RecordError::SeveralRuns { .. }));
    several || RunDir::open(word.as_ref()).is_ok_and(|run| run.config_path().is_file())
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
    let words = help_last(verb_first(words));
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
            Err(ui.fail(&mistake::explain(&error, &words)))
        }
    }
}

/// Puts the flags that stand before the verb behind all words, and `train` where there is no verb.
fn verb_first(mut words: Vec<String>) -> Vec<String> {
    let asks = |w: &String| ["-h", "--help", "-V", "--version"].contains(&w.as_str());
    let verb = first_word(&words, &with_value(&Cli::command()));
    match verb {
        Some(at) if !words[at].contains('=') && !is_toml(&words[at]) => {
            let flags: Vec<String> = words.drain(1..at).collect();
            words.extend(flags);
        }
        None if words.iter().any(asks) => {}
        _ => words.insert(1.min(words.len()), "train".into()),
    }
    words
}

/// `help train` as `train --help`.
fn help_last(mut words: Vec<String>) -> Vec<String> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

/// The first word that is neither a flag nor a flag's value; what comes behind the flag of another tool, `--epochs 5`,
/// is a value where a setting is of that name.
fn first_word(words: &[String], with_value: &BTreeSet<String>) -> Option<usize> {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1).map_or("", String::as_str);
        match word.as_str() {
            flag if with_value.contains(flag) => at += 2,
            flag if flag.starts_with("--") && RunConfig::setting_of(flag, value).is_some() => at += 2,
            flag if flag.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
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
