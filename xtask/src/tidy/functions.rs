//! Functions are short: what is longer than a page stands here with its reason.

use super::Complaint;
use crate::rust::{Source, has_word};
use crate::tree::Tree;

/// Lines of the longest function, from `fn` to its closing brace.
const MAX_LINES: usize = 75;
/// Functions that may be longer: file, name, reason.
const LONGER: &[(&str, &str, &str)] = &[
    ("crates/data/src/error/hint.rs", "hint", "one arm an error, and the compiler sees that none is missing"),
    ("crates/kernels/benches/map.rs", "cases", "a table: one program an entry"),
    (
        "crates/thalweg/tests/model/images.rs",
        "what_does_not_fit_is_named_and_helped",
        "a table: one config an entry",
    ),
];

/// A function: its name, the line of its `fn` from 1, and how many lines it has.
struct Function {
    name: String,
    line: usize,
    len: usize,
}

pub(super) fn short(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut needed = vec![false; LONGER.len()];
    for (file, source) in tree.rust() {
        for f in functions(source).into_iter().filter(|f| f.len > MAX_LINES) {
            match LONGER.iter().position(|(path, name, _)| *path == file.path && *name == f.name) {
                Some(reason) => needed[reason] = true,
                None => found.push(Complaint::at(
                    &file.path,
                    f.line,
                    format!("`{}` has {} lines, at most {MAX_LINES}", f.name, f.len),
                )),
            }
        }
    }
    let stale = LONGER.iter().zip(needed).filter(|((path, ..), needed)| !needed && tree.has(path));
    found.extend(stale.map(|((path, name, _), _)| {
        Complaint::of(path, format!("`{name}` is allowed to be long, and is not"))
    }));
    found
}

/// All functions with a body. Files are formatted, so a function ends with the first brace that closes below its `fn`,
/// at the same indentation.
fn functions(source: &Source) -> Vec<Function> {
    let code = &source.code;
    let starts = code.iter().enumerate().filter_map(|(i, line)| Some((i, line, name(line)?)));
    let found = starts.filter_map(|(i, line, name)| {
        let end = format!("{}}}", " ".repeat(line.len() - line.trim_start().len()));
        let one_line = line.trim_end().ends_with(['}', ';']);
        let len = if one_line { 1 } else { code[i..].iter().position(|l| l.starts_with(&end))? + 1 };
        Some(Function { name, line: i + 1, len })
    });
    found.collect()
}

/// The name of the function that a line begins, if it begins one.
fn name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let words = before.split_whitespace().all(|word| {
        word.starts_with("pub")
            || matches!(word, "const" | "unsafe" | "extern" | "in" | "\"\"")
            || word.ends_with(')')
    });
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (words && has_word(line, "fn") && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        let body = |indent: &str, n: usize| format!("{indent}    x();\n").repeat(n);
        let text = format!(
            "//! A.\nfn short(\n    a: usize,\n) {{\n{}}}\nimpl A {{\n    pub(super) unsafe fn long(&self) {{\n{}    }}\n}}\n",
            body("", MAX_LINES - 4),
            body("    ", MAX_LINES - 1),
        );
        let found = short(&Tree::of(&[("crates/a/src/a.rs", &text)]));
        let expected = format!("`long` has {} lines, at most {MAX_LINES}", MAX_LINES + 1);
        assert_eq!(found, [Complaint::at("crates/a/src/a.rs", MAX_LINES + 3, expected)]);
    }

    #[test]
    fn a_reason_without_a_long_function_is_stale() {
        let (path, name, _) = LONGER[0];
        let found = short(&Tree::of(&[(path, "//! A.\nfn hint() {}\n")]));
        assert_eq!(found, [Complaint::of(path, format!("`{name}` is allowed to be long, and is not"))]);
    }
}
