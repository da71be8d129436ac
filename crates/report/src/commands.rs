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

/// What the command that repeats a run does.
pub(crate) const REPEAT: &str = "repeat it, bit for bit";

/// What one can do with this run, most likely first. Nothing that needs weights where none are known.
pub fn commands(record: &RunRecord) -> Vec<Command> {
    let s = &record.summary;
    let folder = quote(&record.folder);
    let config = quote(&format!("{}/config.toml", record.folder.trim_end_matches('/')));
    let repeat = Command { what: REPEAT, line: format!("thalweg train --config {config}") };
    let mut out = match s.status {
        Status::Done if s.epochs_planned > 0 => {
            let line = format!("thalweg resume {folder} epochs={}", s.epochs_planned.saturating_mul(2));
            vec![repeat, Command { what: "train it for longer", line }]
        }
        Status::Done => vec![repeat],
        // Going on would diverge again: the same numbers come out.
        Status::Diverged => match smaller_rate(record) {
            Some(lr) => {
                let line = format!("{} lr={lr}", repeat.line);
                vec![Command { what: "try again with smaller steps", line }, repeat]
            }
            None => vec![repeat],
        },
        Status::Interrupted | Status::Running => {
            vec![
                Command { what: "continue where it stopped", line: format!("thalweg resume {folder}") },
                repeat,
            ]
        }
    };
    if s.best.is_some() || s.last.is_some() {
        out.push(Command { what: "measure it again", line: format!("thalweg eval {folder}") });
        out.push(Command { what: "use it on new data", line: format!("thalweg predict {folder} DATA") });
    }
    out
}

/// A tenth of the highest learning rate so far, in one digit.
fn smaller_rate(record: &RunRecord) -> Option<String> {
    let highest = record.metrics.rows.iter().map(|r| r.lr).filter(|lr| lr.is_finite()).reduce(f64::max)?;
    (highest > 0.0).then(|| format!("{:.0e}", highest / 10.0))
}

/// `text` as one word of a POSIX shell.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./,:+@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
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
