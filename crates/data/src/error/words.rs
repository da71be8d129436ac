//! Parts of messages that several errors have.

use std::path::PathBuf;

pub(super) use super::column::{column_faults, odd_lines};

/// A number of bytes for people, such as `3.2 GiB`; exact where it is a whole number of a unit.
pub(crate) fn size(bytes: usize) -> String {
    let units = [("GiB", 1usize << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// Paths one behind the other.
pub(super) fn list_paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    if shown.is_empty() { "no folder, since no home is known".into() } else { shown.join(", ") }
}

/// Of which folders no image can be read.
pub(super) fn unreadable(folders: &[(PathBuf, usize)]) -> String {
    let name = |(folder, n): &(PathBuf, usize)| match n {
        1 => format!("`{}` (1 image)", folder.display()),
        n => format!("`{}` ({n} images)", folder.display()),
    };
    match folders {
        [(folder, 1)] => format!("the only image in class folder `{}` cannot be read", folder.display()),
        [(folder, n)] => format!("none of the {n} images in class folder `{}` can be read", folder.display()),
        _ => {
            let names: Vec<_> = folders.iter().map(name).collect();
            format!("no image can be read in {} class folders, {}", folders.len(), first(&names))
        }
    }
}

/// The first few of a list, each in quotes.
pub(super) fn quoted(names: &[String]) -> String {
    first(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// `column `a` holds lists`.
pub(super) fn nested(columns: &[(String, String)]) -> String {
    let shown: Vec<String> = columns.iter().map(|(name, what)| format!("`{name}` holds {what}")).collect();
    let s = if columns.len() == 1 { "" } else { "s" };
    format!("column{s} that cannot be read: {}", first(&shown))
}

pub(super) fn tables(what: &str, found: &[String], asked: Option<&str>) -> String {
    let quoted: Vec<String> = found.iter().map(|f| format!("`{f}`")).collect();
    match (asked, found.len()) {
        (Some(asked), _) => format!("there is no {what} `{asked}`, only {}", first(&quoted)),
        (None, 0) => format!("there is no {what} with a table"),
        (None, n) => format!("there are {n} tables, {}", first(&quoted)),
    }
}

pub(super) fn differ(column: &str, lacks: bool, beside: &std::path::Path) -> String {
    let column = column.replace(char::is_control, "?");
    match lacks {
        true => format!("there is no column `{column}`, which {} has", beside.display()),
        false => format!("there is a column `{column}`, which {} does not have", beside.display()),
    }
}

pub(super) fn closing(line: Option<u64>) -> String {
    line.map_or("never closed".into(), |line| {
        format!("only closed in line {line}, and the lines between look like records")
    })
}

pub(super) fn after(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(", after {}", first(columns)) }
}

/// How many there are besides the first.
pub(super) fn others(n: usize) -> String {
    if n > 1 { format!(", and so are others, {n} in all") } else { String::new() }
}

/// How many names a message tells.
pub(crate) const NAMED: usize = 3;

/// The first few of a list, and how many more there are. A name of a file may hold what a terminal would obey.
pub(crate) fn first(names: &[String]) -> String {
    first_of(names, names.len())
}

/// The first few of `n`, of which at least the first few are given.
pub(crate) fn first_of(names: &[String], n: usize) -> String {
    let names = &names[..names.len().min(NAMED)];
    let more = n.saturating_sub(names.len());
    let shown = names.join(", ").replace(char::is_control, "?");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}
