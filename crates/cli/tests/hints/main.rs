//! Every hint, executed on the fault that shows it: what it says to type or to change must cure.
//!
//! The ids come from the source: the variants of the errors, and the words `"cli.…"` of the program. An id without its
//! case fails here; so does one that is excused and has a case.

#![cfg(unix)]

mod cli;
mod config;
mod data;
mod model;
mod record;
mod train;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fault, and what its hint says.
#[derive(Clone, Copy)]
pub struct Case {
    id: &'static str,
    /// What lies in the folder before.
    setup: Option<fn(&Path)>,
    /// Commands before the fault, parted by ` && `.
    before: &'static str,
    /// The command that fails.
    fault: &'static str,
    /// What a person does by hand where the hint says so, with the words that it quotes.
    by_hand: Option<fn(&Path, &[String])>,
    /// The command that is done then; `{0}` is the first thing that the hint quotes, `{1}` the second.
    cure: &'static str,
}

impl Case {
    const fn before(self, before: &'static str) -> Case {
        Case { before, ..self }
    }

    const fn setup(self, setup: fn(&Path)) -> Case {
        Case { setup: Some(setup), ..self }
    }

    const fn by_hand(self, by_hand: fn(&Path, &[String])) -> Case {
        Case { by_hand: Some(by_hand), ..self }
    }
}

/// The fault of an id, and the command that is done when its hint was followed.
pub const fn case(id: &'static str, fault: &'static str, cure: &'static str) -> Case {
    Case { id, setup: None, before: "", fault, by_hand: None, cure }
}

/// A short training, and a run of it in `r`.
pub const RUN: &str = "thalweg data=t.csv model=mlp-4 batch=16 steps=1 -q --run-dir r";

/// A file, with the folders above it.
pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Rows of a table, from their number.
pub fn table(folder: &Path, name: &str, head: &str, n: usize, row: impl Fn(usize) -> String) {
    write(folder, name, format!("{head}\n{}\n", (0..n).map(row).collect::<Vec<_>>().join("\n")));
}

/// Ids that no command of a test can show, or show the cure of, and why.
const EXCUSED: &[(&str, &str)] = &[
    ("model.Unknown", "of the library: a config says `config.UnknownName`"),
    ("model.NoStart", "of the library: a layer of one's own"),
    ("model.Modes", "of the library: a layer of one's own; it has no hint"),
    ("train.NonFinite", "of the library: a run says `cli.diverged`"),
    ("train.State", "of the library"),
    ("train.Partners", "of the library"),
    ("train.NoSamples", "of the library; it has no hint"),
    ("train.NoState", "of the library: the program resumes from its own checkpoints"),
    ("data.LeftOut", "a build without features"),
    ("data.NoArray", "takes an archive; crates/data/tests/data/arrays.rs"),
    ("files.MixedTargets", "takes text arrays; crates/data/tests/data/targets.rs"),
    ("data.UnknownLabel", "takes text arrays; crates/data/tests/data/targets.rs"),
    ("data.ClassUnreadable", "crates/data/tests/data/image_folders.rs types its hint"),
    ("data.ClassesFurtherIn", "crates/data/tests/data/image_folders.rs types its hint"),
    ("data.PartsWithoutClasses", "crates/data/tests/data/image_folders.rs types its hint"),
    ("files.Tables", "takes an archive; crates/data/tests/data/formats.rs"),
    ("files.NestedColumns", "takes JSON lines or Parquet; crates/data/tests/data/formats.rs"),
    ("train.StandardInput", "takes standard input, which cases have not"),
    ("files.Terminal", "takes a terminal"),
    ("data.Read", "depends on who runs the tests"),
    ("outofrange.OutOfRange", "of the library: a config says `config.Value`"),
    ("graph.Axis", "the same words as `graph.Concat`"),
    ("data.AffineShape", "of the library"),
    ("data.NotFetched", "takes the network; crates/cli/tests/fetch.rs"),
    ("cache.TooMuchMemory", "takes more memory than tests may"),
    ("record.DiskFull", "crates/cli/tests/faults.rs fills a disk"),
    ("record.NoColumn", "our own fault; it has no hint"),
    ("record.BadName", "our own fault; it has no hint"),
    ("record.Io", "a refusal of the system that has no kind of its own"),
    ("cli.output", "crates/cli/tests/basics.rs writes to a full device"),
    ("cli.interrupted", "crates/cli/tests/killed.rs and several.rs"),
    ("cli.lab-interrupted", "takes a signal; it has no hint"),
    ("cli.lab-stopped", "takes a signal"),
    ("cli.no-instructions", "depends on the machine"),
    ("cli.bench-case", "a hidden verb"),
    ("cli.bench-layer", "a hidden verb"),
    ("cli.other-mistake", "what the parser of the command line has no kind for"),
    ("graph.Memory", "takes more memory than tests may"),
    ("graph.NoLayer", "of the library: a probe of one's own"),
    ("graph.Padded", "the same words as `graph.TooLarge`"),
];

fn all() -> Vec<Case> {
    [cli::CASES, config::CASES, data::CASES, model::CASES, record::CASES, train::CASES].concat()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{e}: {}", path.display()))
}

/// Names of an enum's variants, but for those that hold another error.
fn variants(file: &str, name: &str) -> Vec<String> {
    let text = read(&sources().join(file));
    let body = text.split_once(&format!("pub enum {name} {{")).unwrap_or_else(|| panic!("{file}: {name}")).1;
    let lines = body.lines().take_while(|line| *line != "}");
    let own = |line: &str| {
        let name: String = line.strip_prefix("    ")?.chars().take_while(|c| c.is_alphanumeric()).collect();
        let is_own = line.ends_with('{') || line.ends_with(',') && !line.contains('(');
        (name.starts_with(char::is_uppercase) && is_own).then_some(name)
    };
    let all: Vec<String> = lines.filter_map(own).collect();
    assert!(!all.is_empty(), "{file}: {name}");
    all
}

/// Every id there is.
fn ids() -> BTreeSet<String> {
    let kinds = [
        ("config", "thalweg/src/config/error.rs", "ConfigError"),
        ("model", "thalweg/src/model/error.rs", "ModelError"),
        ("weights", "thalweg/src/model/weights.rs", "WeightsError"),
        ("files", "data/src/error/files.rs", "FilesError"),
        ("cache", "data/src/error/cache.rs", "CacheError"),
        ("train", "thalweg/src/train/error.rs", "TrainError"),
        ("loss", "thalweg/src/losses/mod.rs", "LossError"),
        ("schedule", "thalweg/src/schedule/mod.rs", "ScheduleError"),
        ("group", "thalweg/src/optim/groups.rs", "GroupError"),
        ("record", "record/src/error.rs", "RecordError"),
        ("data", "data/src/error.rs", "DataError"),
    ];
    let mut ids: BTreeSet<String> =
        ["outofrange.OutOfRange", "decay.UnmatchedPattern", "unmatched.UnmatchedPattern"]
            .map(String::from)
            .into();
    for (kind, file, name) in kinds {
        ids.extend(variants(file, name).iter().map(|variant| format!("{kind}.{variant}")));
    }
    for file in ["thalweg/src/model/error.rs", "thalweg/src/train/error.rs"] {
        let text = read(&sources().join(file));
        let named = |part: &str| part.chars().take_while(|c| c.is_alphanumeric()).collect::<String>();
        ids.extend(text.split("Fault::").skip(1).map(|part| format!("graph.{}", named(part))));
    }
    let mut folders = vec![sources().join("cli/src")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = read(&path);
                let own = text
                    .split("\"cli.")
                    .skip(1)
                    .map(|part| format!("cli.{}", part.split('"').next().unwrap()));
                ids.extend(own);
            }
        }
    }
    ids
}

#[test]
fn every_id_has_its_case() {
    let (ids, cases) = (ids(), all());
    let shown: BTreeSet<String> = cases.iter().map(|case| case.id.to_owned()).collect();
    let excused: BTreeSet<String> = EXCUSED.iter().map(|(id, _)| (*id).to_owned()).collect();
    let list = |set: BTreeSet<&String>| set.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let open: BTreeSet<&String> =
        ids.iter().filter(|id| !shown.contains(*id) && !excused.contains(*id)).collect();
    assert!(open.is_empty(), "ids without a case: {}", list(open));
    let unknown: BTreeSet<&String> = shown.iter().chain(&excused).filter(|id| !ids.contains(*id)).collect();
    assert!(unknown.is_empty(), "cases of ids that there are not: {}", list(unknown));
    let both: BTreeSet<&String> = shown.intersection(&excused).collect();
    assert!(both.is_empty(), "excused, and yet shown: {}", list(both));
}

/// Runs a command line in the shell, as a person does.
fn sh(folder: &Path, line: &str) -> (i32, String, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_thalweg")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let out = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env("THALWEG_DATA", folder.join("data"))
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// What a case shows, or what is wrong.
fn check(case: &Case, n: usize) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("thalweg-hint-{}-{n}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let done = show(case, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    done.map_err(|problem| format!("{} by `{}`: {problem}", case.id, case.fault))
}

fn show(case: &Case, folder: &Path) -> Result<(), String> {
    table(folder, "t.csv", "x,w,class", 80, |i| format!("{},{}.5,{}", i, i % 7, ["u", "v"][i % 2]));
    case.setup.into_iter().for_each(|setup| setup(folder));
    if !case.before.is_empty() {
        let (code, _, err) = sh(folder, case.before);
        if code != 0 {
            return Err(format!("what comes before is not done: {err}"));
        }
    }
    let (code, out, err) = sh(folder, &format!("{} --json", case.fault));
    let events = out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let event = events.into_iter().find(|event| event["event"] == "error");
    let event = event.ok_or_else(|| format!("no error, exit code {code}: {err}"))?;
    if event["id"] != case.id {
        return Err(format!("it is {event}"));
    }
    let hint = event["hint"].as_str().ok_or_else(|| format!("no hint: {event}"))?;
    let quoted: Vec<String> = hint.split('`').skip(1).step_by(2).map(String::from).collect();
    if let Some(by_hand) = case.by_hand {
        by_hand(folder, &quoted);
    }
    let mut cure = case.cure.to_owned();
    for (i, piece) in quoted.iter().enumerate() {
        cure = cure.replace(&format!("{{{i}}}"), piece);
    }
    match sh(folder, &cure) {
        (0, ..) => Ok(()),
        (code, _, err) => Err(format!("the hint does not cure: {hint}\n  {cure}\n  exit code {code}: {err}")),
    }
}

#[test]
fn every_hint_cures() {
    let cases = all();
    let at = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let n = at.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(case) = cases.get(n) else { return };
                    if let Err(problem) = check(case, n) {
                        wrong.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
