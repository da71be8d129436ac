//! The rules of the house that a machine can check, as one test.

mod crates;
mod docs;
mod floats;
mod functions;
mod panics;
mod registry;
mod safety;
mod spelling;
mod text;

use crate::tree::Tree;
use std::fmt;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    path: String,
    /// from 1; 0 for the whole file
    line: usize,
    what: String,
}

impl Complaint {
    /// About one line.
    fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Complaint { path: path.to_owned(), line, what: what.into() }
    }

    /// About a file.
    fn of(path: &str, what: impl Into<String>) -> Self {
        Complaint::at(path, 0, what)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

type Rule = fn(&Tree) -> Vec<Complaint>;

/// All rules, each with its name.
const RULES: &[(&str, Rule)] = &[
    ("every file is part of its crate, and every concept is in its registry", registry::listed),
    ("a file opens with one sentence", text::opening),
    ("every file is formatted", text::formatted),
    ("files are short", text::length),
    ("functions are short", functions::short),
    ("lines are short", text::width),
    ("nothing is left for later", text::leftovers),
    ("no path of one machine", text::private_paths),
    ("unsafe code is in kernels only", safety::only_in_kernels),
    ("unsafe blocks say why they are sound", safety::explained),
    ("no panic within a user's reach", panics::panics),
    ("numbers are the same on every machine", floats::floats),
    ("words are spelled the American way", spelling::american),
    ("imports point down", crates::layers),
    ("dependencies have reasons", crates::reasons),
    ("the changelog has a place for the next change", docs::changelog),
    ("links lead somewhere", docs::links),
    ("the handbook's summary and its pages agree", docs::summary),
];

/// Files that one might think about cutting.
const LONG: usize = 400;

/// All complaints about a tree, by rule.
fn complaints(tree: &Tree) -> Vec<(&'static str, Complaint)> {
    RULES.iter().flat_map(|(name, rule)| rule(tree).into_iter().map(move |c| (*name, c))).collect()
}

/// Checks the repository.
///
/// # Errors
/// When a rule is broken; each case has been printed.
pub fn run() -> Result<(), String> {
    let tree = Tree::read()?;
    for (file, source) in tree.rust().filter(|(_, s)| s.code.len() > LONG) {
        eprintln!("note: {} has {} lines, think at {LONG}", file.path, source.code.len());
    }
    let found = complaints(&tree);
    let mut last = "";
    for (rule, complaint) in &found {
        if *rule != last {
            eprintln!("{rule}:");
            last = rule;
        }
        eprintln!("  {complaint}");
    }
    match found.len() {
        0 => Ok(()),
        n => Err(format!("{n} complaints; the rules are in xtask/src/tidy")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let tree = Tree::read().unwrap();
        assert!(tree.rust().count() > 50, "the walk found the sources");
        let found: Vec<String> = complaints(&tree).iter().map(|(rule, c)| format!("{rule}: {c}")).collect();
        assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
    }
}
