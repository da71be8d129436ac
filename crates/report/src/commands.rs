//! The command lines that repeat, continue and use a run.

use record::{RunRecord, Status};

/// A command line and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it does, in a few words.
    pub what: &'static str,
    /// What to type.
    pub line: String,
}

/// What one can do with this run, most likely first.
pub fn commands(record: &RunRecord) -> Vec<Command> {
    let folder = quote(&record.folder);
    let config = quote(&format!("{}/config.toml", record.folder.trim_end_matches('/')));
    let s = &record.summary;
    let resume = match s.status {
        Status::Done if s.epochs_planned > 0 => format!("thalweg resume {folder} epochs={}", s.epochs_planned.saturating_mul(2)),
        _ => format!("thalweg resume {folder}"),
    };
    let words = if s.status == Status::Done { "train it for longer" } else { "go on where it stopped" };
    let mut out = vec![
        Command { what: "repeat it, bit for bit", line: format!("thalweg train --config {config}") },
        Command { what: words, line: resume },
        Command { what: "measure it again", line: format!("thalweg eval {folder}") },
        Command { what: "use it on new data", line: format!("thalweg predict {folder} DATA") },
    ];
    if matches!(s.status, Status::Interrupted | Status::Running) {
        out.swap(0, 1);
    }
    out
}

/// `text` as one word of a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./,:+@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_string() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn paths_are_one_word() {
        assert_eq!(quote("runs/digits-mlp-001"), "runs/digits-mlp-001");
        assert_eq!(quote("my run; rm -rf 'x'"), r"'my run; rm -rf '\''x'\'''");
        assert_eq!(quote(""), "''");
    }
}
