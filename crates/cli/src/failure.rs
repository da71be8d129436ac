//! How a verb fails: an exit code, a message, and what to do about it.

use std::io;

use record::{RecordError, RunDir};
use thalweg::config::ConfigError;
use thalweg::data::DataError;
use thalweg::data::fetch::FetchError;
use thalweg::engine::GraphError;
use thalweg::model::ModelError;
use thalweg::train::TrainError;

use crate::hint;

/// The work failed: it diverged, or the data cannot be read.
pub const FAILED: u8 = 1;
/// The command or the config is wrong.
pub const WRONG: u8 = 2;
/// A bug of ours.
pub const INTERNAL: u8 = 3;

/// Why a verb stopped.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: u8,
    /// What went wrong, in a word that stays: `config.UnknownKey`, `cli.two-configs`. Each has its case in the tests of
    /// hints.
    pub id: String,
    /// One line, lower case, no full stop.
    pub message: String,
    /// Something to type.
    pub hint: Option<String>,
    /// What came of it all the same: the result object of a program that reads.
    pub result: Option<serde_json::Value>,
}

impl Failure {
    fn new(exit: u8, id: String, message: String, hint: Option<String>) -> Failure {
        Failure { exit, id, message, hint, result: None }
    }

    /// A wrong command.
    pub fn wrong(id: &str, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure::new(WRONG, id.into(), message.into(), Some(hint.into()))
    }

    /// Standard output that did not arrive.
    pub fn output(error: &io::Error) -> Failure {
        let words = error.to_string();
        let words = words.split(" (os error").next().unwrap_or(&words);
        let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
        let message = format!("cannot write standard output: {}{rest}", first.to_lowercase());
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space and run it again, or write elsewhere: `> FILE`"
            }
            _ => "write elsewhere: `> FILE`",
        };
        Failure::new(FAILED, "cli.output".into(), message, Some(hint.into()))
    }

    /// A file that the user named by `flag`, and that cannot be written.
    pub fn unwritten(error: RecordError, flag: &str) -> Failure {
        let hint = hint::unwritten(&error, flag);
        let failure = Failure::from(error);
        Failure { hint: hint.or(failure.hint), ..failure }
    }

    /// What stopped a run in its folder.
    pub fn of_run(error: impl Into<TrainError>, run: &RunDir) -> Failure {
        let error = error.into();
        let hint = hint::of_run(&error, run);
        let failure = Failure::from(error);
        Failure { hint: hint.or(failure.hint), ..failure }
    }

    /// What stopped a download that was asked for like this. A name, a place or a flag is what was asked for; all else
    /// is what came of it.
    pub fn of_fetch(error: &FetchError, typed: &hint::Fetch) -> Failure {
        use FetchError as E;
        let exit = match error {
            E::UnknownSet { .. } | E::NoFolder { .. } | E::BadSource { .. } | E::Exists { .. } => WRONG,
            _ => FAILED,
        };
        Failure::new(exit, id("fetch", error), error.to_string(), Some(hint::of_fetch(error, typed)))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(WRONG, id("config", &error), error.to_string(), Some(hint::of_config(&error)))
    }
}

impl From<DataError> for Failure {
    /// What the command says is wrong, or what the data hold.
    fn from(error: DataError) -> Failure {
        use DataError as D;
        let exit = match &error {
            // A path that does not exist is data that cannot be read; a mere word is a name that is wrong.
            D::UnknownSource { name, .. } if name.contains(['/', '.', '\\']) => FAILED,
            D::UnknownSource { .. }
            | D::BadOption { .. }
            | D::Augment { .. }
            | D::NoColumn { .. }
            | D::Split { .. } => WRONG,
            _ => FAILED,
        };
        Failure::new(exit, id("data", &error), error.to_string(), Some(hint::of_data(&error)))
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Failure {
        use RecordError as R;
        let exit = match &error {
            R::Exists { .. }
            | R::NotARun { .. }
            | R::SeveralRuns { .. }
            | R::NotRuns { .. }
            | R::LabExists { .. }
            | R::NotAFolder { .. }
            | R::Missing { what: "run folder", .. } => WRONG,
            _ => FAILED,
        };
        Failure::new(exit, id("record", &error), error.to_string(), hint::of_record(&error))
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Failure {
        Failure::new(WRONG, id("model", &error), error.to_string(), hint::of_model(&error))
    }
}

impl From<TrainError> for Failure {
    /// Files that do not read are failed work; all else is what was asked for.
    fn from(error: TrainError) -> Failure {
        use TrainError as T;
        let (id, message, hint) = (id("train", &error), error.to_string(), hint::of_train(&error));
        match error {
            T::Data(error) => error.into(),
            T::Record(error) => error.into(),
            T::Weights(_) | T::NoState { .. } | T::BrokenState { .. } | T::DataChanged { .. } => {
                Failure::new(FAILED, id, message, hint)
            }
            _ => Failure::new(WRONG, id, message, hint),
        }
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Failure {
        TrainError::from(error).into()
    }
}

/// What an error is called: its kind and the name of its variant, as `derive(Debug)` writes it. Errors that only hold
/// another one, `Config(UnknownKey { .. })`, have that one's name: `config.UnknownKey`; so have faults of layers,
/// `graph.Window`.
fn id(kind: &str, error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    if let Some((_, fault)) = text.split_once("fault: ").filter(|(outer, _)| is_graph(outer)) {
        return format!("graph.{}", word(fault));
    }
    let (mut kind, mut rest) = (kind.to_owned(), text.as_str());
    loop {
        let name = word(rest);
        match rest[name.len()..].strip_prefix('(') {
            Some(inner) if inner.starts_with(char::is_uppercase) => {
                (kind, rest) = (name.to_lowercase(), inner)
            }
            _ => return format!("{kind}.{name}"),
        }
    }
}

/// Whether a text is that of a fault of layers, whatever holds it: `Model(Graph(GraphError {`.
fn is_graph(text: &str) -> bool {
    let mut holders = text.split_once("GraphError {").map_or("-", |(before, _)| before).chars();
    holders.all(|c| c.is_alphanumeric() || c == '(')
}

/// The letters and digits that a text begins with.
fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}
