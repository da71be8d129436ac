//! What to type about an error of the library. Its own hint speaks of settings and files; where a verb or a flag of the
//! program is the answer, it is put here.

use record::{Action, RecordError, RunDir};
use thalweg::config::{ConfigError, Good, Meant};
use thalweg::data::DataError;
use thalweg::data::fetch::FetchError;
use thalweg::model::ModelError;
use thalweg::optim::{GroupError, RecipeError};
use thalweg::train::TrainError;

/// A download as it was typed.
#[derive(Debug)]
pub struct Fetch {
    /// All of the command.
    pub again: String,
    /// The set and its folder alone.
    pub here: String,
}

pub fn of_config(error: &ConfigError) -> String {
    use ConfigError as E;
    const KEYS: &str = "`thalweg config show` prints every key";
    let own = error.hint();
    match error {
        E::Read { path, .. } if !path.exists() => {
            format!("`thalweg config show > {}` writes one with every key", path.display())
        }
        E::NotAnOverride { meant: Some(Meant::Config(path)), .. } => {
            format!("`thalweg train {path}` trains with it")
        }
        E::UnknownKey { with: None, nearest: Some(near), .. } if near.default.is_empty() => {
            format!("{own} {KEYS}")
        }
        E::UnknownKey { with: None, nearest: None, known, .. } if known.is_empty() => KEYS.into(),
        E::UnknownName { nearest: Some(_), list, .. } => format!("{own} `thalweg list {list}` shows all"),
        E::UnknownName { list, .. } => format!("`thalweg list {list}` shows all"),
        E::Value { key, good: Good::Unknown, .. } | E::Refused { key, .. } => {
            format!("`thalweg config show` explains `{}`", key.split('.').next().unwrap_or(key))
        }
        _ => own,
    }
}

pub fn of_data(error: &DataError) -> String {
    use DataError as E;
    let own = error.hint();
    match error {
        E::UnknownSource { nearest: Some(_), .. } => format!("{own} `thalweg data list` shows the sets"),
        E::UnknownSource { .. } => "`thalweg data list` shows the sets; a path works as well".into(),
        E::NotFetched { set, .. } => {
            own.replacen(&format!("fetch `{set}`"), &format!("`thalweg data fetch {set}` downloads it"), 1)
        }
        E::Augment { .. } => format!("{own}, `thalweg list augment` shows all transforms"),
        E::BadOption { option: "folds", .. } => "set `data.folds=2`, or another number up to that".into(),
        E::BadOption { option, .. } => format!("leave out `data.{option}`, or set it to what is expected"),
        _ => own,
    }
}

pub fn of_fetch(error: &FetchError, typed: &Fetch) -> String {
    use FetchError as E;
    let own = error.hint();
    match error {
        E::NoFolder { .. } => format!("choose a folder: `{} --to DIR`", typed.again),
        E::BadSource { .. } => "as in `--from https://example.org/mnist/` or `--from ./downloads`".into(),
        E::NoNetwork { by_hand, .. } => format!("{by_hand}\n  3. type: {}", typed.here),
        E::NotReached { .. }
        | E::Status { .. }
        | E::Failed { .. }
        | E::WrongSize { .. }
        | E::WrongDigest { .. } => format!("{own}: `--from URL`"),
        E::BrokeOff { .. } => format!("`{}` continues where it stopped", typed.again),
        E::Exists { path } => {
            let folder = path.parent().unwrap_or(path).display();
            format!(
                "use it as it is, with `thalweg data={folder}`; or replace it with `--force`, or add `--to DIR`"
            )
        }
        _ => own,
    }
}

pub fn of_record(error: &RecordError) -> Option<String> {
    use RecordError as E;
    match error {
        E::Denied { action: Action::Read, .. } => error.hint(),
        E::Denied { .. } => {
            Some("write elsewhere with `--run-dir DIR`, or change who may write there".into())
        }
        E::Missing { what: "run folder", .. } => Some("`ls runs` shows the runs made here".into()),
        E::Exists { path } => Some(format!(
            "continue it with `thalweg resume {}`, choose another `--run-dir`, or add `--overwrite`",
            path.display()
        )),
        E::NotAFolder { .. } => Some("write elsewhere with `--out DIR`".into()),
        E::LabExists { .. } => Some("write elsewhere with `--out DIR`, or remove the folder first".into()),
        _ => error.hint(),
    }
}

/// The same of a file that the user named by `flag`, and that cannot be written.
pub fn unwritten(error: &RecordError, flag: &str) -> Option<String> {
    let elsewhere = format!("write elsewhere with `{flag} FILE`");
    match error {
        RecordError::DiskFull { .. } => Some(format!("free some space and run it again, or {elsewhere}")),
        RecordError::Denied { .. } => Some(format!("{elsewhere}, or change who may write there")),
        RecordError::Io { action: Action::Write, .. } => Some(elsewhere),
        _ => None,
    }
}

pub fn of_model(error: &ModelError) -> Option<String> {
    let own = error.hint();
    match error {
        ModelError::Unknown { .. } => own.map(|own| format!("{own}; `thalweg list models` shows all")),
        _ => own,
    }
}

pub fn of_train(error: &TrainError) -> Option<String> {
    use TrainError as E;
    match error {
        E::Config(error) => Some(of_config(error)),
        E::Data(error) => Some(of_data(error)),
        E::Record(error) => of_record(error),
        E::Model(error) => of_model(error),
        E::Recipe(RecipeError::Group(GroupError::AllFrozen { .. })) => {
            Some("`thalweg eval RUN` evaluates without training".into())
        }
        E::Changed { .. } => Some(
            "start from the weights instead: `thalweg train init_from=RUN/checkpoints/best.safetensors ...`"
                .into(),
        ),
        E::DataChanged { weights: Some(weights), .. } => Some(format!(
            "train on the data as they are now: `thalweg train init_from={} ...`",
            weights.display()
        )),
        E::DataChanged { asked, .. } => {
            Some(format!("evaluate on the data as they are now: `thalweg eval RUN data={asked}`"))
        }
        E::NoTargets => Some("`thalweg predict RUN DATA` needs none".into()),
        _ => error.hint(),
    }
}

/// The same of a run in its folder: a full disk leaves a run to go on with, or nothing at all.
pub fn of_run(error: &TrainError, run: &RunDir) -> Option<String> {
    match error {
        TrainError::Record(RecordError::DiskFull { .. }) if run.config_path().exists() => Some(format!(
            "free some space and continue with `thalweg resume {}`; the earlier version of the file is intact",
            run.path().display()
        )),
        TrainError::Record(RecordError::DiskFull { .. }) => {
            Some("free some space and run it again, or write elsewhere with `--run-dir DIR`".into())
        }
        _ => None,
    }
}
