//! Names of run folders: `DATA-MODEL-001`, `DATA-MODEL-002`, ... in the order they were made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Action, RecordError, Result};

/// Longest part of a name; longer ones are cut, so that a path as data gives a short folder.
const PART_CHARS: usize = 24;

/// Longest list of what differs from the defaults.
const TOLD_CHARS: usize = 40;

/// The name of a run without its number, from the data's and the model's names and what else is told of it.
///
/// Paths lose their folders and extension; anything but letters, digits, `_` and `.` becomes `-`.
///
/// ```
/// assert_eq!(record::stem("digits", "mlp", &[]), "digits-mlp");
/// assert_eq!(record::stem("../data/My table.csv", "784-512-10", &["lr0.1".into()]), "my-table-784-512-10-lr0.1");
/// ```
pub fn stem(data: &str, model: &str, told: &[String]) -> String {
    let file = Path::new(data).file_stem().unwrap_or_default().to_string_lossy();
    let told = clean(&told.join("-"), TOLD_CHARS);
    let parts = [clean(&file, PART_CHARS), clean(model, PART_CHARS), told];
    let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    if parts.is_empty() { "run".into() } else { parts.join("-") }
}

/// Makes `parent/STEM-NNN` with the next free number. Two processes never get the same folder.
pub(crate) fn create_numbered(parent: &Path, stem: &str) -> Result<PathBuf> {
    fs::create_dir_all(parent).map_err(|e| RecordError::io(Action::Create, parent, e))?;
    let entries = fs::read_dir(parent).map_err(|e| RecordError::io(Action::Read, parent, e))?;
    let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let mut number = next_number(stem, names);
    loop {
        let path = parent.join(numbered(stem, number));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(e) => return Err(RecordError::io(Action::Create, &path, e)),
        }
    }
}

/// Whether a name can be a folder of its own beside others: letters, digits, `_`, `-` and `.`, not first.
pub(crate) fn is_plain(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(good)
}

/// `STEM-NNN`: three digits, so that listings sort by age up to 999.
fn numbered(stem: &str, number: u64) -> String {
    format!("{stem}-{number:03}")
}

/// One more than the highest number in use among `names`, so that a new run sorts last even after deletions.
fn next_number(stem: &str, names: impl Iterator<Item = String>) -> u64 {
    names
        .filter_map(|n| n.strip_prefix(stem)?.strip_prefix('-')?.parse::<u64>().ok())
        .max()
        .map_or(1, |n| n.saturating_add(1))
}

fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        let keep = c.is_alphanumeric() || c == '_' || c == '.';
        match (keep, out.ends_with('-')) {
            (true, _) => out.push(c),
            (false, false) => out.push('-'),
            (false, true) => {}
        }
    }
    let cut: String = out.trim_matches(['-', '.']).chars().take(most).collect();
    cut.trim_end_matches(['-', '.']).to_string()
}

#[cfg(test)]
mod tests {
    use super::{is_plain, next_number, numbered, stem};

    #[test]
    fn stems_are_plain_and_short() {
        assert_eq!(stem("/a/b/../..", "<script>", &[]), "script");
        assert_eq!(stem("", "", &[]), "run");
        assert_eq!(stem("Grüße & more.npz", "MLP", &[]), "grüße-more-mlp");
        assert!(stem(&"x".repeat(300), &"y".repeat(300), &["z".repeat(300)]).len() <= 90);
        assert!(!stem("..", "../../etc", &["../..".into()]).contains(".."));
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert!(["seed-0", "lr-0.1-seed-3", "a_b"].into_iter().all(is_plain));
        assert!(["", ".", "..", "../x", "a/b", "a\\b", ".x", "a b", "é"].into_iter().all(|n| !is_plain(n)));
    }

    #[test]
    fn numbers_go_up_and_ignore_others() {
        let names = ["d-m-001", "d-m-007", "d-m-x", "other-099", "d-mm-050", "d-m-"].map(String::from);
        assert_eq!(next_number("d-m", names.into_iter()), 8);
        assert_eq!(next_number("d-m", std::iter::empty()), 1);
        assert_eq!(numbered("d-m", 8), "d-m-008");
    }
}
