//! `size`: lines per crate, and what changed since a revision.

use std::collections::BTreeMap;

use crate::tree::{Tree, git};

#[derive(Clone, Copy, Default)]
struct Lines {
    files: usize,
    /// neither blank nor comment, outside tests
    code: usize,
    comments: usize,
    /// in `#[cfg(test)]`, `tests/` and `benches/`
    tests: usize,
    added: i64,
    removed: i64,
}

/// Prints the table.
pub fn run(args: &[String]) -> Result<(), String> {
    let since = args.first().map_or("main", String::as_str);
    let mut crates: BTreeMap<String, Lines> = BTreeMap::new();
    for (file, source) in Tree::read()?.rust() {
        let row = crates.entry(file.crate_name().unwrap_or_default().to_owned()).or_default();
        let apart = file.path.contains("/tests/") || file.path.contains("/benches/");
        row.files += 1;
        for (i, code) in source.code.iter().enumerate() {
            match (code.trim().is_empty(), source.in_test[i] || apart) {
                (true, _) => row.comments += usize::from(!source.comments[i].trim().is_empty()),
                (false, true) => row.tests += 1,
                (false, false) => row.code += 1,
            }
        }
    }
    for (name, added, removed) in changes(&git(&["diff", "--numstat", since])?) {
        let row = crates.entry(name).or_default();
        row.added += added;
        row.removed += removed;
    }
    print(&crates, since);
    Ok(())
}

/// Crate, lines added and removed, from git's table.
fn changes(numstat: &str) -> Vec<(String, i64, i64)> {
    let row = |line: &str| {
        let mut fields = line.split('\t');
        let (added, removed, path) = (fields.next()?, fields.next()?, fields.next()?);
        let mut parts = path.split('/');
        let name = match parts.next()? {
            "crates" => parts.next()?,
            "xtask" => "xtask",
            _ => return None,
        };
        let is_rust = path.ends_with(".rs");
        is_rust.then(|| Some((name.to_owned(), added.parse().ok()?, removed.parse().ok()?)))?
    };
    numstat.lines().filter_map(row).collect()
}

fn print(crates: &BTreeMap<String, Lines>, since: &str) {
    eprintln!("{:<10}{:>7}{:>8}{:>10}{:>8}   since {since}", "crate", "files", "code", "comments", "tests");
    let mut all = Lines::default();
    for (name, l) in crates {
        row(name, l);
        all.files += l.files;
        all.code += l.code;
        all.comments += l.comments;
        all.tests += l.tests;
        all.added += l.added;
        all.removed += l.removed;
    }
    row("all", &all);
}

fn row(name: &str, l: &Lines) {
    let change =
        if l.added + l.removed == 0 { String::new() } else { format!("+{} −{}", l.added, l.removed) };
    eprintln!("{name:<10}{:>7}{:>8}{:>10}{:>8}   {change}", l.files, l.code, l.comments, l.tests);
}

#[cfg(test)]
mod tests {
    #[test]
    fn changes_belong_to_crates() {
        let found = super::changes(
            "3\t1\tcrates/engine/src/a.rs\n9\t9\tREADME.md\n2\t0\txtask/src/b.rs\n-\t-\tcrates/cli/a.rs\n",
        );
        assert_eq!(found, [("engine".to_owned(), 3, 1), ("xtask".to_owned(), 2, 0)]);
    }
}
